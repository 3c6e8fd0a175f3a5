//! Reads request bodies within limits of size and time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;

use crate::error::ApiError;
use crate::http::gathered::Gathered;
use crate::http::gzip;

/// Reads a whole body and decompresses it.
///
/// Errors: 415 for an unsupported `Content-Encoding`; 413 above `limit` bytes, as received or
/// decompressed; 408 after `timeout`; 400 if the connection breaks, for invalid gzip, and for an
/// empty body that is declared to be JSON.
pub(crate) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ApiError> {
    let is_gzip = gzip::is_gzip(headers)?;
    // Hyper sends `100 Continue` on the first read, so a declared length that is too large is
    // rejected before the client sends the body.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut body = match tokio::time::timeout(timeout, gather(body, limit)).await {
        Ok(gathered) => gathered?,
        Err(_) => return Err(timed_out(timeout)),
    };
    if is_gzip {
        let decompressed = gzip::decompress(&body, limit).map_err(|_| {
            ApiError::bad_request(
                "the body is not gzip; compress it as Content-Encoding says, or leave that header \
                 out",
            )
        })?;
        body = decompressed.into();
    }
    match body.len() {
        len if len > limit => Err(too_large(limit)),
        // A client that failed to write its JSON would otherwise erase the data of its session.
        0 if is_json(headers) => Err(ApiError::bad_request(
            "the body is empty; send JSON, or leave the header Content-Type out",
        )),
        _ => Ok(body),
    }
}

/// Returns whether the header `Content-Type` is `application/json`, with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    essence.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

/// Gathers the data of a body up to its trailers.
/// Errors: 413 above `limit` bytes; 400 if the connection breaks.
async fn gather(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut gathered = Gathered::default();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| ApiError::bad_request("the body ended too early; send it again"))?;
        let Ok(chunk) = frame.into_data() else {
            break;
        };
        if chunk.len() > limit - gathered.len() {
            return Err(too_large(limit));
        }
        gathered.push(chunk);
    }
    Ok(gathered.into_bytes())
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is too large; send at most {limit} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

fn timed_out(timeout: Duration) -> ApiError {
    let message = format!("the body was not received in time; send it within {timeout:?}");
    ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(body: Body) -> Result<usize, u16> {
        let headers = HeaderMap::new();
        let read = read_body(&headers, body, 3, Duration::from_millis(20)).await;
        read.map(|body| body.len())
            .map_err(|error| error.status().as_u16())
    }

    #[tokio::test]
    async fn body_has_limits_of_size_and_time() {
        assert_eq!(status(Body::empty()).await, Ok(0));
        assert_eq!(status(Body::from("abc")).await, Ok(3));
        assert_eq!(status(Body::from("abcd")).await, Err(413));
        let chunks = |chunks: [&'static str; 3]| {
            let chunks = chunks.map(Ok::<_, std::io::Error>);
            Body::from_stream(futures_util::stream::iter(chunks))
        };
        assert_eq!(status(chunks(["a", "", "bc"])).await, Ok(3));
        assert_eq!(status(chunks(["ab", "", "cd"])).await, Err(413));
        let stalled = futures_util::stream::pending::<Result<&str, std::io::Error>>();
        assert_eq!(status(Body::from_stream(stalled)).await, Err(408));
    }
}
