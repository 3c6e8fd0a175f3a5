//! The credential of a request, before its session is loaded.

use crate::session::Session;
use crate::sessions::Sessions;
use crate::token::{Ticket, Verified};

/// Credential of a request, checked as far as that is possible without the store.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    Token(Verified),
    Ticket(Ticket),
}

impl Credential {
    /// Loads the session, and spends a ticket.
    pub(super) async fn open(self, sessions: &Sessions) -> Session {
        match self {
            Self::Token(verified) => sessions.load_verified(verified).await,
            // Boxed: rare, and larger than the future for a token.
            Self::Ticket(ticket) => Box::pin(sessions.load_ticket(&ticket)).await,
        }
    }

    /// Returns whether the credential can be used only once.
    pub(super) const fn is_single_use(&self) -> bool {
        matches!(self, Self::Ticket(_))
    }
}
