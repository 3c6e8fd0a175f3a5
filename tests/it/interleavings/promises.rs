//! What the result of each operation promises, whatever the concurrent operations do.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_redis_session::SessionId;

use super::actions::{Action, MONTH, OWNER, id};
use super::end::{End, ensure, run};
use super::explore::{Before, Process};

/// The max age of the configuration.
const DAY: Duration = Duration::from_secs(86_400);

impl End {
    /// Checks every promise. Destroys all sessions.
    pub(super) fn check(&self) -> Result<(), String> {
        for process in &self.processes {
            self.check_process(process)?;
        }
        self.check_rotations()?;
        self.check_creations()?;
        self.check_abandoned()?;
        self.check_times_to_live()?;
        // A crash during a change of owner may leave a session out of its index until its next use.
        let is_unfinished = |process: &Process| process.ids().is_none();
        if self.which(Action::sets_owner).any(is_unfinished)
            && let Ok(session) = run(self.sessions.get(&id("a0")))
        {
            run(session.touch()).map_err(|error| error.to_string())?;
        }
        self.check_index_and_records()
    }

    fn check_process(&self, process: &Process) -> Result<(), String> {
        let Some(ids) = process.ids() else {
            return Ok(());
        };
        match process.action {
            Action::Update => self.check_update(process),
            Action::SetMaxAge => self.check_max_age(),
            Action::SetOwner(owner) => self.check_new_owner(owner),
            Action::Rotate | Action::RotateTo(_) | Action::Login(_) => {
                ensure(!self.works(&id("a0")), "the old id works after a rotation")?;
                self.check_rotation(process, &ids)
            }
            Action::RotateWithGrace => {
                self.check_grace(&ids)?;
                self.check_rotation(process, &ids)
            }
            Action::Destroy => self.check_destroy(&ids),
            Action::DestroyAll(owner) => self.check_destroy_all(process, owner),
            Action::DestroyOthers => self.check_destroy_others(process),
            Action::List => self.check_list(process, &ids),
            Action::Create | Action::CreateWithId | Action::Touch => Ok(()),
        }
    }

    /// Returns whether a login or a rotation of `a` keeps the data. The login of another owner
    /// does not.
    fn keeps_data(&self, action: Action) -> bool {
        match action {
            Action::Login(owner) => self.before.owner().is_none_or(|before| before == owner),
            action => action.rotates(),
        }
    }

    /// Returns `a` and the sessions that it became, if that does not depend on a concurrent change
    /// of owner, as far as they work.
    fn successors(&self) -> impl Iterator<Item = SessionId> {
        let owner_is_set = !self.none(Action::sets_owner);
        let successors = self.ids(|action| {
            self.keeps_data(action) && !(owner_is_set && matches!(action, Action::Login(_)))
        });
        let all = successors.into_iter().chain([id("a0")]);
        all.filter(|id| self.works(id))
    }

    fn check_max_age(&self) -> Result<(), String> {
        let has = |id: SessionId| {
            let session = run(self.sessions.get(&id));
            session.is_ok_and(|session| session.max_age() == Some(MONTH))
        };
        ensure(
            self.successors().all(has),
            "an acknowledged max age is lost",
        )
    }

    /// The time to live of every session is that of its max age, not of an earlier one.
    fn check_times_to_live(&self) -> Result<(), String> {
        for id in self.active() {
            let session = run(self.sessions.get_without_touch(&id));
            let session = session.map_err(|error| error.to_string())?;
            let (left, full) = (session.remaining(), session.max_age().unwrap_or(DAY));
            // Some time passes between attempts.
            let is_full = left.is_some_and(|left| left <= full && left > full - DAY / 24);
            ensure(is_full, "a session has the time to live of another max age")?;
        }
        Ok(())
    }

    fn check_update(&self, update: &Process) -> Result<(), String> {
        let kept = self.successors().all(|id| self.has(&id, update.name));
        ensure(kept, "an acknowledged update is lost")
    }

