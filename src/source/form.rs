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
pub(crate) fn find<'a>(input: &'a [u8], name: &str) -> TokenLookup<'a> {
    let pairs = input.split(|&byte| byte == b'&');
    // Names are compared decoded, so that another spelling of the name cannot hide a second token.
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

/// Decodes text that is form-encoded by itself, without `&` and `=`.
pub(crate) fn decode_text(text: &[u8]) -> Cow<'_, str> {
    decoded(text).0
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
