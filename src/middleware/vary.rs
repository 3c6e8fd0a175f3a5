//! The `Vary` header of responses that depend on the session.

use http::header::{AUTHORIZATION, COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::source::{TokenSource, TokenSources};

/// The request headers that may hold a token.
///
/// Without them a cache would serve one user's page to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vary {
    names: Box<[HeaderName]>,
    /// All names in one header line.
    line: Option<HeaderValue>,
}

impl Vary {
    pub(super) fn on<P>(sources: &TokenSources<P>) -> Self {
        let mut names = Vec::new();
        for name in sources.iter().filter_map(header_of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self {
            line: line(&names.iter().collect::<Vec<_>>()),
            names: names.into(),
        }
    }

    /// Adds the names that the response does not list yet.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        let line = if headers.contains_key(VARY) {
            let missing = self.names.iter().filter(|name| !lists(headers, name));
            line(&missing.collect::<Vec<_>>())
        } else {
            self.line.clone()
        };
        if let Some(line) = line {
            headers.append(VARY, line);
        }
    }
}

fn header_of(source: &TokenSource) -> Option<HeaderName> {
    match source {
        TokenSource::Header(name) => Some(name.clone()),
        TokenSource::Bearer => Some(AUTHORIZATION),
        TokenSource::Cookie(_) => Some(COOKIE),
        TokenSource::Query(_) => None,
    }
}

fn line(names: &[&HeaderName]) -> Option<HeaderValue> {
    let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    let line = Some(names.join(", ")).filter(|line| !line.is_empty())?;
    Some(HeaderValue::try_from(line).expect("header names are valid in a header value"))
}

/// Returns whether the response varies on `name` already; `*` means all names.
fn lists(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lines = headers.get_all(VARY).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed.eq_ignore_ascii_case(name.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added<P>(sources: &TokenSources<P>, before: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in before {
            headers.append(VARY, HeaderValue::from_static(line));
        }
        Vary::on(sources).add_to(&mut headers);
        let lines = headers.get_all(VARY).iter();
        lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn r20_names_are_added_once() {
        let sources = TokenSources::default();
        let both = "x-access-token, authorization";
        assert_eq!(added(&sources, &[]), [both]);
        assert_eq!(added(&sources, &["Accept"]), ["Accept", both]);
        assert_eq!(
            added(&sources, &["accept, AUTHORIZATION"]),
            ["accept, AUTHORIZATION", "x-access-token"]
        );
        for complete in ["*", "Authorization ,X-Access-Token"] {
            assert_eq!(added(&sources, &[complete]), [complete]);
        }
    }

    #[test]
    fn r20_only_sources_in_headers_count() {
        let sources = TokenSources::new([TokenSource::query("t")]).or_body("t");
        assert!(added(&sources, &[]).is_empty());
        let cookies = [TokenSource::cookie("a"), TokenSource::cookie("b")];
        assert_eq!(added(&TokenSources::new(cookies), &[]), ["cookie"]);
    }
}
