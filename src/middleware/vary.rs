//! The `Vary` header of responses that depend on the session.

use http::header::{AUTHORIZATION, COOKIE, Entry, SEC_WEBSOCKET_PROTOCOL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::source::{TokenSource, TokenSources};

/// The request headers that may hold a token.
///
/// Without them a cache would serve one user's page to another.
#[derive(Clone, Debug)]
pub(super) struct Vary {
    names: Box<[HeaderName]>,
    /// All names in one header line.
    line: Option<HeaderValue>,
}

impl Vary {
    pub(super) fn on<P>(sources: &TokenSources<P>) -> Self {
        let mut names = Vec::new();
        for source in sources.iter() {
            let name = match source {
                TokenSource::Header(name) => name.clone(),
                TokenSource::Bearer | TokenSource::Authorization(_) => AUTHORIZATION,
                TokenSource::Cookie(_) => COOKIE,
                TokenSource::WebSocketProtocol => SEC_WEBSOCKET_PROTOCOL,
                TokenSource::Query(_) | TokenSource::Ticket(_) => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self {
            line: line(names.iter()),
            names: names.into(),
        }
    }

    /// Adds the names that the response does not list yet.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        let Some(all) = &self.line else {
            return;
        };
        let listed = match headers.entry(VARY) {
            Entry::Vacant(vacant) => {
                vacant.insert(all.clone());
                return;
            }
            Entry::Occupied(listed) => listed,
        };
        let missing = self.names.iter().filter(|name| !lists(listed.iter(), name));
        if let Some(line) = line(missing) {
            headers.append(VARY, line);
        }
    }
}

fn line<'a>(names: impl Iterator<Item = &'a HeaderName>) -> Option<HeaderValue> {
    let names: Vec<_> = names.map(HeaderName::as_str).collect();
    let line = Some(names.join(", ")).filter(|line| !line.is_empty())?;
    Some(HeaderValue::try_from(line).expect("header names are valid in a header value"))
}

/// Returns whether the response varies on `name` already; `*` means all names.
fn lists<'a>(lines: impl Iterator<Item = &'a HeaderValue>, name: &HeaderName) -> bool {
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed.eq_ignore_ascii_case(name.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_headers_are_added_once() {
        let query = TokenSources::new([TokenSource::query("t")]);
        let cookies = TokenSources::new(["a", "b"].map(TokenSource::cookie));
        let both = "x-access-token, authorization";
        let all = TokenSources::headers_only();
        for (sources, before, after) in [
            (&all, "", both),
            (&all, "Accept", "Accept|x-access-token, authorization"),
            (&all, "a, AUTHORIZATION", "a, AUTHORIZATION|x-access-token"),
            (&all, "*", "*"),
            (
                &all,
                "Authorization ,X-Access-Token",
                "Authorization ,X-Access-Token",
            ),
            (&query, "", ""),
            (&cookies, "", "cookie"),
        ] {
            let mut headers = HeaderMap::new();
            if !before.is_empty() {
                headers.append(VARY, HeaderValue::from_static(before));
            }
            Vary::on(sources).add_to(&mut headers);
            let lines = headers.get_all(VARY).iter();
            let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
            assert_eq!(lines.join("|"), after);
        }
    }
}
