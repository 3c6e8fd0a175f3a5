//! The routes of the buckets API.

use std::sync::Arc;

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::buckets::document::{self, Document};
use crate::buckets::state::BucketsState;
use crate::buckets::{api_key_routes, session_routes, settings_route};
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    let mut router = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(settings_route::read))
        .routes(routes!(session_routes::create))
        .routes(routes!(
            session_routes::read,
            session_routes::replace,
            session_routes::end
        ))
        .routes(routes!(
            api_key_routes::create,
            api_key_routes::read,
            api_key_routes::revoke
        ))
        .with_state(Arc::new(BucketsState::new(app)?));
    document::complete(router.get_openapi_mut());
    Ok(router)
}

/// Whether a path belongs to the buckets API.
pub(crate) fn owns(path: &str) -> bool {
    ["/session", "/api-key"].iter().any(|own| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
