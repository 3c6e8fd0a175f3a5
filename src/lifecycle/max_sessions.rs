//! Limit of the sessions of an owner.
//!
//! A new session is counted after its record and its index entry exist, and before its token is
//! returned. Of several concurrent logins the last one to insert its session sees those of all
//! others, so the limit holds when all have returned.
//!
//! Sessions are counted by their active entries:
//!
//! - A rotation has one at any time: its old id becomes superseded in the same step from which on
//!   only the new id counts. Between the reads of the index and of the records it may replace one
//!   by the other. So entries without a record are a reason to count again.
//! - A superseded session is about to be deleted by its rotation or by a concurrent login.
//! - The index is read in ascending order, in which entries only move to the end.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::end::SessionEnd;
use crate::lifecycle::evict::Evict;
use crate::lifecycle::index::PAGE;
use crate::lifecycle::{Lifecycle, Loaded};
use crate::record::{Owner, Record};
use crate::retries::Retries;
use crate::store::{EntryState, IndexEntry, IndexPage, SupersedeOutcome};
use crate::telemetry::StoreCall as _;

const OPERATION: &str = "login";

/// How often the sessions are counted while they change.
const COUNTS: u32 = 12;

/// How long a login waits before it is refused, by the number of logins of the same second with a
/// lower id: the others may be about to undo theirs. The one with the lowest id gives up last.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_millis(120),
    Duration::from_millis(60),
    Duration::from_millis(20),
];

/// The pause between two counts of a login that waits.
const PAUSE: Duration = Duration::from_millis(20);

/// A session that has just been inserted, and its rivals for a place.
struct Newcomer<'a> {
    /// `None`: it has another id since, which is one of the others.
    id: Option<&'a SessionId>,
    owner: &'a Owner,
    /// The order of creations, in which refused logins are undone.
    created: Option<i64>,
    /// The number of sessions that may remain beside this one.
    others: usize,
}

/// Counts of one attempt.
#[derive(Default)]
struct Count {
    /// Active entries without a record.
    ghosts: HashSet<String>,
    /// The entry of the new session is active.
    is_listed: bool,
    /// A session was rotated or ended in the meantime.
    has_changed: bool,
    /// The sessions that were used last, in the order of their last use.
    recent: BTreeSet<(i64, SessionId)>,
    others: usize,
    /// Those of the others that were created before.
    earlier: usize,
    /// Those of them that were created in the same second.
    rivals: usize,
}

impl Lifecycle {
    /// Enforces the limit of sessions for the session `id`, whose record is stored, and adds the
    /// sessions that it ends to `ended`.
    ///
    /// Returns `false` if the session itself was ended by a concurrent login or `destroy_all`.
    ///
    /// [`SessionError::TooManySessions`] if it must be undone. Of several sessions that compete for
    /// one place, the one that was created first waits for the others to be undone.
    pub(crate) async fn admit(
        &self,
        id: &SessionId,
        record: &Record,
        ended: &mut Vec<SessionId>,
    ) -> Result<bool> {
        let (Some((limit, evict)), Some(owner)) = (self.max_sessions, record.owner()) else {
            return Ok(true);
        };
        let newcomer = Newcomer {
            id: Some(id),
            owner,
            created: record.meta.created,
            others: limit - 1,
        };
        self.admit_newcomer(&newcomer, evict, ended).await
    }

    /// As [`admit`](Self::admit), for a session that was rotated before it could be counted. The
    /// rotation did not count, because the session had its owner already.
    ///
    /// It cannot be refused: its new id is not known here.
    pub(crate) async fn admit_rotated(
        &self,
        record: &Record,
        ended: &mut Vec<SessionId>,
    ) -> Result<()> {
        let (Some((limit, evict @ Evict::LeastRecentlyUsed)), Some(owner)) =
            (self.max_sessions, record.owner())
        else {
            return Ok(());
        };
        let newcomer = Newcomer {
            id: None,
            owner,
            created: None,
            others: limit,
        };
        let admitting = self.admit_newcomer(&newcomer, evict, ended);
        admitting.await.map(drop)
    }

    async fn admit_newcomer(
        &self,
        newcomer: &Newcomer<'_>,
        evict: Evict,
        ended: &mut Vec<SessionId>,
    ) -> Result<bool> {
        let mut known = HashSet::new();
        let (start, mut retries) = (Instant::now(), Retries::new(COUNTS));
        while retries.next().await {
            let mut count = self.count_others(newcomer, evict, ended).await?;
            while evict == Evict::Refuse && count.others > newcomer.others && count.is_listed {
                let patience = PATIENCE[count.rivals.min(PATIENCE.len() - 1)];
                if count.earlier > newcomer.others || start.elapsed() >= patience {
                    let limit = newcomer.others + 1;
                    return Err(SessionError::TooManySessions { limit });
                }
                tokio::time::sleep(PAUSE).await;
                count = self.count_others(newcomer, evict, ended).await?;
            }
            if !count.is_listed {
                return Ok(false);
            }
            if !count.has_changed && count.ghosts.is_subset(&known) {
                return Ok(true);
            }
            known = count.ghosts;
        }
        Err(SessionError::Conflict)
    }

