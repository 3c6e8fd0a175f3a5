//! Waiting for the end of a session.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::GRACE;
use crate::lifecycle::Lifecycle;
use crate::lifecycle::end::SessionEnd;
use crate::lifecycle::end_reasons::AwaitedEnd;
use crate::record::Redirect;
use crate::store::{RecordWatch, WatchEvent};
use crate::token_rejection::TokenRejection;

/// How long after its end a record is read: a store counts in milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// How long after a failed read the record is read again.
const SOON: Duration = Duration::from_millis(100);

/// Limits of a wait while the store reports no changes, or does not answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The interval of reads while the store does not report changes.
    pub(crate) check_every: Duration,
    /// The time without an answer of the store after which the state is unknown.
    pub(crate) unknown_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            check_every: Duration::from_secs(5),
            unknown_after: Duration::from_secs(30),
        }
    }
}

/// A session whose end is awaited.
struct Wait {
    lifecycle: Arc<Lifecycle>,
    id: SessionId,
    reason: AwaitedEnd,
    patience: Patience,
    /// The watch on the record; `None` if the store has none, or not now.
    watch: Option<RecordWatch>,
    /// Whether the watch reports changes.
    is_watched: bool,
    /// When the absolute lifetime ends.
    absolute_end: Option<Instant>,
    /// When the grace of the rotations that were followed ends.
    grace_end: Option<Instant>,
    /// When the record ends by the TTL last seen.
    expires: Option<Instant>,
    /// The time from which on it is not certain that the session exists.
    unsure_since: Option<Instant>,
    /// When to read the record next, if no event comes before.
    read_at: Option<Instant>,
}

impl Lifecycle {
    /// Waits until the session `id` ends, and returns the reason.
    ///
    /// `end` is its absolute end in Unix seconds, if that is known.
    pub(crate) async fn ended(
        self: Arc<Self>,
        id: SessionId,
        end: Option<i64>,
        patience: Patience,
    ) -> SessionEnd {
        let watch = self.store.watch(&self.keyspace.record(&id));
        let mut wait = Wait {
            reason: self.end_reasons.keep(id.clone()),
            absolute_end: self.instant_of(end),
            is_watched: false,
            grace_end: None,
            expires: None,
            unsure_since: None,
            // The first event of a watch shows whether the record exists.
            read_at: watch.is_none().then(Instant::now),
            lifecycle: self,
            id,
            patience,
            watch,
        };
        wait.read_within(patience.check_every);
        wait.run().await
    }

    /// Returns the time of this process at which an absolute end, the leeway included, is past.
    fn instant_of(&self, end: Option<i64>) -> Option<Instant> {
        self.instant_of_millis(self.past_end(end?))
    }

