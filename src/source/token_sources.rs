//! The list of token sources.

use std::marker::PhantomData;
use std::sync::Arc;

use http::HeaderName;

use super::token_arg::{self, InvalidTokenArg};
use super::token_source::TokenSource;

/// Marker of a [`TokenSources`] list that never reads request bodies.
///
/// A layer with such a list accepts every type of request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InHead {}

/// Marker of a [`TokenSources`] list that may read request bodies.
///
/// A layer with such a list accepts request bodies that implement
/// [`ReplayBody`](crate::middleware::ReplayBody).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anywhere {}

/// List of places where tokens are looked for, in order of precedence.
///
/// The first source with a value wins, and that value is the token, valid or not: after an
/// invalid token no other source is tried. An empty value counts as none. Two values in the *same*
/// source are [`TokenRejection::Ambiguous`](crate::TokenRejection::Ambiguous).
///
/// The body is always searched last, whatever the order of the calls, and only if no other source
/// holds a token. The type parameter says whether it is searched at all: [`InHead`] or
/// [`Anywhere`].
///
/// ```
/// use jwt_redis_session::{TokenSource, TokenSources};
///
/// // Defaults to x-access-token, Authorization: Bearer, query and body parameter accessToken.
/// let sources = TokenSources::default()
///     .without(&TokenSource::query("accessToken"))
///     .with(TokenSource::cookie("session"));
/// # assert_eq!(sources.iter().count(), 3);
///
/// // Only a cookie, and a form field as a fallback.
/// let sources = TokenSources::new([TokenSource::cookie("session")]).or_body("token");
/// # assert_eq!(sources.iter().count(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources<P = Anywhere> {
    pub(super) list: Arc<[TokenSource]>,
    /// The names of body fields; none if the marker is [`InHead`].
    pub(super) fields: Arc<[Arc<str>]>,
    pub(super) strict: bool,
    pub(super) keep_query: bool,
    marker: PhantomData<P>,
}

impl TokenSources<InHead> {
    /// Creates a list of these sources, in this order, without duplicates.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = TokenSource>) -> Self {
        Self {
            list: without_duplicates(sources),
            fields: Arc::default(),
            strict: false,
            keep_query: false,
            marker: PhantomData,
        }
    }

    /// Creates a list of headers only: `x-access-token` and `Authorization: Bearer`.
    ///
    /// Tokens in URLs end up in logs and histories (RFC 9700 section 4.3.2), and an attacker can
    /// make a user open a prepared URL or submit a prepared form.
    #[must_use]
    pub fn headers_only() -> Self {
        let header = TokenSource::Header(HeaderName::from_static("x-access-token"));
        Self::new([header, TokenSource::Bearer])
    }
}

impl TokenSources {
    /// Creates the list that npm `jwt-redis-session` has for its option `requestArg`.
    ///
    /// `fancyAccessToken` gives the header `x-fancy-access-token`, `Authorization: Bearer`, and
    /// `fancyAccessToken` in query and body. Digits and punctuation count as capitals, as they do
    /// there: `token2` gives `x-token-2`.
    ///
    /// # Errors
    ///
    /// If the derived name is not a legal header name.
    pub fn token_arg(arg: &str) -> Result<Self, InvalidTokenArg> {
        let header = TokenSource::Header(token_arg::header_name(arg)?);
        let sources = [header, TokenSource::Bearer, TokenSource::query(arg)];
        Ok(TokenSources::new(sources).or_body(arg))
    }
}

impl<P> TokenSources<P> {
    /// Adds a source after the others; a source that is already in the list keeps its position.
    #[must_use]
    pub fn with(mut self, source: TokenSource) -> Self {
        self.list = without_duplicates(self.list.iter().cloned().chain([source]));
        self
    }

    /// Adds the cookie of a layer before the query, so that a prepared link does not replace the
    /// session of a user who is logged in, and before other cookies, which the layer does not clear.
    #[cfg(feature = "cookie")]
    pub(crate) fn with_cookie(mut self, name: String) -> Self {
        let is_later =
            |source: &TokenSource| matches!(source, TokenSource::Query(_) | TokenSource::Cookie(_));
        let index = self.list.iter().position(is_later);
        let (before, after) = self.list.split_at(index.unwrap_or(self.list.len()));
        let cookie = [TokenSource::cookie(name)];
        self.list = without_duplicates([before, &cookie, after].concat());
        self
    }

