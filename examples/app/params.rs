//! Parameters of a request: in the query, a form or a JSON object.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use crate::error::AppError;

/// The parameters in the query, and over them those in a form or a JSON object; never the token.
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let mut params = form(request.uri().query().unwrap_or_default().as_bytes());
        let content_type = content_type(request.headers());
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| AppError::new(error.status(), error.body_text()))?;
        params.extend(parse(content_type.as_deref(), &body)?);
        params.remove("accessToken");
        Ok(Self(params))
    }
}

/// The `Content-Type` without its parameters.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, AppError> {
    match content_type {
        _ if body.is_empty() => Ok(Map::new()),
        Some("application/json") => serde_json::from_slice(body)
            .map_err(|_| AppError::bad_request("the body is not a JSON object")),
        Some("application/x-www-form-urlencoded") => Ok(form(body)),
        _ => Err(AppError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is neither application/json nor application/x-www-form-urlencoded",
        )),
    }
}

fn form(text: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}
