//! Tokens in `name=value` pairs: in a query or a form body.
//!
//! `form_urlencoded` decodes. Pairs are split by hand, since a query is also rewritten byte for
//! byte, and since only the pair with the right name is decoded as a whole.

use std::borrow::Cow;

use super::token_lookup::{TokenLookup, at_most_one, token_text};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// Longest pair that is decoded. An encoded byte of the value takes three; the rest is for the name.
const MAX_PAIR: usize = 4 * Token::MAX_LEN;

/// Finds the token under `name` in `input`, which is `application/x-www-form-urlencoded`.
pub(super) fn find<'a>(input: &'a [u8], name: &str) -> TokenLookup<'a> {
    let pairs = input.split(|&byte| byte == b'&');
    let named = pairs.filter(|pair| is_named(pair, name));
    match at_most_one(named, |pair| !has_value(pair))? {
        Some(pair) if pair.len() > MAX_PAIR => Err(TokenRejection::TooLong),
        Some(pair) => {
            let (_, value) = decoded(pair);
            token_text(value.as_bytes())?;
            Ok(Some(value))
        }
        None => Ok(None),
    }
}

/// Returns whether the decoded name of `pair` is `name`.
///
/// Allocates only if the name is encoded.
pub(super) fn is_named(pair: &[u8], name: &str) -> bool {
    let end = pair.iter().position(|&byte| byte == b'=');
    decoded(&pair[..end.unwrap_or(pair.len())]).0 == name
}

fn has_value(pair: &[u8]) -> bool {
    let equals = pair.iter().position(|&byte| byte == b'=');
    equals.is_some_and(|equals| equals + 1 < pair.len())
}

/// Returns name and value of one pair, which holds no `&`.
fn decoded(pair: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    form_urlencoded::parse(pair).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Expected = Result<Option<&'static str>, TokenRejection>;

    #[test]
    fn r15_r18_pairs_table() {
        let table: &[(&[u8], Expected)] = &[
            (b"", Ok(None)),
            (b"&", Ok(None)),
            (b"a=1", Ok(None)),
            (b"accessToken", Ok(None)),
            (b"accessToken=", Ok(None)),
            (b"accessToken=T", Ok(Some("T"))),
            (b"a=1&accessToken=T&b=2", Ok(Some("T"))),
            (b"access%54oken=T", Ok(Some("T"))),
            (b"access%54oken=%54", Ok(Some("T"))),
            (b"%61%63%63%65%73%73%54%6f%6b%65%6e=T", Ok(Some("T"))),
            (b"accessToken=a=b==", Ok(Some("a=b=="))),
            (b"accessToken=a%2Bb%2F%3D=", Ok(Some("a+b/=="))),
            (b"accesstoken=T", Ok(None)),
            (b"xaccessToken=T", Ok(None)),
            (b"a=accessToken=T", Ok(None)),
            (b"accessToken=a+b", Err(TokenRejection::Malformed)),
            (b"accessToken=%00", Err(TokenRejection::Malformed)),
            (b"accessToken=%ff", Err(TokenRejection::Malformed)),
            (b"accessToken=\xff", Err(TokenRejection::Malformed)),
            (
                b"accessToken=a&accessToken=b",
                Err(TokenRejection::Ambiguous),
            ),
            (
                b"accessToken=a&access%54oken=a",
                Err(TokenRejection::Ambiguous),
            ),
            (
                b"accessToken=&accessToken=a",
                Err(TokenRejection::Ambiguous),
            ),
            (b"accessToken=&accessToken", Ok(None)),
        ];
        for (input, expected) in table {
            let found = find(input, "accessToken").map(|text| text.map(Cow::into_owned));
            let expected = expected.map(|t| t.map(String::from));
            assert_eq!(found, expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn r08_a_long_value_is_refused() {
        for length in [Token::MAX_LEN + 1, MAX_PAIR] {
            let input = format!("accessToken={}", "a".repeat(length));
            let found = find(input.as_bytes(), "accessToken");
            assert_eq!(found, Err(TokenRejection::TooLong));
        }
    }

    proptest! {
        #[test]
        fn r18_form_finding_never_panics(input: Vec<u8>, name: String) {
            let _ = find(&input, &name);
        }

        #[test]
        fn r18_form_finding_agrees_with_the_parser(input in "[aT%54=&+]{0,24}") {
            let all: Vec<_> = form_urlencoded::parse(input.as_bytes())
                .filter(|(name, _)| name == "aT")
                .map(|(_, value)| value.into_owned())
                .collect();
            let filled = all.iter().filter(|value| !value.is_empty()).count();
            match find(input.as_bytes(), "aT") {
                Ok(None) => prop_assert_eq!(filled, 0),
                Ok(Some(text)) => prop_assert_eq!(&[text.into_owned()][..], &all[..]),
                Err(TokenRejection::Ambiguous) => prop_assert!(all.len() > 1 && filled > 0),
                Err(_) => prop_assert_eq!(all.len(), 1),
            }
        }
    }
}
