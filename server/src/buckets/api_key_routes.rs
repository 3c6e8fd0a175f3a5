//! Handlers for the API key of a bucket.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::SessionError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::buckets::caller::Caller;
use crate::buckets::names::BucketName;
use crate::buckets::openapi::{BadRequest, BucketPath};
use crate::buckets::state::BucketsState;
use crate::error::{ApiError, ErrorBody};
use crate::http::AuthenticationErrors;
use crate::private_json::private_json;
use crate::secret::Secret;

/// A bucket and its API key.
#[derive(Serialize, ToSchema)]
struct BucketKey<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
    #[schema(example = "jrs_0000000000000000000000000000xxxxxx")]
    api_key: &'a str,
}

/// A bucket without an API key.
#[derive(Serialize, ToSchema)]
struct KeylessBucket<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
}

/// Creates the API key of a bucket.
#[utoipa::path(put, path = "/api-key/{bucket}", tag = "buckets", operation_id = "create_api_key",
    params(BucketPath),
    responses(
        (status = 201, description = "The key.", body = BucketKey<'_>),
        (status = 409, description = "The bucket already has a key.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest,
    ))]
pub(super) async fn create(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
) -> Result<Response, ApiError> {
    state.authorize_master(&caller)?;
    let created = state.keys.create(&bucket).await;
    let key = created.map_err(|error| match error {
        SessionError::Taken => ApiError::new(
            StatusCode::CONFLICT,
            "the bucket has an API key; GET returns it",
        ),
        error => error.into(),
    })?;
    Ok(respond(StatusCode::CREATED, &bucket, &key))
}

/// Returns the API key of a bucket.
#[utoipa::path(get, path = "/api-key/{bucket}", tag = "buckets", operation_id = "read_api_key",
    params(BucketPath),
    responses(
        (status = 200, description = "The key.", body = BucketKey<'_>),
        (status = 404, description = "The bucket has no key.", body = ErrorBody<'_>),
        (status = 409, description = "The key is valid but cannot be returned, because the secret \
            that it was derived from is no longer configured.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest,
    ))]
pub(super) async fn read(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
) -> Result<Response, ApiError> {
    state.authorize_master(&caller)?;
    let key = state.keys.current(&bucket).await?.ok_or_else(no_key)?;
    Ok(respond(StatusCode::OK, &bucket, &key))
}

/// Deletes the API key of a bucket.
///
/// Requests with the key are rejected from now on. The sessions of the bucket remain; the next key
/// of the bucket gives access to them.
#[utoipa::path(delete, path = "/api-key/{bucket}", tag = "buckets",
    operation_id = "delete_api_key", params(BucketPath),
    responses(
        (status = 200, description = "The key has been deleted.", body = KeylessBucket<'_>),
        (status = 404, description = "The bucket has no key.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest,
    ))]
pub(super) async fn revoke(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
) -> Result<Response, ApiError> {
    state.authorize_master(&caller)?;
    if !state.keys.revoke(&bucket).await? {
        return Err(no_key());
    }
    let bucket = bucket.as_str();
    Ok(private_json(StatusCode::OK, KeylessBucket { bucket }))
}

fn respond(status: StatusCode, bucket: &BucketName, key: &Secret) -> Response {
    let (bucket, api_key) = (bucket.as_str(), key.expose());
    private_json(status, BucketKey { bucket, api_key })
}

fn no_key() -> ApiError {
    ApiError::not_found("the bucket has no API key; PUT creates one")
}
