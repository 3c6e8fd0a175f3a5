//! Extractor for a master key.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::buckets::credential::credential;
use crate::buckets::state::BucketsState;
use crate::error::ApiError;
use crate::http::Client;

/// Extractor that accepts only requests with a master key.
pub(super) struct Master;

impl FromRequestParts<Arc<BucketsState>> for Master {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<BucketsState>,
    ) -> Result<Self, ApiError> {
        match credential(parts) {
            Some(key) if state.masters.verify(&key).is_some() => Ok(Self),
            _ => {
                let Ok(client) = Client::from_request_parts(parts, state).await;
                Err(state.reject(client))
            }
        }
    }
}
