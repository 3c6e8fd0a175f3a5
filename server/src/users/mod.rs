//! The third state: username and bearer.

mod bearer;
mod create;
mod credentials;
mod destroy;
mod document;
mod show;
mod state;

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::start_error::StartError;

pub(crate) use state::sessions;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(create::create, show::show))
        .routes(routes!(destroy::destroy))
        .with_state(state::UsersState::new(app)?))
}
