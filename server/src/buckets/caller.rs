//! Extractor for the caller of a bucket.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::http::Client;

/// The client of a request, and the API key or master key that it sent.
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) key: Option<Vec<u8>>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client = Client::from_request_parts(parts, state).await?;
        let key = key(parts);
        Ok(Self { client, key })
    }
}

/// Returns the key in `X-SESSION-KEY`, `X-API-KEY` or the query; `None` if one of them occurs twice,
/// or if they differ.
fn key(parts: &Parts) -> Option<Vec<u8>> {
    let header = |name| {
        let values = parts.headers.get_all(name).iter();
        values.map(|value| Cow::from(value.as_bytes()))
    };
    let query = parts.uri.query().unwrap_or_default();
    let in_query = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "api_key")
        .map(|(_, value)| Cow::from(value.into_owned().into_bytes()));
    // The documentation of the original names the second header.
    let places: [&mut dyn Iterator<Item = Cow<'_, [u8]>>; 3] = [
        &mut header("x-session-key"),
        &mut header("x-api-key"),
        &mut { in_query },
    ];
    let mut key: Option<Cow<'_, [u8]>> = None;
    for place in places {
        let Some(sent) = place.next() else {
            continue;
        };
        // A proxy in front may have checked another key than the one that would be used here.
        if place.next().is_some() || key.as_ref().is_some_and(|key| *key != sent) {
            return None;
        }
        key = Some(sent);
    }
    key.map(Cow::into_owned)
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
            (&[], "?other=1&api-key=k", None),
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
            (&[SESSION, API], "?api_key=other", None),
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
