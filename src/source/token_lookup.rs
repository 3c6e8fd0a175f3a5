//! The result of a search for a token.

use std::borrow::Cow;

use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// Result of a search for a token: its text, `None` if there is none.
pub(crate) type TokenLookup<'a> = Result<Option<Cow<'a, str>>, TokenRejection>;

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
    if !text.iter().all(u8::is_ascii_graphic) {
        return Err(TokenRejection::Malformed);
    }
    str::from_utf8(text).map_err(|_| TokenRejection::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected = Result<Option<&'static str>, TokenRejection>;

    #[test]
    fn r08_long_values_are_refused_before_they_are_copied() {
        assert!(token_text(&[b'a'; Token::MAX_LEN]).is_ok());
        assert_eq!(
            token_text(&[b'a'; Token::MAX_LEN + 1]),
            Err(TokenRejection::TooLong)
        );
    }

    #[test]
    fn r16_only_visible_ascii_is_a_token() {
        assert_eq!(token_text(b"a.b-_~+/="), Ok("a.b-_~+/="));
        for text in [
            &b"a b"[..],
            b" ",
            b"a\tb",
            b"a\0",
            b"\x7f",
            b"\xff",
            "é".as_bytes(),
        ] {
            assert_eq!(token_text(text), Err(TokenRejection::Malformed), "{text:?}");
        }
    }

    #[test]
    fn r15_a_second_value_is_ambiguous() {
        let table: &[(&[&str], Expected)] = &[
            (&[], Ok(None)),
            (&[""], Ok(None)),
            (&["", ""], Ok(None)),
            (&["a"], Ok(Some("a"))),
            (&["a", ""], Err(TokenRejection::Ambiguous)),
            (&["", "a"], Err(TokenRejection::Ambiguous)),
            (&["a", "a"], Err(TokenRejection::Ambiguous)),
            (&["a", "b", "c"], Err(TokenRejection::Ambiguous)),
        ];
        for (values, expected) in table {
            let found = at_most_one(values.iter().copied(), |value| value.is_empty());
            assert_eq!(found, *expected, "{values:?}");
        }
    }
}