    /// Counts the other sessions of the owner, and ends those that are too many if `evict` says so.
    async fn count_others(
        &self,
        newcomer: &Newcomer<'_>,
        evict: Evict,
        ended: &mut Vec<SessionId>,
    ) -> Result<Count> {
        let index = self.keyspace.index(newcomer.owner);
        let (mut count, mut after) = (Count::default(), None);
        count.is_listed = newcomer.id.is_none();
        loop {
            let page = IndexPage::ascending(after.as_ref(), PAGE);
            let reading = self.store.index_page(&index, page);
            let entries = reading.in_operation(OPERATION).await?;
            let is_last = entries.len() < PAGE;
            after = entries.last().cloned();
            self.count_page(newcomer, entries, &mut count).await?;
            let is_decided = match evict {
                Evict::LeastRecentlyUsed => {
                    let is_lost = !self.evict(newcomer, &index, &mut count, ended).await?;
                    count.is_listed &= !is_lost;
                    is_lost
                }
                Evict::Refuse => {
                    count.recent.clear();
                    let is_refused = count.earlier > newcomer.others;
                    // Its entry may be on a later page.
                    count.is_listed |= is_refused;
                    is_refused
                }
            };
            if is_last || is_decided {
                return Ok(count);
            }
        }
    }

    async fn count_page(
        &self,
        newcomer: &Newcomer<'_>,
        entries: Vec<IndexEntry>,
        count: &mut Count,
    ) -> Result<()> {
        let owner = newcomer.owner;
        let is_active = |entry: &IndexEntry| matches!(entry.state, EntryState::Active { .. });
        let (active, tombstones): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_active);
        // What an interrupted call has left works until it is completed.
        let left = tombstones.into_iter().filter(|entry| {
            let is_deleting = matches!(entry.state, EntryState::Deleting { .. });
            let is_newcomer = newcomer.id.is_some_and(|id| entry.member == id.as_str());
            !is_newcomer && (is_deleting || self.is_abandoned(entry.state))
        });
        let left: Vec<_> = left.map(|entry| entry.member).collect();
        self.complete_deletes(OPERATION, owner, &left).await?;

        let scores = active.iter().map(|entry| (&*entry.member, entry.state));
        let scores: HashMap<_, _> = scores.collect();
        let mut ghosts: HashSet<String> = active.iter().map(|it| it.member.clone()).collect();
        let mut visit = |id: SessionId, loaded: Loaded| {
            ghosts.remove(id.as_str());
            if newcomer.id == Some(&id) {
                count.is_listed = true;
            } else if let Some(state) = scores.get(id.as_str()) {
                let last_use = self.last_use(*state, &loaded.record);
                count.add(newcomer, id, &loaded.record, last_use);
            }
        };
        self.read_entries(OPERATION, owner, &active, &mut visit)
            .await?;
        count.ghosts.extend(ghosts);
        Ok(())
    }

    /// Returns a number that orders sessions by their last use. It is the same in each process,
    /// unless the session is used.
    fn last_use(&self, state: EntryState, record: &Record) -> i64 {
        let idle = self.idle(record).map_or(0, |idle| idle.as_secs());
        state.score().saturating_sub_unsigned(idle)
    }

    /// Ends sessions until no more than allowed are left. Returns `false` if the new session itself
    /// was ended.
    async fn evict(
        &self,
        newcomer: &Newcomer<'_>,
        index: &str,
        count: &mut Count,
        ended: &mut Vec<SessionId>,
    ) -> Result<bool> {
        while count.recent.len() > newcomer.others {
            let Some((_, id)) = count.recent.pop_first() else {
                break;
            };
            // Atomic: of two logins that would end each other, one does.
            let (old, new) = (id.as_str(), newcomer.id.unwrap_or(&id).as_str());
            let now = self.tombstone_time();
            let superseding = self.store.index_supersede(index, old, new, now);
            match superseding.in_operation(OPERATION).await? {
                SupersedeOutcome::NewNotActive => return Ok(false),
                // It may live on under the id of a rotation that was not counted.
                SupersedeOutcome::OldNotActive => count.has_changed = true,
                SupersedeOutcome::Superseded => {
                    self.end_reasons.set(&id, Some(SessionEnd::Evicted));
                    let victim = [id.as_str().to_owned()];
                    let deleting = self.complete_deletes(OPERATION, newcomer.owner, &victim);
                    if deleting.await? > 0 {
                        ended.push(id);
                    }
                }
            }
        }
        Ok(true)
    }
}

impl Count {
    fn add(&mut self, newcomer: &Newcomer<'_>, id: SessionId, record: &Record, last_use: i64) {
        self.others += 1;
        let (created, own) = (record.meta.created, newcomer.created);
        if (created, Some(&id)) < (own, newcomer.id) {
            self.earlier += 1;
            self.rivals += usize::from(created == own);
        }
        // A session that was used between two pages is in both.
        self.recent.retain(|(_, known)| *known != id);
        self.recent.insert((last_use, id));
    }
}
