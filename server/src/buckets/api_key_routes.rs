//! Handlers for the API key of a bucket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use humantime_serde::re::humantime::parse_duration;
use jwt_redis_session::SessionError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::buckets::bucket_settings::NewSettings;
use crate::buckets::caller::Caller;
use crate::buckets::key_record::GraceDeletion;
use crate::buckets::names::BucketName;
use crate::buckets::openapi::{BadRequest, BucketPath, Grace};
use crate::buckets::state::BucketsState;
use crate::error::{ApiError, ErrorBody};
use crate::http::{AuthenticationErrors, BodyErrors, read_body};
use crate::private_json::private_json;
use crate::secret::Secret;

/// The longest grace. A key that has leaked must not work for longer; a week is enough to
/// deploy the new one.
const MAX_GRACE: Duration = Duration::from_secs(7 * 86_400);

/// The largest body, in bytes.
const MAX_BODY: usize = 4 << 10;

/// A bucket and the API key that was created for it.
#[derive(Serialize, ToSchema)]
struct NewKey<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
    #[schema(example = "jrs_0000000000000000000000000000xxxxxx")]
    api_key: &'a str,
}

/// A bucket and its API keys.
#[derive(Serialize, ToSchema)]
struct BucketKeys<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
    /// The current key. `null` between `DELETE` with a grace and `PUT`.
    #[schema(example = "jrs_0000000000000000000000000000xxxxxx")]
    api_key: Option<&'a str>,
    /// The key that was deleted with a grace, while it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousKey<'a>>,
}

/// An API key that was deleted with a grace.
#[derive(Serialize, ToSchema)]
struct PreviousKey<'a> {
    /// `null` if the secret that it was derived from is no longer configured.
    #[schema(example = "jrs_0000000000000000000000000000yyyyyy")]
    api_key: Option<&'a str>,
    /// When it stops working, in Unix seconds.
    #[schema(example = 1_767_225_600)]
    expires: u64,
}

/// A bucket whose API key was deleted.
#[derive(Serialize, ToSchema)]
struct DeletedKey<'a> {
    #[schema(example = "shop")]
    bucket: &'a str,
    /// When the key stops working, in Unix seconds; only after `DELETE` with a grace.
    #[schema(example = 1_767_225_600)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
}

/// Creates the API key of a bucket.
///
/// The body may contain settings of the bucket, which take effect for a session at its next use.
/// Settings of the same bucket in the configuration of the service take precedence. The settings in
/// the body are deleted with the key. After a deletion with a grace, they remain if the next key is
/// created before the grace ends, unless that request contains others.
#[utoipa::path(put, path = "/api-key/{bucket}", tag = "buckets", operation_id = "create_api_key",
    params(BucketPath),
    request_body(description = "Settings of the bucket.", content = NewSettings,
        content_type = "application/json"),
    responses(
        (status = 201, description = "The key.", body = NewKey<'_>),
        (status = 409, description = "The bucket already has a key that was not deleted, or there \
            were too many concurrent changes; nothing was created.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest, BodyErrors,
    ))]
pub(super) async fn create(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
    mut headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    state.authorize_master(&caller)?;
    // The body may be empty, also if its type is JSON.
    headers.remove(CONTENT_TYPE);
    let body = read_body(&headers, body, MAX_BODY, state.app.body_timeout()).await?;
    let settings = NewSettings::parse(&body, &state.app.settings.buckets)?;
    let created = state.keys.create_with(&bucket, settings).await;
    let key = created.map_err(|error| match error {
        SessionError::Taken => conflict(
            "the bucket already has an API key; GET returns it, and PUT replaces it after DELETE",
        ),
        SessionError::Conflict => changed(),
        error => error.into(),
    })?;
    let body = NewKey {
        bucket: bucket.as_str(),
        api_key: key.expose(),
    };
    Ok(private_json(StatusCode::CREATED, body))
}

