//! The three parts of a token (RFC 7515 section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::text::Token;
use crate::token_rejection::TokenRejection;

/// A token cut at its two dots; nothing is decoded yet.
#[derive(Clone, Copy)]
pub(super) struct Compact<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// Header, dot and payload: what the signature is over.
    pub(super) signed: &'a [u8],
}

impl<'a> Compact<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenRejection> {
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

/// Decodes one part into text: base64url without padding, in its one canonical form, of UTF-8.
pub(super) fn decode(part: &str) -> Result<String, TokenRejection> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenRejection::Malformed)?;
    String::from_utf8(bytes).map_err(|_| TokenRejection::Malformed)
}
