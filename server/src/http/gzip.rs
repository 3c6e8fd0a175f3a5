//! Bodies with the content coding gzip.

use std::io::{self, Read as _};

use flate2::read::MultiGzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

/// Returns whether a body is compressed with gzip.
/// Errors: 415 for any other content coding.
pub(super) fn is_gzip(headers: &HeaderMap) -> Result<bool, ApiError> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let codings = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let codings = codings.map(<[u8]>::trim_ascii);
    let mut codings = codings.filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case(b"identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        // RFC 9110, section 8.4.1.3.
        (Some(coding), None)
            if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") =>
        {
            Ok(true)
        }
        _ => {
            let message = "the Content-Encoding is not supported; send the body as it is, or once \
                           compressed with gzip";
            let error = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
            Err(error.with_header(ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
        }
    }
}

/// Decompresses `body`, but not more than `limit` bytes and one: a few bytes can hold gigabytes.
/// Errors: the body is not gzip, or ends too early.
pub(super) fn decompress(body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    let decoder = MultiGzDecoder::new(body);
    let limit = (limit as u64).saturating_add(1);
    decoder.take(limit).read_to_end(&mut decompressed)?;
    Ok(decompressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gzip_is_supported() {
        for (lines, expected) in [
            (&[][..], Some(false)),
            (&[""], Some(false)),
            (&["Identity"], Some(false)),
            (&["gzip"], Some(true)),
            (&["X-GZip"], Some(true)),
            (&["identity, gzip ,"], Some(true)),
            (&["identity", "gzip"], Some(true)),
            (&["gzip, gzip"], None),
            (&["gzip", "gzip"], None),
            (&["gzip;q=1"], None),
            (&["br"], None),
            (&["base64"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(is_gzip(&headers).ok(), expected, "{lines:?}");
        }
    }
}
