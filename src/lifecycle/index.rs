//! The index of an owner's sessions, and listing them.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded, Remaining, run_to_completion};
use crate::record::{Owner, Record};
use crate::store::{EntryState, IndexEntry, IndexPage, NewEntry};
use crate::telemetry::StoreCall as _;

/// The number of records read in one round trip. Each may be as large as the size limit.
pub(crate) const BATCH: usize = 16;

/// The number of index entries read at once by operations that go through a whole index.
pub(crate) const PAGE: usize = 16 * BATCH;

/// How often a page reads the index to replace entries whose sessions have ended. Limits the time
/// of a call on an index of many such entries.
const ROUNDS: usize = 8;

/// How much longer an index lives than its last record: covers the time between the two writes
/// and the rounding to seconds.
const INDEX_SLACK: Duration = Duration::from_secs(60);

/// Seconds after which a tombstone is certainly not that of a rotation or a `destroy_all` that is
/// still running.
const ABANDONED: i64 = 60;

impl Lifecycle {
    /// Reads every session of `owner`.
    ///
    /// Also completes a `destroy_all` or a rotation that crashed, and removes entries whose
    /// sessions have ended.
    pub(crate) async fn list(
        self: &Arc<Self>,
        owner: &Owner,
        visit: &mut (impl FnMut(SessionId, Loaded) + Send),
    ) -> Result<()> {
        let index = self.keyspace.index(owner);
        let reading = self.store.index_list(&index, None);
        let entries = reading.in_operation("list").await?;
        self.read_listed(owner, entries, visit).await?;
        Ok(())
    }

    /// Reads a page of the sessions of `owner`, as [`list`](Self::list). Returns the last entry
    /// that was read, or `None` at the end of the index.
    pub(crate) async fn page(
        self: &Arc<Self>,
        owner: &Owner,
        page: IndexPage<'_>,
        visit: &mut (impl FnMut(SessionId, Loaded) + Send),
    ) -> Result<Option<IndexEntry>> {
        let index = self.keyspace.index(owner);
        let (mut after, mut limit) = (page.after.cloned(), page.limit.max(1));
        for _ in 0..ROUNDS {
            let after_last = after.as_ref();
            let page = IndexPage {
                after: after_last,
                limit,
                ..page
            };
            let reading = self.store.index_page(&index, page);
            let entries = reading.in_operation("list").await?;
            let is_end = entries.len() < limit;
            after = entries.last().cloned();
            limit -= self.read_listed(owner, entries, visit).await?;
            if is_end {
                return Ok(None);
            }
            if limit == 0 {
                break;
            }
        }
        Ok(after)
    }

    /// Returns the number of sessions of `owner`, in pages as [`page`](Self::page).
    pub(crate) async fn count(self: &Arc<Self>, owner: &Owner) -> Result<usize> {
        let (mut count, mut after) = (0, None);
        loop {
            let page = IndexPage::ascending(after.as_ref(), PAGE);
            after = self.page(owner, page, &mut |_, _| count += 1).await?;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    /// Reads the sessions of listed entries, and returns how many there are.
    async fn read_listed(
        self: &Arc<Self>,
        owner: &Owner,
        entries: Vec<IndexEntry>,
        visit: &mut (impl FnMut(SessionId, Loaded) + Send),
    ) -> Result<usize> {
        // A session with a recent tombstone is listed: the operation that set the tombstone may
        // still fail, which leaves the session active.
        let is_abandoned = |entry: &IndexEntry| self.is_abandoned(entry.state);
        let (abandoned, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_abandoned);
        if !abandoned.is_empty() {
            let ids: Vec<_> = abandoned.into_iter().map(|entry| entry.member).collect();
            let (lifecycle, owner) = (Arc::clone(self), owner.clone());
            // Several steps: they run to their end even if the caller is dropped.
            run_to_completion(async move || lifecycle.complete_deletes("list", &owner, &ids).await)
                .await?;
        }
        self.read_entries("list", owner, &entries, visit).await
    }

    /// Returns the key of the index of the owner of `record`, or `None` without owner.
    pub(crate) fn index(&self, record: &Record) -> Option<String> {
        record.owner().map(|owner| self.keyspace.index(owner))
    }

    /// Returns the index entry of a session whose record lives for `ttl`.
    pub(crate) fn entry<'a>(
        &self,
        index: &'a str,
        id: &'a SessionId,
        ttl: Duration,
    ) -> NewEntry<'a> {
        let ttl = ttl + INDEX_SLACK;
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let check_after = self.now().saturating_add(seconds).max(0);
        NewEntry::new(index, id.as_str(), check_after, ttl)
    }

