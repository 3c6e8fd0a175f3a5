//! A session as the client sees it.

use std::time::SystemTime;

use axum::response::Response;
use http::StatusCode;
use http::header::ETAG;
use jwt_redis_session::Session;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::buckets::etag::ETag;
use crate::buckets::session_ref::SessionRef;
use crate::buckets::sessions;
use crate::error::ApiError;
use crate::json_response::json_response;
use crate::unix_time;

/// The size in bytes of an object without its data, at most.
const FRAME: usize = 192;

/// A session as the client sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct BucketSession<'a> {
    #[serde(serialize_with = "hyphenated")]
    #[schema(value_type = String, format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: Uuid,
    #[schema(example = "shop")]
    bucket: &'a str,
    /// When the session ends unless it is used before, in Unix seconds.
    #[schema(example = 1_767_225_600)]
    expires: u64,
    /// What was stored, to the letter.
    #[schema(value_type = serde_json::Value, example = json!({ "cart": [17, 42] }))]
    data: &'a RawValue,
}

/// Answers with a session that is in use now.
///
/// # Errors
///
/// As [`Session::keep_alive`].
pub(super) async fn answer(
    status: StatusCode,
    name: &SessionRef,
    session: &Session,
) -> Result<Response, ApiError> {
    let left = session.keep_alive().await?;
    let data = sessions::data(session)?;
    let object = BucketSession {
        id: name.uuid,
        bucket: name.bucket.as_str(),
        expires: unix_time::seconds(SystemTime::now() + left).unwrap_or_default(),
        data: &data,
    };
    let mut response = json(status, &object, FRAME + data.get().len())?;
    response
        .headers_mut()
        .insert(ETAG, ETag::of(&data).into_header());
    Ok(response)
}

/// Answers with JSON that no cache may keep.
pub(super) fn json(
    status: StatusCode,
    object: &impl Serialize,
    size: usize,
) -> Result<Response, ApiError> {
    let mut text = Vec::with_capacity(size);
    serde_json::to_writer(&mut text, object).map_err(|error| ApiError::internal(&error))?;
    Ok(json_response(status, text))
}

/// Writes an id as it is written in URLs.
pub(super) fn hyphenated<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    let mut buffer = Uuid::encode_buffer();
    serializer.serialize_str(id.hyphenated().encode_lower(&mut buffer))
}
