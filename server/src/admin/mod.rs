//! The page for operators.

use axum::Router;

use crate::app::StartError;
use crate::shared::Shared;

pub(crate) fn router(_shared: &Shared) -> Result<Router, StartError> {
    Ok(Router::new())
}
