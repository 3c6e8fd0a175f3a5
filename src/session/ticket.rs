//! Tickets of a session.

use std::time::Duration;

use crate::error::SessionError;
use crate::session::handle::Session;
use crate::token::Ticket;

/// How long a ticket works unless the caller chooses a time.
const LIFETIME: Duration = Duration::from_secs(10);

/// # Tickets
impl Session {
    /// Issues a ticket, which opens this session once, within 10 seconds.
    ///
    /// For an `EventSource` and for downloads, which cannot send a header. URLs end up in logs and
    /// histories, so they must not contain a token. The page requests a ticket with its token and
    /// puts the ticket into the query, where the layer accepts it with
    /// [`TokenSource::ticket`](crate::TokenSource::ticket).
    ///
    /// A ticket opens the session with all its rights, in its state at the time of use. It opens
    /// nothing after the session was destroyed or rotated, or has expired.
    ///
    /// Redis: `SET NX` of one key that expires with the ticket.
    ///
    /// ```
    /// use axum::Router;
    /// use axum::routing::{get, post};
    /// use jwt_redis_session::{
    ///     ActiveSession, JwtRedisSession, SessionError, Sessions, TokenSource, TokenSources,
    /// };
    ///
    /// fn app(sessions: Sessions) -> Router {
    ///     let sources = TokenSources::headers_only().with(TokenSource::ticket("ticket"));
    ///     Router::new()
    ///         .route("/ticket", post(ticket))
    ///         .route("/report.pdf", get(async |_: ActiveSession| "…")) // ?ticket=…
    ///         .layer(JwtRedisSession::new(sessions).sources(sources))
    /// }
    ///
    /// async fn ticket(session: ActiveSession) -> Result<String, SessionError> {
    ///     Ok(session.ticket().await?.into_string())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store did not answer; repeat the call. Without a
    /// session [`SessionError::Absent`], [`SessionError::Rejected`] or [`SessionError::Gone`].
    /// Whether the session still exists is checked when the ticket is used, not by this call.
    pub async fn ticket(&self) -> Result<Ticket, SessionError> {
        self.ticket_for(LIFETIME).await
    }

    /// Issues a ticket that works for `lifetime` instead of 10 seconds; see
    /// [`ticket`](Self::ticket).
    ///
    /// It does not work after the absolute end of the session. Keep the time short: the first
    /// client that uses the URL gets the session.
    ///
    /// # Errors
    ///
    /// As [`ticket`](Self::ticket); [`SessionError::InvalidDuration`] below a millisecond or above
    /// 100 years.
    pub async fn ticket_for(&self, lifetime: Duration) -> Result<Ticket, SessionError> {
        let issue = async || {
            let (current, lifecycle) = (self.0.current()?, &self.0.lifecycle);
            let end = current.end(lifecycle);
            let ticket = lifecycle.issue_ticket(&current.id, lifetime, end).await?;
            // As for a token: the response must not be stored.
            self.0.lock().access.data_read = true;
            Ok(ticket)
        };
        self.0.run("ticket", issue).await
    }
}