    fn check_new_owner(&self, owner: &str) -> Result<(), String> {
        if self.which(|action| action.new_owner().is_some()).count() > 1 {
            return Ok(());
        }
        let is_given = |id| self.owner(&id).as_deref() == Some(owner);
        ensure(self.successors().all(is_given), "the new owner is lost")
    }

    fn check_rotation(&self, rotation: &Process, ids: &[SessionId]) -> Result<(), String> {
        let [new] = ids else {
            return Err("a rotation returns one id".to_owned());
        };
        if !self.works(new) {
            return Ok(());
        }
        let (found, expected) = (self.owner(new), rotation.action.new_owner());
        let is_expected = expected.is_none_or(|expected| found.as_deref() == Some(expected));
        ensure(is_expected, "a rotated session has the wrong owner")?;
        if !self.none(Action::sets_owner) {
            return Ok(());
        }
        // No data passes from one owner to another.
        let origin = self.before.owner().unwrap_or("guest").to_owned();
        let kept = self.keeps_data(rotation.action);
        let found = run(self.sessions.get(new)).map(|session| session.get("of"));
        let is_own = found == Ok(Ok(kept.then_some(origin)));
        ensure(is_own, "the data is not that of the owner")?;
        let crossed = |update: &Process| !kept && self.has(new, update.name);
        let crossed = self.which(|action| action == Action::Update).any(crossed);
        ensure(!crossed, "an update crossed to another owner")
    }

    /// The old id opens the session that the new one opens, during the grace only.
    fn check_grace(&self, new: &[SessionId]) -> Result<(), String> {
        let [old, new] = [Some(&id("a0")), new.first()].map(|id| self.opens(id?));
        ensure(old == new, "the old id does not open the new session")?;
        let is_ended = !self.works_after_the_grace(&id("a0"));
        ensure(is_ended, "the old id works after the grace")
    }

    fn check_destroy(&self, destroyed: &[SessionId]) -> Result<(), String> {
        // The handle of a session that was rotated without a grace finds nothing to destroy.
        let may_be_elsewhere = !self.none(Action::ends_the_old_id);
        let is_ended = self.successors().next().is_none();
        ensure(
            is_ended || (destroyed.is_empty() && may_be_elsewhere),
            "a destroyed session or its successor works",
        )
    }

    /// No session of `owner` that was acknowledged before the call works, nor what a concurrent
    /// rotation makes of it.
    fn check_destroy_all(&self, all: &Process, owner: &str) -> Result<(), String> {
        let sets = |action: Action| action.new_owner() == Some(owner);
        let is_earlier =
            |process: &&Process| process.ids().is_some() && process.call.precedes(&all.call);
        let owned_before = if self.before.owner() == Some(owner) {
            self.none(|action| action.sets_owner() && sets(action))
        } else {
            self.which(sets).any(|process| is_earlier(&process))
        };
        let created = self.which(|action| action.creates() && owner == OWNER || sets(action));
        let created = created.filter(is_earlier).filter_map(Process::ids);
        let mut gone: Vec<_> = created.flatten().collect();
        if owned_before {
            gone.push(id("a0"));
        }
        if self.before == Before::Two && owner == OWNER {
            gone.push(id("z0"));
        }
        if self.before.owner() == Some(owner) {
            let stays = |action| matches!(action, Action::Rotate | Action::RotateWithGrace);
            gone.extend(self.ids(stays));
        }
        let survives = |id: &SessionId| self.owner(id).as_deref() == Some(owner);
        ensure(!gone.iter().any(survives), "a session survives destroy_all")
    }

    fn check_destroy_others(&self, others: &Process) -> Result<(), String> {
        let ends_a = |action: Action| {
            action.rotates() || matches!(action, Action::Destroy | Action::DestroyAll(_))
        };
        if self.none(ends_a) && self.before != Before::Abandoned {
            let works = self.works(&id("a0"));
            ensure(works, "destroy_others ends the kept session")?;
        }
        let earlier = self.which(Action::creates);
        let earlier = earlier.filter(|each| each.call.precedes(&others.call));
        let mut gone = earlier.filter_map(Process::ids).flatten();
        let survives = self.works(&id("z0")) || gone.any(|id| self.works(&id));
        ensure(!survives, "a session survives destroy_others")
    }

