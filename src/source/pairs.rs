//! Tokens among `name=value` pairs: a query, or a form.

use std::borrow::Cow;

use super::value::{self, Sole};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// No pair longer than this is decoded: three bytes for each of the value, and room for the name.
const MAX_PAIR: usize = 4 * Token::MAX_LEN;

/// The token that stands under `name` in `input`, which is `application/x-www-form-urlencoded`.
pub(super) fn find(input: &[u8], name: &str) -> Result<Option<Token>, TokenRejection> {
    let mut sole = Sole::new();
    for pair in input.split(|&byte| byte == b'&') {
        if is_named(pair, name) {
            sole.push(pair, has_value(pair));
        }
    }
    match sole.take()? {
        Some(pair) if pair.len() > MAX_PAIR => Err(TokenRejection::TooLong),
        Some(pair) => value::token(decoded(pair).1.as_bytes()),
        None => Ok(None),
    }
}

/// Whether the name of `pair`, once decoded, is `name`.
pub(super) fn is_named(pair: &[u8], name: &str) -> bool {
    let end = pair.iter().position(|&byte| byte == b'=');
    spells(&pair[..end.unwrap_or(pair.len())], name.as_bytes())
}

/// Whether `raw` decodes to `name`, found out without the allocation that decoding takes.
fn spells(mut raw: &[u8], name: &[u8]) -> bool {
    for &expected in name {
        match letter(raw) {
            Some((found, rest)) if found == expected => raw = rest,
            _ => return false,
        }
    }
    raw.is_empty()
}

/// The first decoded byte, and what follows it.
fn letter(raw: &[u8]) -> Option<(u8, &[u8])> {
    match raw {
        [b'+', rest @ ..] => Some((b' ', rest)),
        [b'%', high, low, rest @ ..] if [high, low].iter().all(|d| d.is_ascii_hexdigit()) => {
            Some((digit(*high) << 4 | digit(*low), rest))
        }
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

/// What a hexadecimal digit stands for.
const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit & 0x0f) + 9,
    }
}

fn has_value(pair: &[u8]) -> bool {
    let equals = pair.iter().position(|&byte| byte == b'=');
    equals.is_some_and(|equals| equals + 1 < pair.len())
}

/// Name and value of one pair, which holds no `&`.
fn decoded(pair: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    form_urlencoded::parse(pair).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Told = Result<Option<&'static str>, TokenRejection>;

    #[test]
    fn r15_r18_pairs_table() {
        let table: &[(&[u8], Told)] = &[
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
            let found = find(input, "accessToken").map(|token| token.map(Token::into_string));
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
        fn r14_names_are_compared_as_the_parser_decodes_them(
            raw in "[aAbB%0-9a-fé+ ]{1,9}",
            other in "[aAbB+ %]{1,4}",
        ) {
            let name = decoded(raw.as_bytes()).0;
            prop_assume!(!name.contains(char::REPLACEMENT_CHARACTER));
            prop_assert!(is_named(raw.as_bytes(), &name));
            prop_assert_eq!(is_named(raw.as_bytes(), &other), name == other);
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
                Ok(Some(token)) => prop_assert_eq!(&[token.into_string()][..], &all[..]),
                Err(TokenRejection::Ambiguous) => prop_assert!(all.len() > 1 && filled > 0),
                Err(_) => prop_assert_eq!(all.len(), 1),
            }
        }
    }
}
