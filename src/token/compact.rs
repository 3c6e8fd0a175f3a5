//! Compact serialization of tokens (RFC 7515 section 7.1).

use std::sync::Arc;

use super::token::Token;
use crate::encoding;
use crate::token_rejection::TokenRejection;

/// Token split at its two dots; nothing is decoded yet.
#[derive(Clone, Copy)]
pub(super) struct Compact<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// Header, dot and payload: the text that is signed.
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

/// Decodes one part into text: canonical base64url without padding, UTF-8.
pub(super) fn decode(part: &str) -> Result<Arc<str>, TokenRejection> {
    encoding::decode_base64url_text(part).ok_or(TokenRejection::Malformed)
}
