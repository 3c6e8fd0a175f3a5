//! Handlers for the API key of a bucket.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::SessionError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::buckets::api_keys::CurrentKey;
use crate::buckets::document::{BucketPath, Refused};
use crate::buckets::master::Master;
use crate::buckets::name::BucketName;
use crate::buckets::object;
use crate::buckets::state::BucketsState;
use crate::error::{ApiError, ErrorBody};
use crate::secret::Secret;

/// A bucket and its API key.
#[derive(Serialize, ToSchema)]
pub(super) struct BucketKey<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
    #[schema(example = "jrs_0000000000000000000000000000xxxxxx")]
    api_key: &'a str,
}

/// A bucket without an API key.
#[derive(Serialize, ToSchema)]
pub(super) struct KeylessBucket<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
}

/// Gives a bucket its API key.
#[utoipa::path(put, path = "/api-key/{bucket}", tag = "buckets", operation_id = "create_api_key",
    params(BucketPath),
    responses(
        (status = 201, description = "The key.", body = BucketKey<'_>),
        (status = 409, description = "The bucket has one already.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn create(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    _: Master,
) -> Result<Response, ApiError> {
    match state.keys.create(&bucket).await {
        Ok(key) => answer(StatusCode::CREATED, &bucket, &key),
        Err(SessionError::Taken) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "the bucket has an API key already",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Returns the API key of a bucket.
#[utoipa::path(get, path = "/api-key/{bucket}", tag = "buckets", operation_id = "read_api_key",
    params(BucketPath),
    responses(
        (status = 200, description = "The key.", body = BucketKey<'_>),
        (status = 404, description = "The bucket has none.", body = ErrorBody<'_>),
        (status = 409, description = "The secret that the key was made with is no longer \
            configured.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn read(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    _: Master,
) -> Result<Response, ApiError> {
    match state.keys.current(&bucket).await? {
        CurrentKey::Known(key) => answer(StatusCode::OK, &bucket, &key),
        CurrentKey::None => Err(keyless()),
        CurrentKey::SecretChanged => Err(ApiError::new(
            StatusCode::CONFLICT,
            "the key still works but cannot be read, because tokens.secret has changed since it \
             was made; DELETE and PUT make a new one",
        )),
    }
}

/// Takes the API key of a bucket away.
///
/// It is refused from the next request on. The sessions of the bucket stay: a new key opens them.
#[utoipa::path(delete, path = "/api-key/{bucket}", tag = "buckets",
    operation_id = "delete_api_key", params(BucketPath),
    responses(
        (status = 200, description = "The bucket has no key now.", body = KeylessBucket<'_>),
        (status = 404, description = "The bucket has none.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn revoke(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    _: Master,
) -> Result<Response, ApiError> {
    if !state.keys.revoke(&bucket).await? {
        return Err(keyless());
    }
    let bucket = bucket.as_str();
    object::json(StatusCode::OK, &KeylessBucket { bucket }, 0)
}

fn answer(status: StatusCode, bucket: &BucketName, key: &Secret) -> Result<Response, ApiError> {
    let object = BucketKey {
        bucket: bucket.as_str(),
        api_key: key.expose(),
    };
    object::json(status, &object, 0)
}

fn keyless() -> ApiError {
    ApiError::not_found("the bucket has no API key")
}
