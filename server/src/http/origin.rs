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
    accept_if(sites.all(|site| site == "same-origin" || site == "none"))
}

/// As [`reject_other_sites`]; without `Sec-Fetch-Site`, also rejects requests whose `Origin` is not
/// this host.
/// Errors: 403.
pub(crate) fn reject_other_origins(headers: &HeaderMap) -> Result<(), ApiError> {
    reject_other_sites(headers)?;
    let mut origins = headers.get_all(ORIGIN).iter();
    let host = headers.get(HOST);
    accept_if(headers.contains_key(SITE) || origins.all(|origin| is_of(host, origin)))
}

/// Does not compare the scheme: a proxy in front may terminate TLS.
fn is_of(host: Option<&HeaderValue>, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok();
    let origin = origin.and_then(|origin| origin.split_once("://"));
    host.zip(origin)
        .is_some_and(|(host, (_, origin))| host.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

fn accept_if(is_own: bool) -> Result<(), ApiError> {
    let message = "the request was sent by another site";
    let error = ApiError::new(StatusCode::FORBIDDEN, message);
    if is_own { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row is header lines, and which of both checks pass.
    #[test]
    fn other_sites_and_origins_are_rejected() {
        const HOST: &str = "host: a.example:8385";
        const OURS: &str = "origin: http://a.example:8385";
        const OTHER: &str = "origin: http://evil.example";
        const SAME: &str = "sec-fetch-site: same-origin";
        for (lines, expected) in [
            (&[][..], [true; 2]),
            (&[SAME], [true; 2]),
            (&["sec-fetch-site: none"], [true; 2]),
            (&["sec-fetch-site: cross-site"], [false; 2]),
            (&["sec-fetch-site: same-site"], [false; 2]),
            (&["sec-fetch-site: "], [false; 2]),
            (&[SAME, "sec-fetch-site: cross-site"], [false; 2]),
            (&[HOST, OURS], [true; 2]),
            (&[HOST, "origin: https://A.example:8385"], [true; 2]),
            (&[HOST, "origin: http://a.example"], [true, false]),
            (&[HOST, "origin: http://a.example:8385.evil"], [true, false]),
            (&[HOST, "origin: a.example:8385"], [true, false]),
            (&[HOST, "origin: null"], [true, false]),
            (&[HOST, "origin: "], [true, false]),
            (&[HOST, OTHER], [true, false]),
            (&[HOST, OURS, OTHER], [true, false]),
            (&[OURS], [true, false]),
            // A proxy in front may have changed `Host`, so `Sec-Fetch-Site` takes precedence.
            (&[HOST, OTHER, SAME], [true; 2]),
        ] {
            let headers = lines.iter().filter_map(|line| line.split_once(": "));
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), value));
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
            let headers = HeaderMap::from_iter(headers);
            let results = [reject_other_sites(&headers), reject_other_origins(&headers)];
            assert_eq!(results.map(|result| result.is_ok()), expected, "{lines:?}");
        }
    }
}