/// Returns the API keys of a bucket.
///
/// While a key that was deleted with a grace is valid, the response contains it too.
#[utoipa::path(get, path = "/api-key/{bucket}", tag = "buckets", operation_id = "read_api_key",
    params(BucketPath),
    responses(
        (status = 200, description = "The keys.", body = BucketKeys<'_>),
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
    let keys = state.keys.read(&bucket).await?;
    match &keys.current {
        None if keys.previous.is_none() => return Err(no_key()),
        Some(None) => {
            return Err(conflict(
                "the key is valid but cannot be returned, because the secret that it was derived \
                 from is no longer configured; to replace the key, send DELETE and PUT",
            ));
        }
        _ => {}
    }
    let previous = keys.previous.as_ref();
    let body = BucketKeys {
        bucket: bucket.as_str(),
        api_key: keys
            .current
            .as_ref()
            .and_then(Option::as_ref)
            .map(Secret::expose),
        previous: previous.map(|(key, expires)| PreviousKey {
            api_key: key.as_ref().map(Secret::expose),
            expires: *expires,
        }),
    };
    Ok(private_json(StatusCode::OK, body))
}

/// Deletes the API key of a bucket.
///
/// With `grace`, the key remains valid for that time, and `PUT` can create the next one: clients
/// can change from one to the other without an interruption. Without it, requests with any key of
/// the bucket are rejected from now on. The sessions of the bucket remain; the next key of the
/// bucket gives access to them.
#[utoipa::path(delete, path = "/api-key/{bucket}", tag = "buckets",
    operation_id = "delete_api_key", params(BucketPath, Grace),
    responses(
        (status = 200, description = "The key has been deleted.", body = DeletedKey<'_>),
        (status = 404, description = "The bucket has no key.", body = ErrorBody<'_>),
        (status = 409, description = "The grace of an earlier key has not ended yet, or there were \
            too many concurrent changes; nothing was changed.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest,
    ))]
pub(super) async fn revoke(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    state.authorize_master(&caller)?;
    let expires = match grace(query.as_deref().unwrap_or_default())? {
        None if state.keys.revoke(&bucket).await? => None,
        None => return Err(no_key()),
        Some(grace) => match state.keys.delete_with_grace(&bucket, grace).await {
            Ok(GraceDeletion::At(end)) => Some(end),
            Ok(GraceDeletion::NoKey) => return Err(no_key()),
            Ok(GraceDeletion::Earlier) => {
                return Err(conflict(
                    "the grace of an earlier key has not ended yet; wait for its end, or send \
                     DELETE without grace to reject both keys",
                ));
            }
            Err(SessionError::Conflict) => return Err(changed()),
            Err(error) => return Err(error.into()),
        },
    };
    let bucket = bucket.as_str();
    Ok(private_json(StatusCode::OK, DeletedKey { bucket, expires }))
}

/// Reads the parameter `grace` of a query.
/// Errors: 400.
fn grace(query: &str) -> Result<Option<Duration>, ApiError> {
    let mut values = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "grace")
        .map(|(_, value)| value);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let grace = parse_duration(&value).ok().filter(|grace| {
        (Duration::from_secs(1)..=MAX_GRACE).contains(grace) && values.next().is_none()
    });
    let error = "grace must be one duration from 1s to 7days, such as `?grace=1h`";
    grace.ok_or_else(|| ApiError::bad_request(error)).map(Some)
}

fn no_key() -> ApiError {
    ApiError::not_found("the bucket has no API key; PUT creates one")
}

fn conflict(message: &'static str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, message)
}

fn changed() -> ApiError {
    conflict("the keys of the bucket were changed concurrently; nothing was changed, retry later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_one_duration_within_bounds() {
        for (query, expected) in [
            ("", Ok(None)),
            ("api_key=k&graces=1h", Ok(None)),
            ("grace=1h", Ok(Some(3600))),
            ("api_key=k&gr%61ce=1h+30m", Ok(Some(5400))),
            ("grace=1s", Ok(Some(1))),
            ("grace=7days", Ok(Some(7 * 86_400))),
            ("grace=", Err(400)),
            ("grace", Err(400)),
            ("grace=0s", Err(400)),
            ("grace=999ms", Err(400)),
            ("grace=8days", Err(400)),
            ("grace=3600", Err(400)),
            ("grace=-1h", Err(400)),
            ("grace=1h&grace=1h", Err(400)),
        ] {
            let found = grace(query).map(|grace| grace.map(|grace| grace.as_secs()));
            let found = found.map_err(|error| error.status().as_u16());
            assert_eq!(found, expected, "{query}");
        }
    }
}
