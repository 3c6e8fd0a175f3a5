//! Extractor for the caller of a bucket.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::buckets::api_key::KeyHash;
use crate::buckets::credential::credential;
use crate::http::Client;

/// The client's address, and the hash of the API key if the request carries one of valid format.
/// The key itself is not kept.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) key: Option<KeyHash>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client = Client::from_request_parts(parts, state).await?;
        let key = credential(parts).and_then(|key| KeyHash::of(&key));
        Ok(Self { client, key })
    }
}