    /// Removes a source.
    #[must_use]
    pub fn without(mut self, source: &TokenSource) -> Self {
        let rest = self.list.iter().filter(|other| *other != source);
        self.list = rest.cloned().collect();
        self
    }

    /// Never reads request bodies.
    #[must_use]
    pub fn without_body(self) -> TokenSources<InHead> {
        self.with_fields(Arc::default())
    }

    /// Changes the marker only.
    pub(crate) fn marked<Q>(self) -> TokenSources<Q> {
        let fields = Arc::clone(&self.fields);
        self.with_fields(fields)
    }

    /// Rejects a request that carries tokens in more than one source, as RFC 6750 section 2
    /// requires. Defaults to off: the first one wins.
    ///
    /// The body is not read for this check if another source holds a token.
    #[must_use]
    pub const fn strict_single_source(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Leaves a token in the query of the URI. Defaults to off: every query parameter of the list
    /// is removed from the URI before inner services see it.
    ///
    /// Copies of the URI that were made outside of the layer keep the token: by a trace layer
    /// around this one, or as the `OriginalUri` that an axum router records before it runs its
    /// own layers.
    #[must_use]
    pub const fn keep_query_token(mut self, keep: bool) -> Self {
        self.keep_query = keep;
        self
    }

    /// Returns the sources in their order, without the body.
    pub fn iter(&self) -> impl Iterator<Item = &TokenSource> {
        self.list.iter()
    }

    /// Also looks for a token in the top-level field `name` of a JSON or form body, if no other
    /// source holds one.
    #[must_use]
    pub fn or_body(self, name: impl Into<Arc<str>>) -> TokenSources {
        let name = name.into();
        let others = self.fields.iter().filter(|other| **other != name);
        let fields = others.chain([&name]).cloned().collect();
        self.with_fields(fields)
    }

    /// Replaces the body fields, and the marker with them.
    fn with_fields<Q>(self, fields: Arc<[Arc<str>]>) -> TokenSources<Q> {
        TokenSources {
            list: self.list,
            fields,
            strict: self.strict,
            keep_query: self.keep_query,
            marker: PhantomData,
        }
    }
}

/// For a list that is chosen at run time; bodies are not read.
impl From<TokenSources<InHead>> for TokenSources {
    fn from(sources: TokenSources<InHead>) -> Self {
        sources.with_fields(Arc::default())
    }
}

impl Default for TokenSources {
    /// Returns `x-access-token`, `Authorization: Bearer`, query `accessToken`, body `accessToken`.
    fn default() -> Self {
        Self::token_arg("accessToken").expect("the name of a header")
    }
}

fn without_duplicates(sources: impl IntoIterator<Item = TokenSource>) -> Arc<[TokenSource]> {
    let mut list = Vec::new();
    for source in sources {
        if !list.contains(&source) {
            list.push(source);
        }
    }
    list.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(sources: &TokenSources) -> Vec<&str> {
        sources.fields.iter().map(|field| &**field).collect()
    }

    #[test]
    fn token_arg_names_header_query_and_body() {
        let sources = TokenSources::token_arg("FancyToken").unwrap();
        let header = TokenSource::Header(HeaderName::from_static("x-fancy-token"));
        let query = TokenSource::query("FancyToken");
        assert_eq!(*sources.list, [header, TokenSource::Bearer, query]);
        assert_eq!(fields(&sources), ["FancyToken"]);
        assert!(TokenSources::token_arg("not legal").is_err());
    }

    #[test]
    fn sources_keep_their_order_without_duplicates() {
        let cookie = TokenSource::cookie("sid");
        let sources = TokenSources::new([TokenSource::Bearer]).strict_single_source(true);
        let changed = sources.clone().with(cookie.clone()).with(cookie.clone());
        assert_eq!(*changed.list, [TokenSource::Bearer, cookie.clone()]);
        assert_eq!(changed.without(&cookie), sources);

        let body = sources.clone().or_body("a").or_body("b").or_body("a");
        assert_eq!(fields(&body), ["b", "a"]);
        assert!(body.strict);
        assert_eq!(body.without_body(), sources);
        let none: TokenSources = sources.into();
        assert_eq!(fields(&none), [""; 0]);
    }
}
