//! The routes that operators need.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::operators::{health, metrics};
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .with_state(app.clone()))
}