    /// Returns the time of a new tombstone: Unix seconds, at least 1.
    pub(crate) fn tombstone_time(&self) -> i64 {
        self.now().max(1)
    }

    pub(crate) fn is_abandoned(&self, state: EntryState) -> bool {
        let now = self.now();
        match state {
            EntryState::Active { .. } => false,
            EntryState::Superseded { since } | EntryState::Deleting { since } => {
                now.saturating_sub(since) >= ABANDONED
            }
        }
    }

    pub(crate) async fn remove_entry(&self, index: &str, id: &SessionId) -> Result<()> {
        let members = [id.as_str()];
        let removal = self.store.index_remove(index, &members, None);
        Ok(removal.in_operation("cleanup").await?)
    }

    /// Best effort: removes a missing session from its owner's index.
    pub(crate) async fn gone(&self, id: &SessionId, record: &Record) -> SessionError {
        if let Some(index) = self.index(record) {
            let _ = self.remove_entry(&index, id).await;
        }
        SessionError::Gone
    }

    /// Reads the sessions of index entries, visits those that belong to `owner`, and returns how
    /// many there are. No more than a batch of them is in memory at once.
    ///
    /// An entry that is due gets a new `check_after` if its session is `owner`'s, and is removed
    /// if not.
    pub(crate) async fn read_entries(
        &self,
        operation: &'static str,
        owner: &Owner,
        entries: &[IndexEntry],
        visit: &mut (impl FnMut(SessionId, Loaded) + Send),
    ) -> Result<usize> {
        let index = self.keyspace.index(owner);
        let parse = |entry: &IndexEntry| Some((SessionId::parse(&entry.member).ok()?, entry.state));
        let entries: Vec<_> = entries.iter().filter_map(parse).collect();
        let mut count = 0;
        for entries in entries.chunks(BATCH) {
            let keys = entries.iter().map(|(id, _)| self.keyspace.record(id));
            let keys: Vec<_> = keys.collect();
            // Taken before the reads: an entry that is put again in the meantime is not due by
            // then.
            let (at, due_by) = (self.now_millis(), self.now());
            let (mut live, mut dead) = (Vec::new(), Vec::new());
            let loaded = self.load_records(operation, &keys).await?;
            for ((id, state), loaded) in entries.iter().zip(loaded) {
                // An entry is put before its record is inserted. Until it is due, an absent
                // record, or one of another owner, may be one that is just being written.
                let due =
                    matches!(*state, EntryState::Active { check_after } if check_after <= due_by);
                match self.validate(loaded) {
                    Ok((record, ttl)) if record.owner() == Some(owner) => {
                        live.extend(due.then(|| self.entry(&index, id, ttl.unwrap_or_default())));
                        let remaining = Remaining::new(ttl, at);
                        let loaded = Loaded {
                            record,
                            remaining,
                            new_id: None,
                            grace_end: None,
                        };
                        visit(id.clone(), loaded);
                        count += 1;
                    }
                    Ok(_) | Err(SessionError::Rejected(_)) => {
                        dead.extend(due.then_some(id.as_str()));
                    }
                    Err(error) => return Err(error),
                }
            }
            if !live.is_empty() || !dead.is_empty() {
                let refresh = self.store.index_refresh(&index, &live, &dead, due_by);
                refresh.in_operation(operation).await?;
            }
        }
        Ok(count)
    }
}
