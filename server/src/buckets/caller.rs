//! Extractor for the caller of a bucket.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::http::Client;

/// The headers that may carry the key. The documentation of the original names the second.
const HEADERS: [&str; 2] = ["x-session-key", "x-api-key"];

/// The query parameter that may carry the key.
const PARAMETER: &str = "api_key";

/// The client of a request, and the API key or master key that it sent.
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) key: Option<Vec<u8>>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client = Client::from_request_parts(parts, state).await?;
        let key = key(parts).map(Cow::into_owned);
        Ok(Self { client, key })
    }
}

/// Returns the key in `X-SESSION-KEY`, `X-API-KEY` or the query; `None` if one of them occurs twice,
/// or if they differ.
fn key(parts: &Parts) -> Option<Cow<'_, [u8]>> {
    let mut found = Vec::new();
    for name in HEADERS {
        let mut values = parts.headers.get_all(name).iter();
        found.extend(values.next().map(|value| Cow::from(value.as_bytes())));
        if values.next().is_some() {
            return None;
        }
    }
    let mut values = parameters(parts.uri.query().unwrap_or_default());
    found.extend(values.next());
    // A proxy in front may have checked another key than the one that would be used here.
    let equal = found.iter().all(|key| *key == found[0]);
    let key = found.into_iter().next()?;
    (equal && values.next().is_none()).then_some(key)
}

/// Returns the values of `api_key` in a query. A name without `=` is not a key.
fn parameters(query: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let pairs = query.split('&').filter(|pair| pair.contains('='));
    pairs
        .flat_map(|pair| form_urlencoded::parse(pair.as_bytes()))
        .filter(|(name, _)| name == PARAMETER)
        .map(|(_, value)| match value {
            Cow::Borrowed(value) => value.as_bytes().into(),
            Cow::Owned(value) => value.into_bytes().into(),
        })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn key_is_read_from_three_places_that_must_agree() {
        const SESSION: (&str, &str) = ("x-session-key", "k 1");
        const API: (&str, &str) = ("X-API-Key", "k 1");
        for (headers, query, expected) in [
            (&[][..], "", None),
            (&[], "?other=1&api_key", None),
            (&[SESSION], "", Some("k 1")),
            (&[API], "?a=b", Some("k 1")),
            (&[], "?a=b&api_key=k+1", Some("k 1")),
            (&[], "?api%5Fkey=%6B%201&&", Some("k 1")),
            (&[SESSION, API], "?api_key=k%201", Some("k 1")),
            (&[("x-session-key", "")], "", Some("")),
            (&[SESSION, ("x-session-key", "other")], "", None),
            (&[SESSION, SESSION], "", None),
            (&[SESSION, ("x-api-key", "other")], "", None),
            (&[SESSION], "?api_key=other", None),
            (&[SESSION], "?api_key=", None),
            (&[], "?api_key=k+1&api_key=k+1", None),
            (&[SESSION], "?api_key=k+1&api_key=k+1", None),
        ] {
            let mut request = Request::get(format!("/session/b{query}"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let (found, expected) = (key(&parts), expected.map(str::as_bytes));
            assert_eq!(found.as_deref(), expected, "{headers:?} {query}");
        }
    }
}
