//! Bodies with the content coding gzip.

use std::io::{self, ErrorKind, Read as _};

use flate2::bufread::GzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

/// The largest number of members of a body. An empty one takes 20 bytes and the setup of a decoder,
/// so a body of 1 MiB occupied a thread 65 times as long as 1 MiB of data.
const MAX_MEMBERS: usize = 64;

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
/// Errors: the body is not gzip, ends too early, or has too many members.
pub(super) fn decompress(mut body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    for _ in 0..MAX_MEMBERS {
        let left = limit.saturating_add(1).saturating_sub(decompressed.len());
        let mut member = GzDecoder::new(body).take(left as u64);
        member.read_to_end(&mut decompressed)?;
        body = member.into_inner().into_inner();
        if body.is_empty() || decompressed.len() > limit {
            return Ok(decompressed);
        }
    }
    Err(ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

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

    #[test]
    fn members_are_joined_up_to_a_number() {
        let member = |text: &str| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).expect("it is in memory");
            encoder.finish().expect("it is in memory")
        };
        let many = |count| member("").repeat(count);
        let two = [member("ab"), member("cd")].concat();
        assert_eq!(decompress(&two, 4).expect("gzip"), b"abcd");
        assert_eq!(decompress(&two, 2).expect("gzip"), b"abc");
        assert_eq!(decompress(&many(MAX_MEMBERS), 4).expect("gzip"), b"");
        let wrong = [many(MAX_MEMBERS + 1), [two, vec![0]].concat(), Vec::new()];
        assert!(wrong.iter().all(|body| decompress(body, 4).is_err()));
    }
}
