//! Reads request bodies within limits of size and time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::error::ApiError;

/// Reads a whole body.
/// Errors: 413 above `limit` bytes, 408 after `timeout`, 400 if the connection breaks.
pub(crate) async fn read_body(
    body: Body,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ApiError> {
    // Hyper sends `100 Continue` on the first read, so a declared length that is too large is
    // rejected before the client sends the body.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(ApiError::bad_request("the body could not be read")),
        Err(_) => {
            let message = "the body was not received in time";
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, message))
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(body: Body) -> Result<usize, u16> {
        let read = read_body(body, 3, Duration::from_millis(20)).await;
        read.map(|body| body.len())
            .map_err(|error| error.status().as_u16())
    }

    #[tokio::test]
    async fn body_has_limits_of_size_and_time() {
        assert_eq!(status(Body::empty()).await, Ok(0));
        assert_eq!(status(Body::from("abc")).await, Ok(3));
        assert_eq!(status(Body::from("abcd")).await, Err(413));
        let chunks = ["ab", "cd"].map(Ok::<_, std::io::Error>);
        let undeclared = Body::from_stream(futures_util::stream::iter(chunks));
        assert_eq!(status(undeclared).await, Err(413));
        let stalled = futures_util::stream::pending::<Result<&str, std::io::Error>>();
        assert_eq!(status(Body::from_stream(stalled)).await, Err(408));
    }
}
