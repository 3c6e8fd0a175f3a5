//! Opening sessions with tickets.

use crate::error::SessionError;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::token::Ticket;

impl Sessions {
    /// Opens the session of a [`Ticket`] and spends the ticket.
    ///
    /// For tickets that do not arrive in the query, for example in the first message of a
    /// connection; for those in the query there is
    /// [`TokenSource::ticket`](crate::TokenSource::ticket). Of several calls with one ticket
    /// exactly one succeeds, in any process. The handle has no [claims](Session::claims), because
    /// there is no token.
    ///
    /// Takes three round trips to the store: to read the ticket, to delete it and to read the
    /// session. An unknown ticket takes one, and text that has not the form of a ticket none. The
    /// ticket may be spent although the call failed or was dropped.
    ///
    /// Redis: `GETRANGE`, a script that compares and deletes, then as [`get`](Self::get).
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let session = sessions.new_session();
    /// session.create().await?;
    ///
    /// let ticket = session.ticket().await?;
    /// let opened = sessions.open_ticket(ticket.as_str()).await?;
    /// assert_eq!(opened.id(), session.id());
    /// assert!(sessions.open_ticket(ticket.as_str()).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Rejected`] if the ticket or its session does not exist (any more),
    /// [`SessionError::Unavailable`] if the store did not answer.
    pub async fn open_ticket(&self, ticket: &str) -> Result<Session, SessionError> {
        let session = match Ticket::parse(ticket) {
            Ok(ticket) => self.load_ticket(&ticket).await,
            Err(reason) => self.rejected(reason),
        };
        session.state().check_active()?;
        Ok(session)
    }

    /// Spends a ticket and returns the handle of its session, whose state is the result.
    pub(crate) async fn load_ticket(&self, ticket: &Ticket) -> Session {
        let id = match self.lifecycle.spend_ticket(ticket).await {
            Ok(id) => id,
            Err(error) => return self.not_loaded(error, None),
        };
        match self.lifecycle.load(&id).await {
            Ok(loaded) => Session::active(&self.lifecycle, id, None, loaded),
            Err(error) => self.not_loaded(error, Some(id)),
        }
    }
}
