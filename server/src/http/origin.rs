//! Rejects requests that another site made a browser send.
//!
//! `tower_http::csrf` accepts every `GET`, but `GET /sessions` refreshes a session and returns its
//! user. It also checks `Origin` for every API, which only the admin page does here.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

/// The header in which browsers report the initiator, over TLS or to a loopback address.
const SITE: &str = "sec-fetch-site";

/// Rejects requests that another site initiated. Clients other than browsers do not send the header,
/// and pass.
/// Errors: 403.
pub(crate) fn reject_other_sites(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all(SITE).iter();
    if sites.all(|site| site == "same-origin" || site == "none") {
        return Ok(());
    }
    Err(other_site())
}

/// As [`reject_other_sites`]; without `Sec-Fetch-Site`, also rejects requests whose `Origin` is not
/// this host.
/// Errors: 403.
pub(crate) fn reject_other_origins(headers: &HeaderMap) -> Result<(), ApiError> {
    reject_other_sites(headers)?;
    let mut origins = headers.get_all(ORIGIN).iter();
    let host = headers.get(HOST);
    if headers.contains_key(SITE) || origins.all(|origin| is_of(host, origin)) {
        return Ok(());
    }
    Err(other_site())
}

/// Does not compare the scheme: a proxy in front may terminate TLS.
fn is_of(host: Option<&HeaderValue>, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok();
    let origin = origin.and_then(|origin| origin.split_once("://"));
    match (host, origin) {
        (Some(host), Some((_, origin))) => host.as_bytes().eq_ignore_ascii_case(origin.as_bytes()),
        _ => false,
    }
}

fn other_site() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "the request was sent by another site",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a request with these headers passes both checks.
    fn passes(headers: &[(&'static str, &'static str)]) -> [bool; 2] {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        [reject_other_sites(&map), reject_other_origins(&map)].map(|result| result.is_ok())
    }

    #[test]
    fn other_sites_are_rejected() {
        for (sites, expected) in [
            (&[][..], true),
            (&["same-origin"], true),
            (&["none"], true),
            (&["cross-site"], false),
            (&["same-site"], false),
            (&[""], false),
            (&["none", "cross-site"], false),
        ] {
            let headers: Vec<_> = sites.iter().map(|site| (SITE, *site)).collect();
            assert_eq!(passes(&headers), [expected; 2], "{sites:?}");
        }
    }

    #[test]
    fn other_origins_are_rejected_if_the_site_is_unknown() {
        const HOST: (&str, &str) = ("host", "a.example:8385");
        for origin in ["http://a.example:8385", "https://A.example:8385"] {
            assert_eq!(passes(&[HOST, ("origin", origin)]), [true; 2], "{origin}");
        }
        for origin in [
            "http://a.example",
            "http://evil.example",
            "http://a.example:8385.evil.example",
            "a.example:8385",
            "null",
            "",
        ] {
            let passed = passes(&[HOST, ("origin", origin)]);
            assert_eq!(passed, [true, false], "{origin}");
        }
        let ours = ("origin", "http://a.example:8385");
        let other = ("origin", "http://evil.example");
        assert_eq!(passes(&[ours]), [true, false], "no host");
        assert_eq!(passes(&[HOST, ours, other]), [true, false]);
        // A proxy in front may have changed `Host`, so `Sec-Fetch-Site` takes precedence.
        assert_eq!(passes(&[HOST, other, (SITE, "same-origin")]), [true; 2]);
    }
}
