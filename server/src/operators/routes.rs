//! The routes that operators need.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::operators::{health, metrics};
use crate::shared::Shared;
use crate::start_error::StartError;

pub(crate) fn router(shared: &Shared) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .with_state(shared.clone()))
}
