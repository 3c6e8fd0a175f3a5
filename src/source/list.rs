//! The list of sources.

use std::sync::Arc;

use http::HeaderName;

use super::arg::{self, InvalidTokenArg};
use super::place::TokenSource;

const TOKEN_ARG: &str = "accessToken";

/// Where tokens are looked for, and in which order.
///
/// The first source that holds anything wins, and what it holds is the token, good or bad: after
/// a bad one no other is tried. An empty value counts as none. Two values in the *same* source
/// are [`TokenRejection::Ambiguous`](crate::TokenRejection::Ambiguous).
///
/// ```
/// use jwt_redis_session::{TokenSource, TokenSources};
///
/// // Defaults to x-access-token, Authorization: Bearer, query and body parameter accessToken.
/// let sources = TokenSources::default()
///     .without(&TokenSource::query("accessToken"))
///     .with(TokenSource::cookie("session"));
/// # assert_eq!(sources.iter().count(), 4);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources {
    pub(super) list: Arc<[TokenSource]>,
    pub(super) strict: bool,
    pub(super) keep_query: bool,
}

impl TokenSources {
    /// These sources, in this order; one that comes again is passed over.
    ///
    /// The body is the last to be looked at if possible: it is only read if no source before it
    /// holds a token. A source after it in the list is asked when the body holds none, but not
    /// when the body cannot be read or is not what its `Content-Type` says.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = TokenSource>) -> Self {
        let mut list = Vec::new();
        for source in sources {
            if !list.contains(&source) {
                list.push(source);
            }
        }
        Self {
            list: list.into(),
            strict: false,
            keep_query: false,
        }
    }

    /// The sources that npm `jwt-redis-session` has for its option `requestArg`.
    ///
    /// `fancyAccessToken` gives the header `x-fancy-access-token`, `Authorization: Bearer`, and
    /// `fancyAccessToken` in query and body. Digits and punctuation count as capitals, as they do
    /// there: `token2` gives `x-token-2`.
    ///
    /// # Errors
    ///
    /// If the derived name is not a legal header name.
    pub fn token_arg(arg: &str) -> Result<Self, InvalidTokenArg> {
        Ok(Self::new([
            TokenSource::Header(arg::header_name(arg)?),
            TokenSource::Bearer,
            TokenSource::query(arg),
            TokenSource::body(arg),
        ]))
    }

    /// Headers only: `x-access-token` and `Authorization: Bearer`.
    ///
    /// Tokens in addresses end up in logs and histories (RFC 9700 section 4.3.2), and both
    /// addresses and forms can be planted by somebody else.
    #[must_use]
    pub fn hardened() -> Self {
        Self::new([default_header(), TokenSource::Bearer])
    }

    /// Adds a source after the others; one that is there already keeps its place.
    #[must_use]
    pub fn with(self, source: TokenSource) -> Self {
        let list = Self::new(self.list.iter().cloned().chain([source]));
        self.replaced(list)
    }

    /// Takes a source away.
    #[must_use]
    pub fn without(self, source: &TokenSource) -> Self {
        let rest = self.list.iter().filter(|other| *other != source);
        let list = Self::new(rest.cloned());
        self.replaced(list)
    }

    /// Refuses a request that carries tokens in more than one source, as RFC 6750 section 2
    /// asks. Defaults to off: the first wins.
    ///
    /// A body that need not be read, because a token was found before it, is not read for this.
    #[must_use]
    pub const fn strict_single_source(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Leaves a token that stands in the query where it is. Defaults to off: every query
    /// parameter of the list is taken out of the address before inner services see it.
    ///
    /// Copies of the address made further out keep it: a trace layer around this one, or the
    /// `OriginalUri` that an axum router notes down before it runs its own layers.
    #[must_use]
    pub const fn keep_query_token(mut self, keep: bool) -> Self {
        self.keep_query = keep;
        self
    }

    /// The sources in their order.
    pub fn iter(&self) -> impl Iterator<Item = &TokenSource> {
        self.list.iter()
    }

    /// The other list under this one's options.
    fn replaced(self, other: Self) -> Self {
        Self {
            list: other.list,
            ..self
        }
    }
}

impl Default for TokenSources {
    /// `x-access-token`, `Authorization: Bearer`, query `accessToken`, body `accessToken`.
    fn default() -> Self {
        Self::new([
            default_header(),
            TokenSource::Bearer,
            TokenSource::query(TOKEN_ARG),
            TokenSource::body(TOKEN_ARG),
        ])
    }
}

impl FromIterator<TokenSource> for TokenSources {
    fn from_iter<I: IntoIterator<Item = TokenSource>>(sources: I) -> Self {
        Self::new(sources)
    }
}

const fn default_header() -> TokenSource {
    TokenSource::Header(HeaderName::from_static("x-access-token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_default_order() {
        let kinds: Vec<_> = TokenSources::default()
            .iter()
            .map(TokenSource::as_str)
            .collect();
        assert_eq!(kinds, ["header", "bearer", "query", "body"]);
        assert_eq!(
            TokenSources::token_arg(TOKEN_ARG),
            Ok(TokenSources::default())
        );
    }

    #[test]
    fn r14_hardened_is_headers_only() {
        let kinds: Vec<_> = TokenSources::hardened()
            .iter()
            .map(TokenSource::as_str)
            .collect();
        assert_eq!(kinds, ["header", "bearer"]);
    }

    #[test]
    fn r17_token_arg_names_header_query_and_body() {
        let sources = TokenSources::token_arg("FancyToken").unwrap();
        let header = HeaderName::from_static("x-fancy-token");
        assert_eq!(
            &*sources.list,
            [
                TokenSource::Header(header),
                TokenSource::Bearer,
                TokenSource::query("FancyToken"),
                TokenSource::body("FancyToken"),
            ]
        );
        assert!(TokenSources::token_arg("not legal").is_err());
    }

    #[test]
    fn r14_lists_are_changed_in_place() {
        let cookie = TokenSource::cookie("sid");
        let sources = TokenSources::hardened().strict_single_source(true);
        let changed = sources.clone().with(cookie.clone()).with(cookie.clone());
        assert_eq!(changed.iter().count(), 3);
        assert_eq!(changed.without(&cookie), sources);
    }
}
