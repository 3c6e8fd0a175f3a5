//! The text of a token.

use std::fmt;

use serde::{Serialize, Serializer};

/// Text of a token: one that was just issued, or one found in a request and not yet verified.
///
/// The text is a credential, so `Debug` prints `Token([redacted])` and there is no `Display`.
/// Serialize it into the response, or read the text with [`Token::as_str`].
///
/// ```
/// use jwt_redis_session::Token;
///
/// let token = Token::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln");
/// assert_eq!(serde_json::to_string(&token)?, r#""eyJhbGciOiJIUzI1NiJ9.e30.c2ln""#);
/// assert_eq!(format!("{token:?}"), "Token([redacted])");
/// assert_eq!(token.into_string(), "eyJhbGciOiJIUzI1NiJ9.e30.c2ln");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    /// The longest token that is accepted, in bytes; a longer one is rejected unread.
    pub const MAX_LEN: usize = 8192;

    /// Wraps the text of a token.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text as the client sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text as a `String`.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
