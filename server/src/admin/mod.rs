//! The page for operators.

use axum::Router;

use crate::shared::Shared;
use crate::start_error::StartError;

pub(crate) fn router(_shared: &Shared) -> Result<Router, StartError> {
    Ok(Router::new())
}
