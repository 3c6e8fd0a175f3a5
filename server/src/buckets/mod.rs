//! The first door: buckets, over REST.

use utoipa_axum::router::OpenApiRouter;

use crate::app::StartError;
use crate::shared::Shared;

pub(crate) fn router(_shared: &Shared) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::new())
}

/// Whether a path belongs to this door.
pub(crate) fn owns(path: &str) -> bool {
    ["/session", "/api-key"].iter().any(|own| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
