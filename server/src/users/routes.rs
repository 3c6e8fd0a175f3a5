//! The routes of the users API.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::start_error::StartError;
use crate::users::handlers;
use crate::users::state::UsersState;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(security_schemes())
        .routes(routes!(handlers::create, handlers::show))
        .routes(routes!(handlers::destroy))
        .with_state(UsersState::new(app)?))
}

fn security_schemes() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `sessionId` that `POST /sessions` returned."))
        .build();
    let secret = ApiKeyValue::with_description(
        "X-Sessiond-Secret",
        "The setting `users.secret`, if it is set.",
    );
    let secret = SecurityScheme::ApiKey(ApiKey::Header(secret));
    let components = ComponentsBuilder::new()
        .security_scheme("user_session", SecurityScheme::Http(bearer))
        .security_scheme("users_secret", secret);
    OpenApiBuilder::new()
        .components(Some(components.build()))
        .build()
}
