//! Finds a session by its id, or by its id before a rotation with a grace.
//!
//! Until the grace ends, the old id holds a [`Redirect`] to the new one. An operation on the old id
//! goes on at the new id. It finds the redirect when it reads, or when one of its steps fails:
//! the bytes of the record differ, or there is no record to delete or to touch.

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Remaining, record_error};
use crate::record::{Record, Redirect};
use crate::store::StoredRecord;
use crate::telemetry::StoreCall as _;
use crate::token::TokenFormat;

/// The number of redirects that are followed from one id: each rotation within the grace of the
/// one before adds one.
pub(crate) const HOPS: usize = 8;

/// How a record is read.
#[derive(Clone, Copy)]
pub(crate) enum Read {
    /// A cache of the store may serve it.
    Cached,
    /// Never from a cache.
    Newest,
}

/// A session that was read.
pub(crate) struct Loaded {
    pub(crate) record: Record,
    pub(crate) remaining: Remaining,
    /// The id of the session, if it was read through a redirect.
    pub(crate) new_id: Option<SessionId>,
    /// When the redirect ends, in Unix milliseconds.
    pub(crate) grace_end: Option<i64>,
}

/// What is stored for a session id.
pub(crate) struct Found {
    pub(crate) stored: Result<Option<StoredRecord>>,
    /// The new id of the session, if the id was that of a redirect.
    pub(crate) new_id: Option<SessionId>,
    /// When the first one of the redirects ends, in Unix milliseconds.
    pub(crate) grace_end: Option<i64>,
}

impl Lifecycle {
    /// Reads what is stored for `id`. A redirect takes another round trip.
    pub(crate) async fn find(&self, operation: &'static str, id: &SessionId, read: Read) -> Found {
        let stored = self.read(operation, &self.keyspace.record(id), read).await;
        if self.redirect(&stored).is_some() {
            // Boxed, because it is rare, and a future is moved until it runs.
            return Box::pin(self.follow(operation, stored, read)).await;
        }
        Found {
            stored,
            new_id: None,
            grace_end: None,
        }
    }

    /// Returns what `stored` leads to.
    pub(crate) async fn follow(
        &self,
        operation: &'static str,
        mut stored: Result<Option<StoredRecord>>,
        read: Read,
    ) -> Found {
        let (mut new_id, mut grace_end) = (None, None);
        for _ in 0..HOPS {
            let Some(Redirect { to, until }) = self.redirect(&stored) else {
                break;
            };
            let key = self.keyspace.record(&to);
            stored = self.read(operation, &key, read).await;
            new_id = Some(to);
            grace_end = Some(grace_end.map_or(until, |earlier: i64| earlier.min(until)));
        }
        Found {
            stored,
            new_id,
            grace_end,
        }
    }

    async fn read(
        &self,
        operation: &'static str,
        key: &str,
        read: Read,
    ) -> Result<Option<StoredRecord>> {
        match read {
            Read::Newest => self.load_record(operation, key).await,
            Read::Cached => {
                let reading = self.store.load(key).in_read(&self.reads);
                reading.await.map_err(record_error)
            }
        }
    }

    /// Returns the redirect that `stored` is, if its grace has not ended. The returned end includes
    /// the leeway.
    ///
    /// As for the absolute end of a session: within the leeway the TTL in the store decides, which
    /// does not depend on the clock of this host.
    pub(crate) fn redirect(&self, stored: &Result<Option<StoredRecord>>) -> Option<Redirect> {
        let stored = stored.as_ref().ok()?.as_ref()?;
        let Redirect { to, until } = Redirect::parse(&stored.value)?;
        let leeway = self.format.as_ref().map_or(0, TokenFormat::leeway_millis);
        let until = until.saturating_add(leeway);
        (self.now_millis() < until).then_some(Redirect { to, until })
    }

    /// Returns the session that `id` leads to after an operation on `id` has failed with `error`,
    /// or the error if a redirect was not the reason. `seen` is the record as it was last seen.
    pub(crate) async fn follow_after(
        &self,
        operation: &'static str,
        id: &SessionId,
        seen: Option<&Record>,
        error: SessionError,
    ) -> Result<Loaded> {
        if !matches!(error, SessionError::Gone | SessionError::Corrupt) {
            return Err(error);
        }
        let at = self.now_millis();
        let first = self.load_record(operation, &self.keyspace.record(id)).await;
        match &first {
            Ok(Some(stored)) if Redirect::parse(&stored.value).is_some() => {}
            Err(SessionError::Unavailable(error)) => return Err(error.clone().into()),
            _ => return Err(error),
        }
        if let Some(seen) = seen {
            // The operation may have put the old id into the index. Best effort: it is removed when
            // due.
            let _ = self.gone(id, seen).await;
        }
        let found = self.follow(operation, first, Read::Newest).await;
        let Found { stored, new_id, .. } = found;
        let (record, ttl) = match self.validate(stored) {
            // The grace or the session has ended.
            Err(SessionError::Rejected(_)) => return Err(SessionError::Gone),
            validated => validated?,
        };
        Ok(Loaded {
            record,
            remaining: Remaining::new(ttl, at),
            new_id,
            grace_end: found.grace_end,
        })
    }
}
