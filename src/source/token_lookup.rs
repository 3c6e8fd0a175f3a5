//! The result of a search for a token.

use std::borrow::Cow;

use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Result of a search for a token: its text, `None` if there is none.
pub(crate) type TokenLookup<'a> = Result<Option<Cow<'a, str>>, TokenRejection>;

/// Text of the credential that a request carries, by its kind.
#[derive(Debug)]
pub(crate) enum FoundToken<'a> {
    Token(Cow<'a, str>),
    Ticket(Cow<'a, str>),
}

/// Result of the search of all sources in the head of a request.
pub(crate) type HeadLookup<'a> = Result<Option<FoundToken<'a>>, TokenRejection>;

/// Result of a search that may need the body. The outer error is the reason why the body could not
/// be searched; the request then counts as one without a token.
pub(crate) type BodyLookup<'a> = Result<TokenLookup<'a>, UnsearchedBody>;

/// Returns the first token of `lookups`, which carry the names of their sources.
///
/// With `strict` a second one is ambiguous.
pub(super) fn first_found<T>(
    lookups: impl Iterator<Item = (&'static str, Result<Option<T>, TokenRejection>)>,
    strict: bool,
) -> Result<Option<T>, TokenRejection> {
    // A bad token ends the search too: a fallback would let an attacker who can add a source
    // choose the session.
    let mut found = lookups.filter_map(|(source, found)| {
        let found = found.transpose()?;
        tracing::trace!(source, "token found");
        Some(found)
    });
    let first = found.next();
    if strict && found.next().is_some() {
        return Err(TokenRejection::Ambiguous);
    }
    first.transpose()
}

/// Returns the only one of `values` that is not empty.
///
/// More than one value is ambiguous, unless all are empty.
pub(super) fn at_most_one<T>(
    values: impl IntoIterator<Item = T>,
    is_empty: impl Fn(&T) -> bool,
) -> Result<Option<T>, TokenRejection> {
    let mut first = None;
    let (mut count, mut all_empty) = (0_usize, true);
    for value in values {
        count += 1;
        all_empty &= is_empty(&value);
        first.get_or_insert(value);
    }
    match (all_empty, count) {
        (true, _) => Ok(None),
        (false, 1) => Ok(first),
        (false, _) => Err(TokenRejection::Ambiguous),
    }
}

/// Returns `text` if it may be a token: visible ASCII of at most [`Token::MAX_LEN`] bytes.
///
/// A JWT and every encoding of an opaque token consist of visible ASCII. Other text, for example
/// two words, is [`TokenRejection::Malformed`].
pub(super) fn token_text(text: &[u8]) -> Result<&str, TokenRejection> {
    if text.len() > Token::MAX_LEN {
        return Err(TokenRejection::TooLong);
    }
    // Without an early end, so that the compiler can look at many bytes at once.
    let is_visible = text
        .iter()
        .fold(true, |all, byte| all & byte.is_ascii_graphic());
    if !is_visible {
        return Err(TokenRejection::Malformed);
    }
    str::from_utf8(text).map_err(|_| TokenRejection::Malformed)
}
