//! Opaque tokens: random text.

use zeroize::Zeroizing;

use super::token_text::Token;
use crate::error_debug::debug_with_message;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;
use crate::{crypto, encoding};

/// Configuration of opaque tokens: random bytes, encoded as text.
///
/// The session id is the base64url (without padding) of the SHA-256 of the token's text, 43
/// characters, so the store never holds a token. Defaults to 32 bytes in base64url. Tokens of
/// another size or encoding are rejected.
///
/// ```
/// use jwt_redis_session::{OpaqueTokens, token::Encoding};
///
/// let tokens = OpaqueTokens::new().size(128)?.encoding(Encoding::Hex);
/// # Ok::<(), jwt_redis_session::token::InvalidOpaqueSize>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpaqueTokens {
    size: usize,
    encoding: Encoding,
}

impl OpaqueTokens {
    /// Creates the default configuration: 32 bytes in base64url.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 32,
            encoding: Encoding::Base64Url,
        }
    }

    /// Sets the number of random bytes: 16 to 1024.
    ///
    /// # Errors
    ///
    /// [`InvalidOpaqueSize`] for any other number.
    pub const fn size(mut self, bytes: usize) -> Result<Self, InvalidOpaqueSize> {
        if bytes < 16 || bytes > 1024 {
            return Err(InvalidOpaqueSize(()));
        }
        self.size = bytes;
        Ok(self)
    }

    /// Sets the encoding of the bytes.
    #[must_use]
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Creates a random token.
    pub(super) fn issue(self) -> (SessionId, Token) {
        let mut bytes = Zeroizing::new(vec![0; self.size]);
        crypto::fill_random(&mut bytes);
        let text = self.encoding.encode(&bytes);
        (session_id(&text), Token::new(text))
    }

    /// Returns the session id of a token, if its text has the configured form.
    pub(super) fn identify(self, token: &str) -> Result<SessionId, TokenRejection> {
        if token.len() > Token::MAX_LEN {
            return Err(TokenRejection::TooLong);
        }
        // The id is the hash of the text: with a second spelling, one token would have two ids.
        if !self.encoding.is_canonical(token, self.size) {
            return Err(TokenRejection::Malformed);
        }
        Ok(session_id(token))
    }
}

impl Default for OpaqueTokens {
    fn default() -> Self {
        Self::new()
    }
}

/// Text encoding of an opaque token (RFC 4648).
///
/// See [`OpaqueTokens`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// `A-Z a-z 0-9 - _` without padding; safe in URLs.
    #[default]
    Base64Url,
    /// `A-Z a-z 0-9 + /` with `=` padding.
    Base64,
    /// `0-9 a-f`.
    Hex,
}

impl Encoding {
    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64Url => encoding::base64url(bytes),
            Self::Base64 => encoding::base64(bytes),
            Self::Hex => encoding::hex(bytes),
        }
    }

    /// Returns whether `text` is the encoding of `size` bytes.
    fn is_canonical(self, text: &str, size: usize) -> bool {
        // 1024 bytes, rounded up to a multiple of 3.
        let mut decoded = [0; 1026];
        match self {
            Self::Base64Url => encoding::decode_base64url(text, &mut decoded) == Some(size),
            Self::Base64 => encoding::decode_base64(text, &mut decoded) == Some(size),
            Self::Hex => {
                let is_digit = |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
                text.len() == 2 * size && text.bytes().all(is_digit)
            }
        }
    }
}

/// Error returned by [`OpaqueTokens::size`] for a size that is out of range.
///
/// See [`OpaqueTokens`] for an example.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an opaque token has 16 to 1024 random bytes")]
pub struct InvalidOpaqueSize(());

debug_with_message!(InvalidOpaqueSize);

fn session_id(token: &str) -> SessionId {
    SessionId::from_bytes(&crypto::sha256(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_in_the_configured_form_is_a_token() {
        for encoding in [Encoding::Base64Url, Encoding::Base64, Encoding::Hex] {
            for size in [16, 17, 18, 32, 128, 1024] {
                let tokens = OpaqueTokens::new().size(size).unwrap().encoding(encoding);
                let (id, good) = tokens.issue();
                let good = good.as_str();
                assert_eq!(tokens.identify(good), Ok(id), "{size} {encoding:?}");
                assert_ne!(tokens.issue().1.as_str(), good);
                for bad in [
                    "",
                    &good[1..],
                    &format!("{good} "),
                    &format!(" {good}"),
                    &format!("{good}="),
                    &format!("{good}A"),
                    &"!".repeat(good.len()),
                    &"ä".repeat(good.len() / 2),
                ] {
                    let rejected = tokens.identify(bad);
                    assert_eq!(rejected, Err(TokenRejection::Malformed), "{bad}");
                }
            }
        }
        let tokens = OpaqueTokens::new();
        let long = "a".repeat(Token::MAX_LEN + 1);
        assert_eq!(tokens.identify(&long), Err(TokenRejection::TooLong));
        let hex = tokens.encoding(Encoding::Hex);
        assert!(hex.identify(&"A".repeat(64)).is_err());
        let other_size = tokens.size(31).unwrap().issue().1;
        assert!(tokens.identify(other_size.as_str()).is_err());
        // The last of 43 characters holds four bits; the other two must be zero.
        assert!(tokens.identify(&"A".repeat(43)).is_ok());
        assert!(tokens.identify(&("A".repeat(42) + "B")).is_err());
        for size in [0, 15, 1025, usize::MAX] {
            assert!(tokens.size(size).is_err(), "{size}");
        }
    }
}
