//! Checks the head of a request, as far as hyper does not.

use axum::Extension;
use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, Version};

use crate::error::ApiError;

/// The characters of a request line in addition to method and target, and of a header line in
/// addition to name and value.
const LINE: (usize, usize) = (12, 4);

/// Checks what proxies could understand differently (RFC 9112 sections 3.2 and 6.1), and the size.
/// Errors: 400, or 431 above `max` bytes.
pub(crate) fn check_head(head: &Parts, max: usize) -> Result<(), ApiError> {
    if !has_one_host(head.version, &head.uri, &head.headers) {
        return Err(ApiError::bad_request(
            "the `Host` header is missing or repeated; send exactly one",
        ));
    }
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !(codings.next().is_none_or(is_chunked) && codings.next().is_none()) {
        let message = "the transfer coding is not supported; send only `chunked`";
        return Err(ApiError::bad_request(message));
    }
    if size(head) > max {
        let message = format!("the head of the request is too large; send at most {max} bytes");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(ApiError::new(status, message));
    }
    Ok(())
}

/// Returns whether there is one host. HTTP/1.0 does not require any. Over HTTP/2, hyper stores the
/// field `:authority` in the URI.
fn has_one_host(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, other) = (hosts.next(), hosts.next());
    let authority = uri.authority().filter(|_| version == Version::HTTP_2);
    other.is_none()
        && match (host, authority) {
            (Some(host), Some(authority)) => host.as_bytes() == authority.as_str().as_bytes(),
            (None, None) => version == Version::HTTP_10,
            _ => true,
        }
}

/// Returns the size of a head as it is sent over HTTP/1.1.
fn size(head: &Parts) -> usize {
    let target = head
        .uri
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    let headers = head.headers.iter();
    let lines = headers.map(|(name, value)| name.as_str().len() + value.len() + LINE.1);
    head.method.as_str().len() + target + LINE.0 + lines.sum::<usize>()
}

/// Answers a request that [`check_head`] has rejected with the error in its extensions.
pub(crate) async fn reject_head(Extension(error): Extension<ApiError>) -> ApiError {
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: Version = Version::HTTP_11;
    const V2: Version = Version::HTTP_2;

    /// The version, the target, header lines separated by `; `, and the status of the error.
    const ROWS: [(Version, &str, &str, Option<u16>); 19] = [
        (V1, "/", "host: a", None),
        (V1, "/", "host: ", None),
        (V1, "http://b/", "host: a", None),
        (V1, "/", "", Some(400)),
        (V1, "http://b/", "", Some(400)),
        (V1, "/", "host: a; host: a", Some(400)),
        (Version::HTTP_10, "/", "", None),
        (Version::HTTP_10, "/", "host: a; host: b", Some(400)),
        (V2, "http://a/", "", None),
        (V2, "http://a/", "host: a", None),
        (V2, "/", "host: a", None),
        (V2, "/", "", Some(400)),
        (V2, "http://a/", "host: b", Some(400)),
        (V1, "/", "host: a; transfer-encoding: Chunked", None),
        (
            V1,
            "/",
            "host: a; transfer-encoding: gzip, chunked",
            Some(400),
        ),
        (V1, "/", "host: a; transfer-encoding: identity", Some(400)),
        (
            V1,
            "/",
            "host: a; transfer-encoding: gzip; transfer-encoding: chunked",
            Some(400),
        ),
        // 16 bytes of the request line, 9 of the host, 75 of the header.
        (V1, "/", "host: a; x: LONG", None),
        (V1, "/1", "host: a; x: LONG", Some(431)),
    ];

    #[test]
    fn ambiguous_and_large_heads_are_rejected() {
        for (version, target, lines, status) in ROWS {
            let request = http::Request::get(target).version(version).body(());
            let mut head = request.unwrap().into_parts().0;
            let lines = lines.replace("LONG", &"x".repeat(70));
            for (name, value) in lines.split("; ").filter_map(|line| line.split_once(": ")) {
                let name: http::HeaderName = name.parse().unwrap();
                head.headers.append(name, value.parse().unwrap());
            }
            let error = check_head(&head, 16 + 9 + 75).err();
            let found = error.map(|error| error.status().as_u16());
            assert_eq!(found, status, "{target} {lines}");
        }
    }
}
