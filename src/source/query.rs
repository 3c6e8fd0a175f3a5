//! Removal of tokens from the query of a URI.

use std::mem;

use http::Uri;
use http::uri::PathAndQuery;

use super::form;

/// Returns whether the query has a parameter `name`, whatever its value.
pub(super) fn contains(uri: &Uri, name: &str) -> bool {
    let mut pairs = uri.query().into_iter().flat_map(|query| query.split('&'));
    pairs.any(|pair| form::is_named(pair.as_bytes(), name))
}

/// Removes every parameter `name` from the query and leaves everything else byte for byte.
pub(super) fn remove(uri: &mut Uri, name: &str) {
    if contains(uri, name) {
        let mut parts = mem::take(uri).into_parts();
        parts.path_and_query = parts.path_and_query.map(|target| without(&target, name));
        // Scheme and authority are unchanged, so the parts still fit together. If they ever did
        // not, the result is "/": a URI without the token rather than one with it.
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

fn without(target: &PathAndQuery, name: &str) -> PathAndQuery {
    let pairs = target.query().unwrap_or_default().split('&');
    let others: Vec<&str> = pairs
        .filter(|pair| !form::is_named(pair.as_bytes(), name))
        .collect();
    let text = match others[..] {
        [] | [""] => target.path().to_owned(),
        _ => format!("{}?{}", target.path(), others.join("&")),
    };
    PathAndQuery::try_from(text).unwrap_or_else(|_| PathAndQuery::from_static("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewritten(uri: &str) -> String {
        let mut uri: Uri = uri.parse().unwrap();
        remove(&mut uri, "accessToken");
        uri.to_string()
    }

    #[test]
    fn parameter_is_removed_and_the_rest_kept() {
        for (uri, expected) in [
            ("/p?a=1&accessToken=T&b=2", "/p?a=1&b=2"),
            ("/p?accessToken=T", "/p"),
            ("/p?accessToken=T&a=1", "/p?a=1"),
            ("/p?a=1&accessToken=T", "/p?a=1"),
            ("/p?accessToken=T&a=1&accessToken=U", "/p?a=1"),
            ("/p?access%54oken=T&a=1", "/p?a=1"),
            ("/p?accessToken", "/p"),
            ("/p?accessToken=", "/p"),
            ("/p?accessToken=T&", "/p"),
            ("/p?&accessToken=T", "/p"),
            ("/p?a&&accessToken=T&&b=%20+", "/p?a&&&b=%20+"),
            ("/p?a=accessToken=T", "/p?a=accessToken=T"),
            ("/p?accesstoken&xaccessToken", "/p?accesstoken&xaccessToken"),
            ("/p?", "/p?"),
            ("/%61?accessToken=T", "/%61"),
            ("/p?q={a:1}|^é&accessToken=T", "/p?q={a:1}|^é"),
            ("http://h/p?accessToken=T&a=1", "http://h/p?a=1"),
            ("http://u@h:81/?accessToken=T", "http://u@h:81/"),
            ("http://h?accessToken=T", "http://h/"),
            ("http://h?a=1&accessToken=T", "http://h/?a=1"),
            ("*", "*"),
            ("h:443", "h:443"),
        ] {
            assert_eq!(rewritten(uri), expected, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn removal_never_panics(uri in "[!-~]{1,40}", name in "[ -~]{0,4}") {
            if let Ok(mut uri) = uri.parse::<Uri>() {
                remove(&mut uri, &name);
                prop_assert!(!contains(&uri, &name));
            }
        }
    }
}
