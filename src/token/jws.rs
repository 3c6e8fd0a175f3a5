//! Compact serialization and header of tokens: JSON Web Signature (RFC 7515).

use std::borrow::Cow;
use std::sync::Arc;

use super::algorithm::Algorithm;
use super::object;
use super::token::Token;
use crate::encoding;
use crate::token_rejection::TokenRejection;

/// Token split at its two dots; nothing is decoded yet.
#[derive(Clone, Copy)]
pub(super) struct Jws<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// Header, dot and payload: the text that is signed.
    pub(super) signed: &'a [u8],
}

impl<'a> Jws<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenRejection> {
        // Before anything is decoded, so that an unverified token has a limited cost.
        if token.len() > Token::MAX_LEN {
            return Err(TokenRejection::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRejection::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRejection::Malformed)?;
        if payload.contains('.') {
            return Err(TokenRejection::Malformed);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed: signed.as_bytes(),
        })
    }
}

/// Decodes one part into text: canonical base64url without padding, UTF-8.
pub(super) fn decode(part: &str) -> Result<Arc<str>, TokenRejection> {
    encoding::decode_base64url_text(part).ok_or(TokenRejection::Malformed)
}

/// Appends a dot and `part` in base64url.
pub(super) fn push_part(part: impl AsRef<[u8]>, text: &mut String) {
    text.push('.');
    encoding::push_base64url(part, text);
}

/// Encodes the header of the tokens that a key signs, in base64url.
pub(super) fn encode_header(algorithm: Algorithm, kid: Option<&str>) -> Box<str> {
    let kid = kid.map_or_else(String::new, |kid| {
        format!(r#","kid":{}"#, serde_json::Value::from(kid))
    });
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"{kid}}}"#);
    encoding::base64url(header).into()
}

/// Checks a header in base64url and returns the name of the key, if it names one.
pub(super) fn check_header(
    header: &str,
    algorithm: Algorithm,
) -> Result<Option<String>, TokenRejection> {
    let header = decode(header)?;
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
    let kid = kid.map(|kid| object::text(kid).unwrap_or_default());
    Ok(kid.map(Cow::into_owned))
}
