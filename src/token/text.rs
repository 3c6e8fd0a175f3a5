//! A token as text.

use std::fmt;

use serde::{Serialize, Serializer};

/// A token as text: one just issued, or one found in a request and not yet verified.
///
/// Whoever holds the text holds the session, so `Debug` prints `Token([redacted])` and there is
/// no `Display`; serialise it into the answer, or take the text with [`Token::as_str`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    /// The longest token that is accepted, in bytes; a longer one is not even looked at.
    pub const MAX_LEN: usize = 8192;

    /// Wraps the text of a token.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text that goes to, or came from, the client.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
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
