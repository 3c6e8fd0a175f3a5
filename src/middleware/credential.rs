//! The credential of a request, before its session is loaded.

use crate::session::Session;
use crate::sessions::Sessions;
use crate::token::{Ticket, Token, Verified};

/// Credential of a request, before the store was read.
#[derive(Debug)]
pub(super) enum Credential {
    /// Of a lazy layer: verified when the session is loaded.
    Unverified(Token),
    Token(Verified),
    Ticket(Ticket),
}

impl Credential {
    /// Loads the session, and verifies or spends the credential.
    pub(super) async fn open(&self, sessions: &Sessions) -> Session {
        match self {
            Self::Unverified(token) => sessions.from_token(token.as_str()).await,
            Self::Token(verified) => sessions.load_verified(verified).await,
            // Boxed: rare, and larger than the future for a token.
            Self::Ticket(ticket) => Box::pin(sessions.load_ticket(ticket)).await,
        }
    }

    /// Returns whether the credential can be used only once.
    pub(super) const fn is_single_use(&self) -> bool {
        matches!(self, Self::Ticket(_))
    }
}