    fn instant_of_millis(&self, end: i64) -> Option<Instant> {
        let left = end.saturating_sub(self.now_millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        Instant::now().checked_add(left)
    }
}

/// Returns whether a record with this TTL may be a redirect, of which a watch reports only the TTL.
fn may_be_redirect(ttl: Option<Duration>) -> bool {
    ttl.is_some_and(|ttl| ttl <= *GRACE.end())
}

impl Wait {
    async fn run(mut self) -> SessionEnd {
        loop {
            let event = self.next_event().await;
            let at = Instant::now();
            match event {
                Some(WatchEvent::Exists { ttl }) if !may_be_redirect(ttl) => {
                    self.is_watched = true;
                    self.found(at, ttl);
                }
                Some(WatchEvent::Interrupted) if !self.is_over() => self.interrupted(at),
                // The timer, a change, a record that may be a redirect, or another server that has the record now.
                _ => {
                    self.is_watched = (self.is_watched || event.is_some()) && !self.is_over();
                    if let Some(end) = self.read(at).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Whether the record must be watched again.
    fn is_over(&self) -> bool {
        self.watch.as_ref().is_some_and(RecordWatch::is_over)
    }

    /// Returns the next event of the watch, or `None` when it is time to read the record.
    async fn next_event(&mut self) -> Option<WatchEvent> {
        let watch = &mut self.watch;
        let changed = async {
            match watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        match [self.read_at, self.grace_end].into_iter().flatten().min() {
            Some(at) => timeout_at(at, changed).await.ok(),
            None => Some(changed.await),
        }
    }

    /// Reads the record. Returns the reason if the session has ended.
    async fn read(&mut self, at: Instant) -> Option<SessionEnd> {
        if self.grace_end.is_some_and(|end| end <= at) {
            return Some(SessionEnd::Rotated);
        }
        let key = self.lifecycle.keyspace.record(&self.id);
        if !self.is_watched {
            // Before the read, so that no change in between is missed.
            self.watch = self.lifecycle.store.watch(&key);
        }
        let loaded = self.lifecycle.load_record("ended", &key).await;
        if let Some(redirect) = self.lifecycle.redirect(&loaded) {
            self.follow(redirect);
            return None;
        }
        match self.lifecycle.validate(loaded) {
            Ok((record, ttl)) => {
                let end = self.lifecycle.end(&record);
                self.absolute_end = self.lifecycle.instant_of(end);
                self.found(at, ttl);
                None
            }
            Err(SessionError::Rejected(TokenRejection::Expired)) => Some(SessionEnd::Expired),
            Err(SessionError::Rejected(_)) => Some(self.gone()),
            Err(_) => self.failed(at),
        }
    }

    /// The session has a new id. Waits for its end under that id, until the grace ends.
    fn follow(&mut self, redirect: Redirect) {
        let end = self.lifecycle.instant_of_millis(redirect.until);
        self.grace_end = [self.grace_end, end].into_iter().flatten().min();
        self.reason = self.lifecycle.end_reasons.keep(redirect.to.clone());
        self.id = redirect.to;
        self.watch = None;
        self.is_watched = false;
        self.expires = None;
        self.read_at = Some(Instant::now());
    }

    /// The record existed at `at`.
    fn found(&mut self, at: Instant, ttl: Option<Duration>) {
        let ttl_end = ttl.and_then(|ttl| at.checked_add(ttl));
        self.expires = [ttl_end, self.absolute_end].into_iter().flatten().min();
        self.unsure_since = None;
        self.read_at = self.expires.map(|expires| expires + ROUNDING);
        if !self.is_watched {
            self.read_within(self.patience.check_every);
        }
    }

    /// The watch reports nothing for now.
    fn interrupted(&mut self, at: Instant) {
        self.is_watched = false;
        self.unsure_since.get_or_insert(at);
        let Patience {
            check_every,
            unknown_after,
        } = self.patience;
        self.read_within(check_every.min(unknown_after / 2));
    }

    /// The store did not answer. Returns [`SessionEnd::Unknown`] once that has lasted too long.
    fn failed(&mut self, at: Instant) -> Option<SessionEnd> {
        let since = *self.unsure_since.get_or_insert(at);
        let limit = since + self.patience.unknown_after;
        let now = Instant::now();
        if now >= limit {
            return Some(SessionEnd::Unknown);
        }
        // Soon at first, then ever less often.
        let pause = (now - since).max(SOON).min(self.patience.check_every);
        self.read_at = Some(limit.min(now + pause));
        None
    }

    fn gone(&self) -> SessionEnd {
        let is_expired = self
            .expires
            .is_some_and(|expires| expires <= Instant::now());
        let unknown = match is_expired {
            true => SessionEnd::Expired,
            false => SessionEnd::Destroyed,
        };
        self.reason.reason().unwrap_or(unknown)
    }

    /// Reads the record within `interval`, at random, so that the waits of a process do not read in
    /// step.
    fn read_within(&mut self, interval: Duration) {
        let share = RandomState::new().hash_one(0) % 256;
        let at = Instant::now() + interval / 2 + interval / 512 * u32::try_from(share).unwrap_or(0);
        self.read_at = Some(self.read_at.map_or(at, |earlier| earlier.min(at)));
    }
}
