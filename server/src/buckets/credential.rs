//! The API key or master key of a request.

use std::borrow::Cow;

use http::request::Parts;

/// The headers that may carry the key. The documentation of the original names the second.
const HEADERS: [&str; 2] = ["x-session-key", "x-api-key"];

/// The query parameter that may carry the key.
const PARAMETER: &str = "api_key";

/// Returns the key in `X-SESSION-KEY`, `X-API-KEY` or the query.
///
/// `None` if there are several, unless the same key is in different places: a proxy in front may
/// have checked another one.
pub(super) fn credential(parts: &Parts) -> Option<Cow<'_, [u8]>> {
    let mut found: Option<Cow<'_, [u8]>> = None;
    for name in HEADERS {
        let mut values = parts.headers.get_all(name).iter();
        found = agree(found, values.next().map(|value| value.as_bytes().into()))?;
        if values.next().is_some() {
            return None;
        }
    }
    let mut values = parameters(parts.uri.query().unwrap_or_default());
    found = agree(found, values.next())?;
    found.filter(|_| values.next().is_none())
}

/// `None` if the two are different keys.
#[expect(clippy::option_option, reason = "no key is fine, two are not")]
fn agree<'a>(
    one: Option<Cow<'a, [u8]>>,
    other: Option<Cow<'a, [u8]>>,
) -> Option<Option<Cow<'a, [u8]>>> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(Some(one)),
        (one, other) => Some(one.or(other)),
    }
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

    fn found(headers: &[(&str, &str)], query: &str) -> Option<String> {
        let mut request = Request::get(format!("/session/b{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        credential(&parts).map(|key| String::from_utf8_lossy(&key).into_owned())
    }

    #[test]
    fn r39_one_key_is_found_wherever_it_stands() {
        let one = Some("k 1".to_owned());
        assert_eq!(found(&[], ""), None);
        assert_eq!(found(&[], "?other=1&api_key"), None);
        assert_eq!(found(&[("X-Session-Key", "k 1")], ""), one);
        assert_eq!(found(&[("x-api-key", "k 1")], "?a=b"), one);
        assert_eq!(found(&[], "?a=b&api_key=k+1"), one);
        assert_eq!(found(&[], "?api%5Fkey=%6B%201&&"), one);
        let all = [("x-session-key", "k 1"), ("x-api-key", "k 1")];
        assert_eq!(found(&all, "?api_key=k%201"), one);
        assert_eq!(found(&[("x-session-key", "")], ""), Some(String::new()));
    }

    #[test]
    fn r39_of_two_keys_none_is_taken() {
        let (key, other) = (("x-session-key", "k"), ("x-session-key", "o"));
        assert_eq!(found(&[key, other], ""), None);
        assert_eq!(found(&[key, key], ""), None);
        assert_eq!(found(&[key, ("x-api-key", "o")], ""), None);
        assert_eq!(found(&[key], "?api_key=o"), None);
        assert_eq!(found(&[key], "?api_key="), None);
        assert_eq!(found(&[], "?api_key=k&api_key=k"), None);
        assert_eq!(found(&[key], "?api_key=k&api_key=k"), None);
    }
}
