//! Tokens in JSON objects.
//!
//! Read by a visitor, since the name of the field is known only at run time. `serde_json::Value`
//! takes two allocations or more for each member of a body of up to 64 KiB, and keeps the last of
//! two tokens silently. Here members that are not the token take none.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::token_lookup::{TokenLookup, at_most_one, token_text};
use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Finds the token under `name` at the top level of `document`.
///
/// A document that is no object holds no token. The whole document is checked, so the outer
/// error does not depend on where in it the syntax error is.
pub(super) fn find<'a>(document: &'a [u8], name: &str) -> Result<TokenLookup<'a>, UnsearchedBody> {
    let mut json = serde_json::Deserializer::from_slice(document);
    let values = if document.trim_ascii_start().first() == Some(&b'{') {
        json.deserialize_map(ValuesOf(name))
    } else {
        IgnoredAny::deserialize(&mut json).map(|_| Vec::new())
    };
    let values = values
        .and_then(|values| json.end().map(|()| values))
        .map_err(|_| UnsearchedBody::Malformed)?;
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

/// A string that is only copied if it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Visitor that collects the values of the members with this name.
struct ValuesOf<'a>(&'a str);

impl<'de> Visitor<'de> for ValuesOf<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut values = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            if name == self.0 {
                values.push(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}
