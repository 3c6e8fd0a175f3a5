//! The right to give buckets their keys.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::buckets::credential::credential;
use crate::buckets::door::Door;
use crate::error::ApiError;
use crate::http::Client;

/// Proof that the request carries a master key.
pub(super) struct Master;

impl FromRequestParts<Arc<Door>> for Master {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        match credential(parts) {
            Some(key) if door.masters.recognise(&key).is_some() => Ok(Self),
            _ => {
                let Ok(client) = Client::from_request_parts(parts, door).await;
                Err(door.refuse(client))
            }
        }
    }
}
