//! Tickets: random text that opens a session once.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::token_rejection::TokenRejection;
use crate::{crypto, encoding};

/// Random bytes of a ticket, as many as those of a session id.
const SIZE: usize = 16;

/// Credential that opens one session, once, within a few seconds.
///
/// Issued by [`Session::ticket`](crate::Session::ticket), for URLs, which must not contain a token.
/// It is not a token: it is accepted only by
/// [`TokenSource::Ticket`](crate::TokenSource::Ticket) and
/// [`Sessions::open_ticket`](crate::Sessions::open_ticket).
///
/// The text is 128 random bits in base64url, 22 characters that need no escape in a URL. The
/// store holds only its hash. `Debug` prints `Ticket([redacted])` and there is no `Display`.
/// Serialize it into the response, or read the text with [`Ticket::as_str`].
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(Box<str>);

impl Ticket {
    /// Creates a random ticket.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; SIZE];
        crypto::fill_random(&mut bytes);
        Self(encoding::base64url(bytes).into())
    }

    /// Parses the text of a ticket. Only the canonical form is one.
    pub(crate) fn parse(text: &str) -> Result<Self, TokenRejection> {
        // The size rounded up to a multiple of 3. Longer text does not fit.
        let mut decoded = [0; 18];
        if encoding::decode_base64url(text, &mut decoded) != Some(SIZE) {
            return Err(TokenRejection::Malformed);
        }
        Ok(Self(text.into()))
    }

    /// Returns the SHA-256 of the text in base64url, under which the ticket is stored.
    pub(crate) fn hash(&self) -> String {
        encoding::base64url(crypto::sha256(self.0.as_bytes()))
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

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket([redacted])")
    }
}

impl Serialize for Ticket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_a_ticket_is_parsed() {
        let ticket = Ticket::random();
        let text = ticket.as_str();
        assert_eq!((text.len(), Ticket::parse(text)), (22, Ok(ticket.clone())));
        assert_ne!(Ticket::random(), ticket);
        assert!(!format!("{ticket:?}").contains(text));
        // The last of 22 characters holds two bits; the other four must be zero.
        assert!(Ticket::parse(&"A".repeat(22)).is_ok());
        for bad in [
            "",
            &"A".repeat(20),
            &"A".repeat(21),
            &"A".repeat(23),
            &"A".repeat(24),
            &"A".repeat(8192),
            &("A".repeat(21) + "B"),
            &("A".repeat(22) + "=="),
            &"ä".repeat(11),
            &"+".repeat(22),
            &format!("{text} "),
        ] {
            assert_eq!(Ticket::parse(bad), Err(TokenRejection::Malformed), "{bad}");
        }
    }
}
