//! Handlers for the sessions of a bucket.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use jwt_redis_session::SessionError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::buckets::caller::Caller;
use crate::buckets::document::{BucketPath, Condition, Refused, SessionPath};
use crate::buckets::etag::IfMatch;
use crate::buckets::name::BucketName;
use crate::buckets::object::{self, BucketSession, hyphenated};
use crate::buckets::path_session::PathSession;
use crate::buckets::payload::{self, Format};
use crate::buckets::session_ref::SessionRef;
use crate::buckets::sessions;
use crate::buckets::state::BucketsState;
use crate::error::{ApiError, ErrorBody};

/// Creates a session.
///
/// The body is its data: JSON of any kind with a `Content-Type` of `application/json`, otherwise
/// a text in UTF-8; an empty body is the empty text.
#[utoipa::path(put, path = "/session/{bucket}", tag = "buckets", operation_id = "create_session",
    params(BucketPath),
    request_body(description = "The data of the session.", content(
        (serde_json::Value = "application/json", example = json!({ "cart": [17, 42] })),
        (String = "text/plain", example = "any text"),
    )),
    responses(
        (status = 201, description = "The session.", body = BucketSession<'_>, headers(
            ("Location" = String, description = "The path of the session."),
            ("ETag" = String, description = "The version of the data."))),
        (status = 408, description = "The body took too long.", body = ErrorBody<'_>),
        (status = 413, description = "The body is too large.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn create(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
    format: Format,
    body: Body,
) -> Result<Response, ApiError> {
    state.authorize(&caller, &bucket).await?;
    let data = payload::read(&state, format, body).await?;
    let name = SessionRef::random(bucket);
    let session = state.sessions.create(&name, &data).await?;
    let mut response = object::answer(StatusCode::CREATED, &name, &session).await?;
    response.headers_mut().insert(LOCATION, location(&name));
    Ok(response)
}

/// Reads a session, which lives for its whole time again from now.
#[utoipa::path(get, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "read_session", params(SessionPath),
    responses(
        (status = 200, description = "The session.", body = BucketSession<'_>, headers(
            ("ETag" = String, description = "The version of the data."))),
        (status = 404, description = "There is no such session.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn read(
    State(state): State<Arc<BucketsState>>,
    path: PathSession,
    caller: Caller,
) -> Result<Response, ApiError> {
    let (name, session) = state.authorize_and_load(&caller, path).await??;
    object::answer(StatusCode::OK, &name, &session).await
}

/// Replaces the data of a session, which lives for its whole time again from now.
///
/// It never creates one. With `If-Match` nothing is written if the data is of another version.
#[utoipa::path(post, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "replace_session",
    params(SessionPath, Condition),
    request_body(description = "The new data, as for `PUT`.", content(
        (serde_json::Value = "application/json", example = json!({ "cart": [] })),
        (String = "text/plain", example = "any text"),
    )),
    responses(
        (status = 200, description = "The session.", body = BucketSession<'_>, headers(
            ("ETag" = String, description = "The version of the data."))),
        (status = 404, description = "There is no such session.", body = ErrorBody<'_>),
        (status = 408, description = "The body took too long.", body = ErrorBody<'_>),
        (status = 409, description = "Too many concurrent writes; the session was not changed. \
            Retry later.", body = ErrorBody<'_>),
        (status = 412, description = "The data is of another version than `If-Match` names; \
            nothing was written.", body = ErrorBody<'_>),
        (status = 413, description = "The body is too large.", body = ErrorBody<'_>),
        Refused,
    ))]
pub(super) async fn replace(
    State(state): State<Arc<BucketsState>>,
    path: PathSession,
    caller: Caller,
    if_match: IfMatch,
    format: Format,
    body: Body,
) -> Result<Response, ApiError> {
    let loaded = state.authorize_and_load(&caller, path).await?;
    let data = payload::read(&state, format, body).await?;
    let (name, session) = loaded?;
    sessions::replace(&session, &data, &if_match).await?;
    object::answer(StatusCode::OK, &name, &session).await
}

/// What is left of a session.
#[derive(Serialize, ToSchema)]
pub(super) struct EndedSession<'a> {
    #[serde(serialize_with = "hyphenated")]
    #[schema(value_type = String, format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: Uuid,
    #[schema(example = "shop")]
    bucket: &'a str,
}

/// Ends a session, of whatever version its data is.
///
/// `If-Match` with a version is refused with 400: conditions are for `POST`.
#[utoipa::path(delete, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "end_session", params(SessionPath),
    responses(
        (status = 200, description = "It has ended.", body = EndedSession<'_>),
        (status = 404, description = "There is no such session.", body = ErrorBody<'_>),
        Refused,
        (status = 400, description = "The request is malformed, or has a condition, which is for \
            `POST`.", body = ErrorBody<'_>),
    ))]
pub(super) async fn end(
    State(state): State<Arc<BucketsState>>,
    path: PathSession,
    caller: Caller,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    state.authorize(&caller, path.bucket()).await?;
    if if_match != IfMatch::Any {
        return Err(conditional());
    }
    let PathSession::Session(name) = path else {
        return Err(SessionError::Gone.into());
    };
    if !state.sessions.end(&name).await? {
        return Err(SessionError::Gone.into());
    }
    let ended = EndedSession {
        id: name.uuid,
        bucket: name.bucket.as_str(),
    };
    object::json(StatusCode::OK, &ended, 0)
}

/// RFC 9110, section 13.1.1: a conditional request must not be done unless the condition holds. The
/// library cannot compare and delete in one step; reading first could delete another's write.
fn conditional() -> ApiError {
    ApiError::bad_request(
        "a session is ended whatever its version is; If-Match with a version is for POST",
    )
}

fn location(name: &SessionRef) -> HeaderValue {
    let path = format!("/session/{}/{}", name.bucket.as_str(), name.uuid);
    HeaderValue::try_from(path).expect("names and UUIDs are a header's value")
}
