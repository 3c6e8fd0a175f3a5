//! Headers of tokens: JSON Web Signature (RFC 7515).

use super::algorithm::Algorithm;
use super::object;
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

/// Checks a header in base64url and returns the name of the key, if it names one.
pub(super) fn check(header: &str, algorithm: Algorithm) -> Result<Option<String>, TokenRejection> {
    let header = encoding::decode_base64url_text(header).ok_or(TokenRejection::Malformed)?;
    // `jwk`, `jku`, `x5c`, `x5t` and `x5u` are ignored: a token does not choose its key
    // (RFC 8725 section 3.10). The parameters after `kid` would change what the token means.
    let names = ["alg", "typ", "kid", "crit", "b64", "enc", "zip", "cty"];
    let [alg, typ, kid, unsupported @ ..] =
        object::members(&header, names.map(Some)).ok_or(TokenRejection::Malformed)?;
    if alg.and_then(object::text).as_deref() != Some(algorithm.as_str()) {
        return Err(TokenRejection::Algorithm);
    }
    let typ = typ.map(|typ| object::text(typ).unwrap_or_default());
    let is_other = typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if is_other || unsupported.iter().any(Option::is_some) {
        return Err(TokenRejection::HeaderParam);
    }
    // A `kid` that is no string becomes the empty one, which no key has.
    Ok(kid.map(|kid| object::text(kid).unwrap_or_default().into_owned()))
}
