//! The one value that a source may hold.

use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// Takes `text` for a token: `None` if it is empty.
///
/// A JWT and every encoding of an opaque token consist of visible ASCII; anything else, a second
/// word included, is [`TokenRejection::Malformed`].
pub(super) fn token(text: &[u8]) -> Result<Option<Token>, TokenRejection> {
    if text.is_empty() {
        return Ok(None);
    }
    // Refused where it stands, before it is copied.
    if text.len() > Token::MAX_LEN {
        return Err(TokenRejection::TooLong);
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return Err(TokenRejection::Malformed);
    }
    let text = str::from_utf8(text).map_err(|_| TokenRejection::Malformed)?;
    Ok(Some(Token::new(text)))
}

/// The values that stand in one source, of which at most one may be.
#[derive(Debug)]
pub(super) struct Sole<T> {
    first: Option<T>,
    many: bool,
    filled: bool,
}

impl<T> Sole<T> {
    pub(super) const fn new() -> Self {
        Self {
            first: None,
            many: false,
            filled: false,
        }
    }

    /// Adds a value; `filled` says that it is not the empty string.
    pub(super) fn push(&mut self, value: T, filled: bool) {
        self.many = self.first.is_some();
        self.filled |= filled;
        self.first.get_or_insert(value);
    }

    /// The value, if there is one that is not empty.
    ///
    /// A second one is ambiguous even where one of the two is empty or both are equal: another
    /// reader of the same request may take the other (R15).
    pub(super) fn take(self) -> Result<Option<T>, TokenRejection> {
        match (self.filled, self.many) {
            (false, _) => Ok(None),
            (true, true) => Err(TokenRejection::Ambiguous),
            (true, false) => Ok(self.first),
        }
    }
}

/// The only one of `values` that is not empty.
pub(super) fn sole<T: AsRef<[u8]>>(
    values: impl Iterator<Item = T>,
) -> Result<Option<T>, TokenRejection> {
    let mut sole = Sole::new();
    for value in values {
        let filled = !value.as_ref().is_empty();
        sole.push(value, filled);
    }
    sole.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = Result<Option<&'static str>, TokenRejection>;

    #[test]
    fn r08_long_values_are_refused_before_they_are_copied() {
        assert!(matches!(token(&[b'a'; Token::MAX_LEN]), Ok(Some(_))));
        assert_eq!(
            token(&[b'a'; Token::MAX_LEN + 1]),
            Err(TokenRejection::TooLong)
        );
    }

    #[test]
    fn r16_only_visible_ascii_is_a_token() {
        assert_eq!(token(b""), Ok(None));
        assert_eq!(token(b"a.b-_~+/="), Ok(Some(Token::new("a.b-_~+/="))));
        for text in [
            &b"a b"[..],
            b" ",
            b"a\tb",
            b"a\0",
            b"\x7f",
            b"\xff",
            "é".as_bytes(),
        ] {
            assert_eq!(token(text), Err(TokenRejection::Malformed), "{text:?}");
        }
    }

    #[test]
    fn r15_one_value_stands_alone() {
        let table: &[(&[&str], Told)] = &[
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
            assert_eq!(sole(values.iter().copied()), *expected, "{values:?}");
        }
    }
}
