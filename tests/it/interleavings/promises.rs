//! What the result of each operation promises beside the other operations.

use jwt_redis_session::SessionId;

use super::actions::{Action, OWNER, id};
use super::end::{End, ensure, run};
use super::explore::{Before, Process};

fn creates(action: Action) -> bool {
    matches!(action, Action::Create | Action::CreateWithId)
}

fn sets_owner(action: Action) -> bool {
    matches!(action, Action::SetOwner(_))
}

impl End {
    /// Checks every promise. Destroys all sessions.
    pub(super) fn check(&self) -> Result<(), String> {
        for process in &self.processes {
            self.check_process(process)?;
        }
        self.check_rotations()?;
        self.check_creations()?;
        self.check_abandoned()?;
        // A crash during a change of owner may leave a session out of its index until its next use.
        let unfinished = |process: &Process| process.ok().is_none();
        if self.which(sets_owner).any(unfinished)
            && let Ok(session) = run(self.sessions.get(&id("a0")))
        {
            run(session.touch()).map_err(|error| error.to_string())?;
        }
        self.check_index_and_records()
    }

    fn check_process(&self, process: &Process) -> Result<(), String> {
        let Some(Ok(ids)) = process.ok() else {
            return Ok(());
        };
        match process.action {
            Action::Update => self.check_update(process),
            Action::SetOwner(owner) => self.check_new_owner(owner),
            Action::Rotate | Action::RotateTo(_) | Action::Login(_) => {
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

    /// Returns the sessions that `a` became, if that does not depend on a concurrent change of
    /// owner.
    fn successors(&self) -> Vec<SessionId> {
        let owner_is_set = !self.none(sets_owner);
        let keeps = |action| {
            self.keeps_data(action) && !(owner_is_set && matches!(action, Action::Login(_)))
        };
        let ids = self.which(keeps).filter_map(Process::ok).flatten();
        ids.flatten().collect()
    }

    fn check_update(&self, update: &Process) -> Result<(), String> {
        let mut kept = self.successors();
        kept.push(id("a0"));
        let lost = |id: &SessionId| self.works(id) && !self.has(id, update.name);
        ensure(!kept.iter().any(lost), "an acknowledged update is lost")
    }

    fn check_new_owner(&self, owner: &str) -> Result<(), String> {
        if self.which(|action| action.new_owner().is_some()).count() > 1 {
            return Ok(());
        }
        let mut given = self.successors();
        given.push(id("a0"));
        let lost = |id: &SessionId| self.works(id) && self.owner(id).as_deref() != Some(owner);
        ensure(!given.iter().any(lost), "the new owner is lost")
    }

    fn check_rotation(&self, rotation: &Process, ids: &[SessionId]) -> Result<(), String> {
        ensure(!self.works(&id("a0")), "the old id works after a rotation")?;
        let [new] = ids else {
            return Err("a rotation returns one id".to_owned());
        };
        if !self.works(new) {
            return Ok(());
        }
        let (found, expected) = (self.owner(new), rotation.action.new_owner());
        let is_given = !self.none(sets_owner);
        ensure(
            expected.is_none_or(|expected| found.as_deref() == Some(expected)),
            "the session has another owner than it was given",
        )?;
        if is_given {
            return Ok(());
        }
        // No data passes from one owner to another.
        let origin = self.before.owner().unwrap_or("guest").to_owned();
        let kept = self.keeps_data(rotation.action);
        let expected = kept.then_some(origin);
        ensure(
            self.origin(new) == expected,
            "the data is not that of the owner",
        )?;
        let crossed = |update: &Process| !kept && self.has(new, update.name);
        let updates = self.which(|action| action == Action::Update);
        ensure(
            !updates.into_iter().any(crossed),
            "an update crossed to another owner",
        )
    }

    fn check_destroy(&self, destroyed: &[SessionId]) -> Result<(), String> {
        if destroyed.is_empty() {
            return Ok(());
        }
        ensure(!self.works(&id("a0")), "a session works after its destroy")?;
        let survives = self.successors().iter().any(|id| self.works(id));
        ensure(!survives, "the successor of a destroyed session works")
    }

    /// No session of `owner` that was acknowledged before the call works, nor what a concurrent
    /// rotation makes of it.
    fn check_destroy_all(&self, all: &Process, owner: &str) -> Result<(), String> {
        let sets = |action: Action| action.new_owner() == Some(owner);
        let sets_before =
            |process: &Process| process.ok().is_some() && process.call.precedes(&all.call);
        let owned_before = if self.before.owner() == Some(owner) {
            self.none(|action| sets_owner(action) && sets(action))
        } else {
            self.which(sets).any(sets_before)
        };
        let mut gone = vec![];
        if owned_before {
            gone.push(id("a0"));
        }
        if self.before == Before::Two && owner == OWNER {
            gone.push(id("z0"));
        }
        let created = self.which(|action| creates(action) && owner == OWNER || sets(action));
        let earlier = created
            .filter(|each| sets_before(each))
            .filter_map(Process::ok);
        gone.extend(earlier.flatten().flatten());
        let rotated = self
            .which(|action| action == Action::Rotate)
            .filter_map(Process::ok);
        if self.before.owner() == Some(owner) {
            gone.extend(rotated.flatten().flatten());
        }
        let survives = |id: &SessionId| self.owner(id).as_deref() == Some(owner);
        ensure(!gone.iter().any(survives), "a session survives destroy_all")
    }

    fn check_destroy_others(&self, others: &Process) -> Result<(), String> {
        let ends_a = |action: Action| {
            action.rotates() || matches!(action, Action::Destroy | Action::DestroyAll(_))
        };
        if self.none(ends_a) && self.before != Before::Abandoned {
            ensure(
                self.works(&id("a0")),
                "destroy_others ends the kept session",
            )?;
        }
        let mut gone = vec![id("z0")];
        let created = self.which(creates);
        let earlier = created.filter(|each| each.call.precedes(&others.call));
        gone.extend(earlier.filter_map(Process::ok).flatten().flatten());
        let survives = gone.iter().any(|id| self.works(id));
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
        let created = self.which(creates);
        let rotated = self.which(|action| action == Action::Rotate);
        let owner_stays = self.none(|action| action.new_owner().is_some());
        for process in created.chain(rotated.filter(|_| owner_stays)) {
            if let Some(Ok(ids)) = process.ok()
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

    /// Of several rotations exactly one succeeds.
    fn check_rotations(&self) -> Result<(), String> {
        let rotations = || self.which(Action::rotates);
        let winners = rotations().filter_map(Process::ok).count();
        let is_given = !self.none(sets_owner);
        // The login of another owner destroys the session and creates another one.
        let exclusive = !is_given && rotations().all(|each| self.keeps_data(each.action));
        ensure(!exclusive || winners <= 1, "two rotations succeeded")?;
        let expected = self.is_calm()
            && rotations().next().is_some()
            && self.none(Action::destroys)
            && !is_given
            && self.before != Before::Abandoned;
        ensure(!expected || winners >= 1, "no rotation succeeded")
    }

    /// A session that was created works, and of several creations of one id one succeeds.
    fn check_creations(&self) -> Result<(), String> {
        let creations = || self.which(|action| action == Action::CreateWithId);
        let created = creations().filter_map(Process::ok).count();
        ensure(created <= 1, "two processes created one session")?;
        if !self.none(Action::destroys) {
            return Ok(());
        }
        let failed = |each: &Process| matches!(each.call.value(), Some(Err(_)));
        let lost = creations().next().is_some() && creations().all(failed);
        ensure(!lost || self.failures, "no process created the session")?;
        let created = self.which(creates);
        let created = created.filter_map(Process::ok).flatten().flatten();
        let works = created.into_iter().all(|id| self.works(&id));
        ensure(works, "a created session is gone")
    }

    /// A list completes a `destroy_all` that crashed.
    fn check_abandoned(&self) -> Result<(), String> {
        if self.before != Before::Abandoned {
            return Ok(());
        }
        if self
            .which(|action| action == Action::List)
            .all(|list| list.ok().is_none())
        {
            let listed = run(self.sessions.list(OWNER));
            ensure(listed.is_ok(), "the next list failed")?;
        }
        ensure(
            !self.works(&id("a0")),
            "a list leaves what a destroy_all began",
        )?;
        let rotated = self.which(Action::rotates).filter_map(Process::ok).count();
        ensure(rotated == 0, "a session with a tombstone was rotated")
    }
}
