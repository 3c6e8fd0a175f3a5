//! The header of a token (RFC 7515 section 4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::{compact, object};
use crate::token_rejection::TokenRejection;

/// Writes the header of our own tokens, in base64url.
pub(super) fn encode(algorithm: Algorithm, kid: Option<&str>) -> Box<str> {
    let kid = kid.map_or_else(String::new, |kid| {
        format!(r#","kid":{}"#, serde_json::Value::from(kid))
    });
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"{kid}}}"#);
    URL_SAFE_NO_PAD.encode(header).into()
}

/// How a header names the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kid {
    Absent,
    /// Not a string; it can be the name of no key.
    Invalid,
    Named(String),
}

/// Checks a header in base64url, and finds the key's name in it.
///
/// `jwk`, `jku`, `x5c`, `x5t` and `x5u` mean nothing here: a token does not choose its own key
/// (RFC 8725 section 3.10).
pub(super) fn check(header: &str, algorithm: Algorithm) -> Result<Kid, TokenRejection> {
    let header = compact::decode(header)?;
    let (mut alg, mut typ, mut kid, mut foreign) = (None, None, None, false);
    object::members(&header, |name, value| match name {
        "alg" => alg = Some(value),
        "typ" => typ = Some(value),
        "kid" => kid = Some(value),
        "crit" | "b64" | "enc" | "zip" | "cty" => foreign = true,
        _ => {}
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
