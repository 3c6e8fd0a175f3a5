//! Giving a session a new id.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, back_off};
use crate::lifecycle::create::Created;
use crate::lifecycle::reply;
use crate::lifecycle::save::Edit;
use crate::record::Record;
use crate::store::{Command, Compared, Superseded};

/// How often a rotation whose successor was taken away, or whose session was given to another
/// owner, is started again.
const ATTEMPTS: u32 = 5;

/// How often a rotation follows writes to the old record.
const FOLLOW: u32 = 64;

/// The two sessions of a rotation.
struct Pair<'a> {
    old: &'a SessionId,
    new: &'a SessionId,
    /// The old record as it was last seen.
    before: Record,
    /// What the new record holds.
    after: Record,
}

/// Which of the two still stands when the decision falls.
enum Decision {
    Go,
    OldGone,
    NewGone,
    /// The new id is another session's.
    Taken,
    /// The old one belongs to another owner now, whose index has to decide.
    Moved,
}

impl Engine {
    /// Moves the session to a new id, with what `edit` makes of its record; the old id is dead
    /// then. Of several concurrent rotations of one session exactly one wins, the others find it
    /// gone. Until the decision falls the old id works, and so it does after a failure.
    pub(crate) async fn rotate(
        self: Arc<Self>,
        old: SessionId,
        mut seen: Record,
        claims: Map<String, Value>,
        edit: Edit<'_>,
    ) -> Result<Created, SessionError> {
        for _ in 0..ATTEMPTS {
            let after = edit(&seen)?;
            self.check_size(&after)?;
            let (new, token) = self.issue(after.meta(), &claims)?;
            let mut pair = Pair {
                old: &old,
                new: &new,
                before: seen.clone(),
                after,
            };
            let outcome = self.try_rotate(&mut pair, &mut *edit).await;
            let (before, record) = (pair.before, pair.after);
            match outcome {
                Ok(Decision::Go) => {
                    return Ok(Created {
                        id: new,
                        token,
                        record,
                    });
                }
                Ok(Decision::NewGone) => self.discard(&new, &record).await?,
                Ok(Decision::Taken) => self.unlist_taken(&new, &record).await?,
                Ok(Decision::Moved) => {
                    self.discard(&new, &record).await?;
                    seen = before;
                }
                Ok(Decision::OldGone) => {
                    self.discard(&new, &record).await?;
                    return Err(SessionError::Gone);
                }
                Err(error) => {
                    let _ = self.discard(&new, &record).await;
                    return Err(error);
                }
            }
        }
        Err(SessionError::Conflict)
    }

    async fn try_rotate(
        &self,
        pair: &mut Pair<'_>,
        edit: Edit<'_>,
    ) -> Result<Decision, SessionError> {
        if !self.write_successor(pair).await? {
            return Ok(Decision::Taken);
        }
        let outcome = match self.decide(pair).await {
            Ok(Decision::Go) => self.retire(pair, edit).await,
            undecided => undecided,
        };
        if outcome.is_err() {
            let _ = self.let_live(pair).await;
        }
        outcome
    }

    /// (1) lists the new id, (2) writes the new record. The old id is listed too: an index that
    /// was lost must not make its sessions immovable.
    async fn write_successor(&self, pair: &Pair<'_>) -> Result<bool, SessionError> {
        let (key, ttl) = (self.keyspace.record(pair.new), self.ttl(&pair.after)?);
        let write = Command::Insert {
            key: &key,
            value: pair.after.bytes(),
            ttl,
        };
        let old_index = self.index(pair.before.meta().owner.as_ref());
        let new_index = self.index(pair.after.meta().owner.as_ref());
        let mut commands = Vec::with_capacity(3);
        commands.extend(
            old_index
                .as_ref()
                .map(|index| self.put(index, pair.old, ttl)),
        );
        commands.extend(
            new_index
                .as_ref()
                .map(|index| self.put(index, pair.new, ttl)),
        );
        commands.push(write);
        match self.run_all(&commands).await?.pop() {
            Some(inserted) => reply::applied(inserted),
            None => Ok(false),
        }
    }

