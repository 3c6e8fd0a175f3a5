//! What operators need: health, metrics, the document of the API.

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod openapi;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::StartError;
use crate::shared::Shared;

pub(crate) fn router(shared: &Shared) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .with_state(shared.clone()))
}
