//! Rejects requests that another site made a browser send.
//!
//! `tower_http::csrf` accepts every `GET`, but `GET /sessions` refreshes a session and returns its
//! user.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

/// The header in which browsers report the initiator, over TLS or to a loopback address.
const SITE: &str = "sec-fetch-site";

/// Rejects requests that another site initiated, by `Sec-Fetch-Site`, or else by an `Origin` that is
/// not this host. Clients other than browsers send neither header, and pass.
/// Errors: 403.
pub(crate) fn reject_other_origins(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all(SITE).iter();
    let mut origins = headers.get_all(ORIGIN).iter();
    let host = headers.get(HOST);
    // A proxy in front may have changed `Host`, so `Sec-Fetch-Site` takes precedence.
    let is_own = if headers.contains_key(SITE) {
        sites.all(|site| site == "same-origin" || site == "none")
    } else {
        origins.all(|origin| is_of(host, origin))
    };
    let message = "the request was sent by another site; send it from a page of this host, or from \
                   a server. A proxy in front must pass the header Host on";
    let error = ApiError::new(StatusCode::FORBIDDEN, message);
    if is_own { Ok(()) } else { Err(error) }
}

/// Does not compare the scheme: a proxy in front may terminate TLS.
fn is_of(host: Option<&HeaderValue>, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok();
    let origin = origin.and_then(|origin| origin.split_once("://"));
    host.zip(origin)
        .is_some_and(|(host, (_, origin))| host.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row is header lines, and whether the check passes.
    #[test]
    fn other_sites_and_origins_are_rejected() {
        const HOST: &str = "host: a.example:8385";
        const OURS: &str = "origin: http://a.example:8385";
        const OTHER: &str = "origin: http://evil.example";
        const SAME: &str = "sec-fetch-site: same-origin";
        for (lines, expected) in [
            (&[][..], true),
            (&[SAME], true),
            (&["sec-fetch-site: none"], true),
            (&["sec-fetch-site: cross-site"], false),
            (&["sec-fetch-site: same-site"], false),
            (&["sec-fetch-site: "], false),
            (&[SAME, "sec-fetch-site: cross-site"], false),
            (&[HOST, OURS], true),
            (&[HOST, "origin: https://A.example:8385"], true),
            (&[HOST, "origin: http://a.example"], false),
            (&[HOST, "origin: http://a.example:8385.evil"], false),
            (&[HOST, "origin: a.example:8385"], false),
            (&[HOST, "origin: null"], false),
            (&[HOST, "origin: "], false),
            (&[HOST, OTHER], false),
            (&[HOST, OURS, OTHER], false),
            (&[OURS], false),
            (&[HOST, OTHER, SAME], true),
        ] {
            let headers = lines.iter().filter_map(|line| line.split_once(": "));
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), value));
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
            let headers = HeaderMap::from_iter(headers);
            let is_own = reject_other_origins(&headers).is_ok();
            assert_eq!(is_own, expected, "{lines:?}");
        }
    }
}