    fn check_list(&self, list: &Process, listed: &[SessionId]) -> Result<(), String> {
        if !self.none(Action::destroys) || self.before.owner() != Some(OWNER) {
            return Ok(());
        }
        let moves = |action: Action| action.rotates() || action.new_owner().is_some();
        if self.none(moves) && self.before != Before::Abandoned {
            ensure(listed.contains(&id("a0")), "a list does not show a session")?;
        }
        let created = self.which(Action::creates);
        let stays = |action| matches!(action, Action::Rotate | Action::RotateWithGrace);
        let rotated = self.which(stays);
        let owner_stays = self.none(|action| action.new_owner().is_some());
        for process in created.chain(rotated.filter(|_| owner_stays)) {
            if let Some(ids) = process.ids()
                && process.call.precedes(&list.call)
            {
                let shown = ids.iter().all(|id| listed.contains(id));
                ensure(shown, "a later list does not show a session")?;
                let old = process.action.rotates() && listed.contains(&id("a0"));
                ensure(!old, "a later list shows the old id")?;
            }
        }
        Ok(())
    }

    /// Exactly one of several rotations without a grace succeeds, and one session remains.
    fn check_rotations(&self) -> Result<(), String> {
        let rotations = || self.which(Action::rotates);
        let succeeded = rotations().filter(|each| each.ids().is_some());
        let all = succeeded.count();
        let winners = self.which(Action::ends_the_old_id);
        let winners = winners.filter_map(Process::ids).count();
        let is_given = !self.none(Action::sets_owner);
        // The login of another owner destroys the session and creates another one.
        let exclusive = !is_given && rotations().all(|each| self.keeps_data(each.action));
        ensure(!exclusive || winners <= 1, "two rotations succeeded")?;
        let remain: BTreeSet<_> = self.successors().map(|id| self.opens(&id)).collect();
        ensure(!exclusive || remain.len() <= 1, "there are two sessions")?;
        let may_end = !self.none(|action| action.destroys() || action.ends_the_old_id())
            || self.before == Before::Abandoned
            || self.none(Action::rotates);
        let works = may_end || self.works(&id("a0"));
        ensure(works, "a session is lost during a rotation with a grace")?;
        let expected = self.is_free_of_faults()
            && rotations().next().is_some()
            && self.none(Action::destroys)
            && !is_given
            && self.before != Before::Abandoned;
        ensure(!expected || all >= 1, "no rotation succeeded")
    }

    /// Created sessions work, and only one of several creations with the same id succeeds.
    fn check_creations(&self) -> Result<(), String> {
        let creations = || self.which(|action| action == Action::CreateWithId);
        let created = creations().filter_map(Process::ids).count();
        ensure(created <= 1, "two processes created one session")?;
        if !self.none(Action::destroys) {
            return Ok(());
        }
        let failed = |each: &Process| matches!(each.call.value(), Some(Err(_)));
        let lost = creations().next().is_some() && creations().all(failed);
        ensure(!lost || self.failures, "no process created the session")?;
        let created = self.ids(Action::creates);
        let work = created.iter().all(|id| self.works(id));
        ensure(work, "a created session is gone")
    }

    /// A list completes a `destroy_all` that crashed.
    fn check_abandoned(&self) -> Result<(), String> {
        if self.before != Before::Abandoned {
            return Ok(());
        }
        let mut lists = self.which(|action| action == Action::List);
        if lists.all(|list| list.ids().is_none()) {
            let listed = run(self.sessions.list(OWNER).into_future());
            ensure(listed.is_ok(), "the next list failed")?;
        }
        let works = self.works(&id("a0"));
        ensure(!works, "a list leaves what a destroy_all began")?;
        let rotated = self.which(Action::rotates).any(|each| each.ids().is_some());
        ensure(!rotated, "a session with a tombstone was rotated")
    }
}
