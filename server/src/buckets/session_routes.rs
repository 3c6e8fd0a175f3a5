//! Handlers for the sessions of a bucket.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode};
use jwt_redis_session::{Session, SessionError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::buckets::caller::Caller;
use crate::buckets::etag::{self, IfMatch};
use crate::buckets::names::{BucketName, SessionRef};
use crate::buckets::openapi::{BadRequest, BucketPath, NoSession, Precondition, SessionPath};
use crate::buckets::payload;
use crate::buckets::sessions::{self, DATA};
use crate::buckets::state::{Access, BucketsState};
use crate::error::{ApiError, ErrorBody};
use crate::http::{AuthenticationErrors, BodyErrors};
use crate::private_json::{private_json, private_text};
use crate::unix_time;

/// A session.
#[derive(ToSchema)]
struct BucketSession<'a> {
    #[schema(value_type = String, format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: Uuid,
    #[schema(example = "shop")]
    bucket: &'a str,
    /// When the session expires if it is not used, in Unix seconds.
    #[schema(example = 1_767_225_600)]
    expires: u64,
    /// The data, exactly as it was sent.
    #[schema(value_type = serde_json::Value, example = json!({ "cart": [17, 42] }))]
    data: &'a str,
}

impl BucketSession<'_> {
    /// Returns the session as JSON. `serde_json` writes each part on its own, which takes 4,000
    /// instructions more.
    fn to_json(&self) -> Vec<u8> {
        let mut id = Uuid::encode_buffer();
        let id = self.id.hyphenated().encode_lower(&mut id);
        let expires = self.expires.to_string();
        // Neither an id nor the name of a bucket contains a character to escape.
        let parts = [
            r#"{"id":""#,
            id,
            r#"","bucket":""#,
            self.bucket,
            r#"","expires":"#,
            &expires,
            r#","data":"#,
            self.data,
            "}",
        ];
        parts.concat().into_bytes()
    }
}

/// A session that has ended.
#[derive(Serialize, ToSchema)]
struct EndedSession<'a> {
    #[schema(value_type = String, format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: Uuid,
    #[schema(example = "shop")]
    bucket: &'a str,
}

/// Creates a session.
///
/// The body is its data: any JSON value with the `Content-Type` `application/json`, otherwise text
/// in UTF-8. An empty body is stored as an empty string; with that type it is answered 400.
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
        AuthenticationErrors, BadRequest, BodyErrors,
    ))]
pub(super) async fn create(
    State(state): State<Arc<BucketsState>>,
    bucket: BucketName,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Access { sessions, limits } = state.authorize(&caller, &bucket).await?;
    let data = payload::read(&state, limits.max_payload, &headers, body).await?;
    let uuid = Uuid::new_v4();
    let name = SessionRef { bucket, uuid };
    let session = sessions.new_session();
    session.insert(DATA, data)?;
    session.create().id(name.id()).without_token().await?;
    let response = respond(StatusCode::CREATED, &name, &session).await?;
    let location = format!("/session/{}/{uuid}", name.bucket.as_str());
    Ok(([(LOCATION, location)], response).into_response())
}

/// Returns a session, and resets its time to live.
#[utoipa::path(get, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "read_session", params(BucketPath, SessionPath),
    responses(
        (status = 200, description = "The session.", body = BucketSession<'_>, headers(
            ("ETag" = String, description = "The version of the data."))),
        AuthenticationErrors, BadRequest, NoSession,
    ))]
pub(super) async fn read(
    State(state): State<Arc<BucketsState>>,
    name: SessionRef,
    caller: Caller,
) -> Result<Response, ApiError> {
    let session = state.authorize_and_read(&caller, &name).await??;
    respond(StatusCode::OK, &name, &session).await
}

/// Replaces the data of a session, and resets its time to live.
///
/// Never creates a session. With `If-Match`, the data is replaced only if that header contains its
/// current version.
#[utoipa::path(post, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "replace_session", params(BucketPath, SessionPath, Precondition),
    request_body(description = "The new data, as for `PUT`.", content(
        (serde_json::Value = "application/json", example = json!({ "cart": [] })),
        (String = "text/plain", example = "any text"),
    )),
    responses(
        (status = 200, description = "The session.", body = BucketSession<'_>, headers(
            ("ETag" = String, description = "The version of the data."))),
        (status = 409, description = "Too many concurrent writes; the session was not changed. \
            Retry later.", body = ErrorBody<'_>),
        (status = 412, description = "`If-Match` does not contain the current version; the \
            session was not changed.", body = ErrorBody<'_>),
        AuthenticationErrors, BadRequest, BodyErrors, NoSession,
    ))]
pub(super) async fn replace(
    State(state): State<Arc<BucketsState>>,
    name: SessionRef,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    // Errors in the body are reported before a missing session.
    let (access, loaded) = state.authorize_and_load(&caller, &name).await?;
    let data = payload::read(&state, access.limits.max_payload, &headers, body).await?;
    let session = loaded?;
    sessions::replace(&session, &data, &IfMatch::read(&headers)).await?;
    respond(StatusCode::OK, &name, &session).await
}

/// Ends a session.
///
/// `If-Match` with a version is answered 400, because only `POST` can compare versions.
#[utoipa::path(delete, path = "/session/{bucket}/{id}", tag = "buckets",
    operation_id = "end_session", params(BucketPath, SessionPath),
    responses(
        (status = 200, description = "The session has ended.", body = EndedSession<'_>),
        (status = 400, description = "The request is malformed, or `If-Match` contains a version, \
            which only `POST` supports.", body = ErrorBody<'_>),
        AuthenticationErrors, NoSession,
    ))]
pub(super) async fn end(
    State(state): State<Arc<BucketsState>>,
    name: SessionRef,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    state.authorize(&caller, &name.bucket).await?;
    // RFC 9110, section 13.1.1, requires the condition to hold. The library cannot compare and
    // delete in one step, and reading first could delete what another client wrote meanwhile.
    if IfMatch::read(&headers) != IfMatch::Any {
        return Err(ApiError::bad_request(
            "DELETE supports no If-Match with a version; send `*`, or leave the header out",
        ));
    }
    if !state.sessions.destroy(&name.id()).await? {
        return Err(SessionError::Gone.into());
    }
    let ended = EndedSession {
        id: name.uuid,
        bucket: name.bucket.as_str(),
    };
    Ok(private_json(StatusCode::OK, ended))
}

/// Returns a response with the session, whose TTL is reset.
async fn respond(
    status: StatusCode,
    name: &SessionRef,
    session: &Session,
) -> Result<Response, ApiError> {
    let left = session.keep_alive().await?;
    let data = sessions::data(session)?;
    let body = BucketSession {
        id: name.uuid,
        bucket: name.bucket.as_str(),
        expires: unix_time::seconds(SystemTime::now() + left).unwrap_or_default(),
        data: &data,
    };
    let mut response = private_text(status, body.to_json());
    let headers = response.headers_mut();
    headers.insert(ETAG, etag::header(&data));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_json() {
        let id = Uuid::from_u128(7);
        let session = BucketSession {
            id,
            bucket: "A-b_9",
            expires: 12,
            data: r#"{"a":[1.0]}"#,
        };
        let expected =
            format!(r#"{{"id":"{id}","bucket":"A-b_9","expires":12,"data":{{"a":[1.0]}}}}"#);
        assert_eq!(session.to_json(), expected.as_bytes());
    }
}
