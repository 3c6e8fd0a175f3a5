//! The header of a token (RFC 7515 section 4).

use super::algorithm::Algorithm;
use super::{compact, object};
use crate::encoding;
use crate::token_rejection::TokenRejection;

/// Encodes the header of the tokens that a key signs, in base64url.
pub(super) fn encode(algorithm: Algorithm, kid: Option<&str>) -> Box<str> {
    let kid = kid.map_or_else(String::new, |kid| {
        format!(r#","kid":{}"#, serde_json::Value::from(kid))
    });
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"{kid}}}"#);
    encoding::base64url(header).into()
}

/// How a header names the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kid {
    Absent,
    /// Not a string, so it is the name of no key.
    Invalid,
    Named(String),
}

/// Checks a header in base64url and returns the name of the key.
///
/// `jwk`, `jku`, `x5c`, `x5t` and `x5u` are ignored: a token does not choose its key
/// (RFC 8725 section 3.10).
pub(super) fn check(header: &str, algorithm: Algorithm) -> Result<Kid, TokenRejection> {
    let header = compact::decode(header)?;
    let (mut alg, mut typ, mut kid, mut foreign) = (None, None, None, false);
    let wanted =
        |name: &str| ["alg", "typ", "kid", "crit", "b64", "enc", "zip", "cty"].contains(&name);
    object::members(&header, wanted, |name, value| match name {
        "alg" => alg = Some(value),
        "typ" => typ = Some(value),
        "kid" => kid = Some(value),
        _ => foreign = true,
    })
    .ok_or(TokenRejection::Malformed)?;
    if alg.and_then(object::text).as_deref() != Some(algorithm.as_str()) {
        return Err(TokenRejection::Algorithm);
    }
    let typ = typ.map(|typ| object::text(typ).unwrap_or_default());
    if foreign || typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenRejection::HeaderParam);
    }
    Ok(match kid.map(object::text) {
        None => Kid::Absent,
        Some(None) => Kid::Invalid,
        Some(Some(kid)) => Kid::Named(kid.into_owned()),
    })
}
