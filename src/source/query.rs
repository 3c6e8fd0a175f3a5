//! Removal of tokens from the query of a URI.

use std::mem;

use http::Uri;
use http::uri::PathAndQuery;

use super::form;
use super::token_source::TokenSource;
use super::token_sources::TokenSources;

impl<P> TokenSources<P> {
    /// Removes the query parameters of the list from `uri`, and returns whether it had any.
    pub(crate) fn take_from_query(&self, uri: &mut Uri) -> bool {
        let mut pairs = uri.query().into_iter().flat_map(|query| query.split('&'));
        let had_any = pairs.any(|pair| self.is_token(pair));
        if had_any && !self.keep_query {
            let mut parts = mem::take(uri).into_parts();
            parts.path_and_query = parts
                .path_and_query
                .map(|target| self.without_tokens(&target));
            // Scheme and authority are unchanged, so the parts still fit together. If they ever
            // did not, the result is "/": a URI without the token rather than one with it.
            *uri = Uri::from_parts(parts).unwrap_or_default();
        }
        had_any
    }

    /// Returns whether `pair` of a query is a parameter of the list, whatever its value.
    fn is_token(&self, pair: &str) -> bool {
        self.list.iter().any(|source| match source {
            TokenSource::Query(name) | TokenSource::Ticket(name) => {
                form::is_named(pair.as_bytes(), name)
            }
            _ => false,
        })
    }

    /// Leaves everything but the tokens byte for byte.
    fn without_tokens(&self, target: &PathAndQuery) -> PathAndQuery {
        let pairs = target.query().unwrap_or_default().split('&');
        let others: Vec<&str> = pairs.filter(|pair| !self.is_token(pair)).collect();
        let text = match others[..] {
            [] | [""] => target.path().to_owned(),
            _ => format!("{}?{}", target.path(), others.join("&")),
        };
        PathAndQuery::try_from(text).unwrap_or_else(|_| PathAndQuery::from_static("/"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewritten<P>(sources: &TokenSources<P>, uri: &str) -> (bool, String) {
        let mut uri: Uri = uri.parse().unwrap();
        let had_token = sources.take_from_query(&mut uri);
        (had_token, uri.to_string())
    }

    #[test]
    fn parameter_is_removed_and_the_rest_kept() {
        let sources = TokenSources::default();
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
            let had_token = expected != uri;
            assert_eq!(rewritten(&sources, uri), (had_token, expected.to_owned()));
        }
        let ticket = sources.clone().with(TokenSource::ticket("ticket"));
        let after = (true, "/p?a=1".to_owned());
        assert_eq!(rewritten(&ticket, "/p?ticket=T&a=1"), after);
        let two = sources.clone().with(TokenSource::query("t"));
        let after = (true, "/p?a".to_owned());
        assert_eq!(rewritten(&two, "/p?t=T&accessToken=U&a&t=V"), after);
        let uri = "/p?accessToken=T";
        let kept = rewritten(&sources.keep_query_token(true), uri);
        assert_eq!(kept, (true, uri.to_owned()));
        let none = rewritten(&TokenSources::headers_only(), uri);
        assert_eq!(none, (false, uri.to_owned()));
    }

    proptest! {
        #[test]
        fn removal_never_panics(uri in "[!-~]{1,40}", name in "[ -~]{0,4}") {
            if let Ok(mut uri) = uri.parse() {
                let sources = TokenSources::new([TokenSource::query(name)]);
                sources.take_from_query(&mut uri);
                prop_assert!(!sources.take_from_query(&mut uri));
            }
        }
    }
}