    /// (3) the point of decision: one step on the old owner's index marks the old id as dying,
    /// if it still stands; a `destroy_all` on either side of it takes both ids or none.
    async fn decide(&self, pair: &Pair<'_>) -> Result<Decision, SessionError> {
        let (old_owner, new_owner) = (
            pair.before.meta().owner.as_ref(),
            pair.after.meta().owner.as_ref(),
        );
        if let (true, Some(index)) = (old_owner != new_owner, self.index(new_owner)) {
            let check = Command::IndexCheck {
                index: &index,
                member: pair.new.as_str(),
            };
            let [listed] = self.run([check]).await?;
            if !reply::applied(listed)? {
                return Ok(Decision::NewGone);
            }
        }
        let Some(index) = self.index(old_owner) else {
            return Ok(Decision::Go);
        };
        let new = if old_owner == new_owner {
            pair.new
        } else {
            pair.old
        };
        let now = self.mark_time();
        let (old, new) = (pair.old.as_str(), new.as_str());
        let supersede = Command::IndexSupersede {
            index: &index,
            old,
            new,
            now,
        };
        let [superseded] = self.run([supersede]).await?;
        Ok(match reply::superseded(superseded)? {
            Superseded::Marked => Decision::Go,
            Superseded::OldGone => Decision::OldGone,
            Superseded::NewGone => Decision::NewGone,
        })
    }

    /// (4) deletes the old record if it still holds what the new one was made of; if it holds
    /// something newer of the same owner, the new record follows first. (5) takes the old id off
    /// the list.
    async fn retire(&self, pair: &mut Pair<'_>, edit: Edit<'_>) -> Result<Decision, SessionError> {
        let old_key = self.keyspace.record(pair.old);
        for attempt in 0..FOLLOW {
            let expected = pair.before.bytes();
            let [reply] = self
                .run([Command::CompareAndDelete {
                    key: &old_key,
                    expected,
                }])
                .await?;
            match reply::compared(reply)? {
                Compared::Equal => {
                    let _ = self.unlist_old(pair).await;
                    return Ok(Decision::Go);
                }
                Compared::Gone => {
                    let _ = self.unlist_old(pair).await;
                    return Ok(Decision::OldGone);
                }
                Compared::Different(bytes) => {
                    let before = self.parse(bytes)?;
                    if before.meta().owner != pair.before.meta().owner {
                        pair.before = before;
                        return Ok(Decision::Moved);
                    }
                    if !self.follow(pair, before, &mut *edit).await? {
                        return Ok(Decision::OldGone);
                    }
                }
            }
            back_off(attempt).await;
        }
        Err(SessionError::Conflict)
    }

    /// Writes the newer data into the new record, if that still stands.
    async fn follow(
        &self,
        pair: &mut Pair<'_>,
        before: Record,
        edit: Edit<'_>,
    ) -> Result<bool, SessionError> {
        pair.after = edit(&before)?;
        pair.before = before;
        self.check_size(&pair.after)?;
        let (key, ttl) = (self.keyspace.record(pair.new), self.ttl(&pair.after)?);
        let write = Command::Replace {
            key: &key,
            value: pair.after.bytes(),
            ttl,
        };
        let [replaced] = self.run([write]).await?;
        reply::applied(replaced)
    }

    /// After a failure the old session works on, so the mark on it, if there is one, comes off.
    /// A `destroy_all` that has seen the mark ends the session all the same.
    async fn let_live(&self, pair: &Pair<'_>) -> Result<(), SessionError> {
        let Some(index) = self.index(pair.before.meta().owner.as_ref()) else {
            return Ok(());
        };
        let ttl = self.ttl(&pair.before)?;
        self.run([self.unmark(&index, pair.old, ttl)])
            .await
            .map(drop)
    }

    async fn unlist_old(&self, pair: &Pair<'_>) -> Result<(), SessionError> {
        let Some(index) = self.index(pair.before.meta().owner.as_ref()) else {
            return Ok(());
        };
        let members = [pair.old.as_str()];
        self.run([Command::IndexRemove {
            index: &index,
            members: &members,
        }])
        .await
        .map(drop)
    }
}
