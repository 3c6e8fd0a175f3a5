//! The final state of one explored order of steps, and the invariants that hold in every one.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::UNIX_EPOCH;

use jwt_redis_session::config::{Clock as _, ManualClock};
use jwt_redis_session::store::{EntryState, IndexEntry, Store as _};
use jwt_redis_session::{MemoryStore, SessionId, Sessions};
use test_support::alive_tasks;
use tokio::runtime::{Builder, Runtime};

use super::actions::{Action, GRACE, OTHER, OWNER, id, sessions};
use super::explore::{Before, Process};

/// Both owners and the keys of their indexes: `keyspace + ":" + owner + ":"`.
pub(super) const INDEXES: [(&str, &str); 2] = [(OWNER, "sess::jo:"), (OTHER, "sess::al:")];

/// The final state of one order, after all processes have returned or crashed.
pub(super) struct End {
    pub(super) store: MemoryStore,
    pub(super) sessions: Sessions,
    pub(super) clock: ManualClock,
    pub(super) before: Before,
    pub(super) processes: Vec<Process>,
    /// Steps may have failed.
    pub(super) failures: bool,
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().unwrap();
}

/// Runs a future, and the tasks that it spawns, to the end.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    let to_end = async {
        let output = future.await;
        while alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
        output
    };
    RUNTIME.with(|runtime| runtime.block_on(to_end))
}

pub(super) fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| otherwise.to_owned())
}

