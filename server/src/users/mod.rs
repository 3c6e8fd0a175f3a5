//! The third door: username and bearer.

use utoipa_axum::router::OpenApiRouter;

use crate::app::StartError;
use crate::shared::Shared;

pub(crate) fn router(_shared: &Shared) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::new())
}
