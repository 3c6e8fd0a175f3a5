//! Rejects requests that another site made a browser send.
//!
//! `tower_http::csrf` lets every `GET` pass, but `GET /sessions` refreshes a session and returns its
//! user. It also checks `Origin` for every API, where only the admin page does here.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

/// The header by which browsers report the initiator, over TLS or to a loopback address.
const SITE: &str = "sec-fetch-site";

/// Rejects requests that another site initiated. Clients other than browsers do not send the header,
/// and pass.
///
/// # Errors
///
/// 403.
pub(crate) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all(SITE).iter();
    if sites.all(|site| site == "same-origin" || site == "none") {
        return Ok(());
    }
    Err(other_site())
}

/// As [`refuse_other_sites`]; without `Sec-Fetch-Site`, also rejects requests whose `Origin` is not
/// this host.
///
/// # Errors
///
/// 403.
pub(crate) fn refuse_other_origins(headers: &HeaderMap) -> Result<(), ApiError> {
    refuse_other_sites(headers)?;
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
    ApiError::new(StatusCode::FORBIDDEN, "another site sent this request")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&HeaderMap) -> Result<(), ApiError>;

    fn passes(check: Check, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (http::HeaderName::from_static(name), value)
        });
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        check(&map).is_ok()
    }

    #[test]
    fn a_browser_is_let_through_for_this_site_only_and_others_are() {
        for (headers, is_ours) in [
            (&[][..], true),
            (&[(SITE, "same-origin")], true),
            (&[(SITE, "none")], true),
            (&[(SITE, "cross-site")], false),
            (&[(SITE, "same-site")], false),
            (&[(SITE, "")], false),
            (&[(SITE, "none"), (SITE, "cross-site")], false),
        ] {
            assert_eq!(passes(refuse_other_sites, headers), is_ours, "{headers:?}");
            assert_eq!(
                passes(refuse_other_origins, headers),
                is_ours,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn an_origin_must_be_of_this_host_where_the_site_is_not_told() {
        let host = ("host", "a.example:8385");
        for (origin, is_ours) in [
            ("http://a.example:8385", true),
            ("https://A.example:8385", true),
            ("http://a.example", false),
            ("http://evil.example", false),
            ("http://a.example:8385.evil.example", false),
            ("a.example:8385", false),
            ("null", false),
            ("", false),
        ] {
            let headers = [host, ("origin", origin)];
            assert_eq!(passes(refuse_other_origins, &headers), is_ours, "{origin}");
            assert!(passes(refuse_other_sites, &headers));
        }
        let ours = ("origin", "http://a.example:8385");
        assert!(!passes(refuse_other_origins, &[ours]), "no host");
        let another = ("origin", "http://evil.example");
        assert!(!passes(refuse_other_origins, &[host, ours, another]));
        // A proxy in front may have changed `Host`, and the browser has told.
        let told = [host, another, (SITE, "same-origin")];
        assert!(passes(refuse_other_origins, &told));
    }
}