impl End {
    /// Returns the processes whose action `select` selects.
    pub(super) fn which(&self, select: impl Fn(Action) -> bool) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(move |each| select(each.action))
    }

    /// Returns the ids from all successful processes whose action `select` selects.
    pub(super) fn ids(&self, select: impl Fn(Action) -> bool) -> Vec<SessionId> {
        self.which(select)
            .filter_map(Process::ids)
            .flatten()
            .collect()
    }

    pub(super) fn none(&self, select: impl Fn(Action) -> bool) -> bool {
        self.which(select).next().is_none()
    }

    /// Returns whether no process crashed, no caller was dropped and no step failed. If so, no
    /// record and no entry may be left behind.
    pub(super) fn is_free_of_faults(&self) -> bool {
        let returned = |process: &Process| process.call.value().is_some();
        !self.failures && self.processes.iter().all(returned)
    }

    pub(super) fn works(&self, id: &SessionId) -> bool {
        run(self.sessions.get(id)).is_ok()
    }

    pub(super) fn has(&self, id: &SessionId, key: &str) -> bool {
        run(self.sessions.get(id)).is_ok_and(|session| session.contains_key(key))
    }

    pub(super) fn owner(&self, id: &SessionId) -> Option<String> {
        run(self.sessions.get(id)).ok()?.owner()
    }

    /// Returns the id of the session that `id` opens: another one if `id` is that of a redirect.
    pub(super) fn opens(&self, id: &SessionId) -> Option<SessionId> {
        run(self.sessions.get(id)).ok()?.id()
    }

    /// Returns the active sessions whose token a client has.
    pub(super) fn active(&self) -> Vec<SessionId> {
        let mut known = self.ids(|action| action.rotates() || action.creates());
        known.push(id("a0"));
        if self.before == Before::Two {
            known.push(id("z0"));
        }
        let active: BTreeSet<_> = known.iter().filter_map(|id| self.opens(id)).collect();
        active.into_iter().collect()
    }

    /// Returns the number of sessions in the store.
    fn stored(&self) -> usize {
        let is_redirect = |id: &SessionId| {
            let key = format!("sess:{}", id.as_str());
            let stored = run(self.store.load(&key)).unwrap();
            stored.is_some_and(|stored| stored.is_redirect())
        };
        // The new id of a call that was dropped may have become one too.
        let ids = ["a", "b", "c", "d"].into_iter();
        let ids = ids.flat_map(|name| (0..5).map(move |at| id(&format!("{name}{at}"))));
        self.store.len() - ids.filter(is_redirect).count()
    }

    /// Returns whether `id` works after the grace.
    pub(super) fn works_after_the_grace(&self, id: &SessionId) -> bool {
        let now = self.clock.now().duration_since(UNIX_EPOCH).unwrap();
        let clock = ManualClock::at(i64::try_from((now + GRACE).as_secs()).unwrap());
        let later = MemoryStore::new().with_clock(clock.clone());
        later.copy_from(&self.store);
        run(sessions(later, clock, "later").get(id)).is_ok()
    }

    fn owned<'a>(&self, owner: &str, active: &'a [SessionId]) -> Vec<&'a SessionId> {
        let is_owned = |id: &&SessionId| self.owner(id).as_deref() == Some(owner);
        active.iter().filter(is_owned).collect()
    }

    fn entries(&self, index: &str) -> Vec<IndexEntry> {
        run(self.store.index_list(index, None)).unwrap()
    }

    /// Checks what holds after any operations and faults. Destroys all sessions.
    pub(super) fn check_index_and_records(&self) -> Result<(), String> {
        let active = self.active();
        for (owner, index) in INDEXES {
            self.check_index(owner, index, &active)?;
        }
        if self.is_free_of_faults() {
            ensure(self.stored() == active.len(), "a record has no token")?;
        }
        self.check_list_and_destroy_all(&active)
    }

    fn check_index(&self, owner: &str, index: &str, active: &[SessionId]) -> Result<(), String> {
        let entries = self.entries(index);
        let owned = self.owned(owner, active);
        for id in &owned {
            let mut entries = entries.iter();
            let entry = entries.find(|entry| entry.member == id.as_str());
            let entry = entry.ok_or("an active session is not in the index of its owner")?;
            let is_active = matches!(entry.state, EntryState::Active { .. });
            let expected = is_active || !self.is_free_of_faults();
            ensure(expected, "an active session has a tombstone")?;
        }
        // The index of a former owner may contain the session until the entry is due.
        let changes_owner = !self.none(|action| action.new_owner().is_some());
        if !self.is_free_of_faults() || changes_owner && self.processes.len() > 1 {
            return Ok(());
        }
        let is_owned = |entry: &IndexEntry| owned.iter().any(|id| id.as_str() == entry.member);
        let complete = entries.iter().all(is_owned);
        ensure(complete, "an index entry has no session")
    }

    /// Checks that every session is listed, and that another `destroy_all` ends all sessions of its
    /// owner and no others.
    fn check_list_and_destroy_all(&self, active: &[SessionId]) -> Result<(), String> {
        let mut count = 0;
        for (owner, _) in INDEXES {
            let listed =
                run(self.sessions.list(owner).into_future()).map_err(|error| error.to_string())?;
            count += listed.len();
            let owned = self.owned(owner, active);
            let is_listed = |id: &&SessionId| listed.iter().any(|entry| entry.id() == *id);
            ensure(owned.iter().all(is_listed), "a session is not listed")?;
            let more = self.is_free_of_faults() && listed.len() > owned.len();
            ensure(!more, "a session is listed whose token no client has")?;
        }
        // A crash may leave a record without owner, or one that is inserted after a `destroy_all`.
        // No client has its token.
        let complete = self.before.owner().is_some() && self.none(Action::destroys);
        let listed = !complete || self.failures || count == self.stored();
        ensure(listed, "a record is not listed")?;
        for ((owner, _), (other, _)) in [(INDEXES[0], INDEXES[1]), (INDEXES[1], INDEXES[0])] {
            let (owned, others) = (self.owned(owner, active), self.owned(other, active));
            let destroyed = run(self.sessions.destroy_all(owner));
            ensure(destroyed.is_ok(), "the last destroy_all failed")?;
            let survives = owned.into_iter().any(|id| self.works(id));
            ensure(!survives, "a session survives the last destroy_all")?;
            let remain = others.into_iter().all(|id| self.works(id));
            ensure(remain, "destroy_all ends the session of another owner")?;
        }
        for (owner, index) in INDEXES {
            run(self.sessions.destroy_all(owner)).map_err(|error| error.to_string())?;
            let mut left = self.entries(index).into_iter();
            // A guest session whose change of owner crashed has an entry, but is not the owner's.
            let ended = left.all(|entry| self.works(&id(&entry.member)));
            ensure(ended, "two destroy_alls leave an entry behind")?;
        }
        Ok(())
    }
}
