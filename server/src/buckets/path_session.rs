//! Extractor for `/session/{bucket}/{id}`.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::buckets::name::{self, BucketName};
use crate::buckets::session_ref::SessionRef;
use crate::error::ApiError;

/// The session that the path of a request names.
pub(super) enum PathSession {
    Session(SessionRef),
    /// The id is not a UUID, so the bucket has no such session.
    NotUuid(BucketName),
}

impl PathSession {
    pub(super) const fn bucket(&self) -> &BucketName {
        match self {
            Self::Session(SessionRef { bucket, .. }) | Self::NotUuid(bucket) => bucket,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = name::params(parts, state).await?;
        let bucket = BucketName::in_path(&params)?;
        let id = name::param(&params, "id").unwrap_or_default();
        Ok(SessionRef::parse(bucket, id).map_or_else(Self::NotUuid, Self::Session))
    }
}
