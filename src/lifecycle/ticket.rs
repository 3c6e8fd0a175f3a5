//! Tickets: each opens one session, once.

use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, is_storable, record_error};
use crate::store::{CompareOutcome, NewRecord};
use crate::telemetry::StoreCall as _;
use crate::token::Ticket;
use crate::token_rejection::TokenRejection;

/// First character of the value of a ticket. It makes the value invalid as JSON, so that no reader
/// takes it for a session.
const MARK: &str = ">";

impl Lifecycle {
    /// Stores a new ticket for the session `id`, for `ttl` but not beyond `end` (Unix seconds).
    pub(crate) async fn issue_ticket(
        &self,
        id: &SessionId,
        ttl: Duration,
        end: Option<i64>,
    ) -> Result<Ticket> {
        if !is_storable(ttl) {
            return Err(SessionError::InvalidDuration);
        }
        let ttl = ttl.min(end.map_or(ttl, |end| self.left_until(end)));
        if ttl.is_zero() {
            return Err(SessionError::Gone);
        }
        let ticket = Ticket::random();
        let key = self.keyspace.ticket(&ticket.hash());
        let value = [MARK, id.as_str()].concat();
        let record = NewRecord::new(&key, value.as_bytes(), ttl);
        let inserting = self.store.insert(record).in_operation("ticket");
        match inserting.await.map_err(record_error)? {
            true => Ok(ticket),
            false => Err(SessionError::Taken),
        }
    }

    /// Returns what is left until a session that ends at `end` is past it, the leeway included.
    fn left_until(&self, end: i64) -> Duration {
        let left = self.past_end(end).saturating_sub(self.now_millis());
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// Spends a ticket and returns the id of its session.
    ///
    /// The read decides nothing, so that any number of callers may have read the same ticket. Only
    /// one of them deletes it, and only that one gets the id.
    pub(crate) async fn spend_ticket(&self, ticket: &Ticket) -> Result<SessionId> {
        let unknown = SessionError::Rejected(TokenRejection::Unknown);
        let key = self.keyspace.ticket(&ticket.hash());
        let loaded = self.load_record("open_ticket", &key).await?;
        let value = loaded.ok_or_else(|| unknown.clone())?.value;
        let id = session_id(&value).ok_or(SessionError::Corrupt)?;
        let deleting = self.store.compare_and_delete(&key, &value);
        let deleted = deleting.in_operation("open_ticket").await;
        match deleted.map_err(record_error)? {
            CompareOutcome::Applied => Ok(id),
            CompareOutcome::Mismatch(_) | CompareOutcome::Missing => Err(unknown),
        }
    }
}

/// Returns the id in the value of a ticket.
fn session_id(value: &[u8]) -> Option<SessionId> {
    let id = str::from_utf8(value).ok()?.strip_prefix(MARK)?;
    SessionId::parse(id).ok()
}
