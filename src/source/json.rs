//! Tokens in JSON objects.
//!
//! `serde_json::Value` takes two allocations or more for each member of a body of up to 64 KiB, and
//! keeps the last of two tokens silently. Here members that are not the token take none.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::token_lookup::{BodyLookup, TokenLookup, at_most_one, token_text};
use crate::json::{Text, each_field};
use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Finds the token under `name` at the top level of `document`.
///
/// A document that is no object holds no token. The whole document is checked, so the outer
/// error does not depend on where in it the syntax error is.
pub(super) fn find<'a>(document: &'a [u8], name: &str) -> BodyLookup<'a> {
    let document = str::from_utf8(document).map_err(|_| UnsearchedBody::Malformed)?;
    let mut values = Vec::new();
    let read = if document.trim_ascii_start().starts_with('{') {
        each_field(document, |field, value| {
            if field == name {
                values.push(value);
            }
        })
    } else {
        serde_json::from_str::<IgnoredAny>(document).map(drop)
    };
    read.map_err(|_| UnsearchedBody::Malformed)?;
    Ok(token_in(values))
}

fn token_in(values: Vec<&RawValue>) -> TokenLookup<'_> {
    let Some(value) = at_most_one(values, |value| value.get() == "\"\"")? else {
        return Ok(None);
    };
    let raw = value.get();
    // An escape takes at most six bytes for one character.
    if raw.len() > 6 * Token::MAX_LEN + 2 {
        return Err(TokenRejection::TooLong);
    }
    let Text(text) = serde_json::from_str(raw).map_err(|_| TokenRejection::Malformed)?;
    token_text(text.as_bytes())?;
    Ok(Some(text))
}
