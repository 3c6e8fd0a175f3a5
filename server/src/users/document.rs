//! The security schemes of the users API, for the OpenAPI document.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Adds the security schemes; the paths are added by the router.
#[derive(utoipa::OpenApi)]
#[openapi(modifiers(&Schemes))]
pub(super) struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The `sessionId` that `POST /sessions` answered."))
            .build();
        let secret = ApiKeyValue::with_description(
            "X-Sessiond-Secret",
            "The setting `users.secret`, if there is one.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("user_session", SecurityScheme::Http(bearer));
        components.add_security_scheme(
            "users_secret",
            SecurityScheme::ApiKey(ApiKey::Header(secret)),
        );
    }
}
