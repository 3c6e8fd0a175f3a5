//! The largest number of sessions of an owner, in every order of steps.

use std::collections::BTreeSet;

use jwt_redis_session::config::Evict::{self, LeastRecentlyUsed, Refuse};
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{SharedStore, Store as _};
use jwt_redis_session::{MemoryStore, SessionError, Sessions};
use test_support::explorer::{Call, Explorer};

use super::actions::{Done, GRACE, OTHER, OWNER, create, id, limited};
use super::end::{INDEXES, ensure, run};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Login,
    /// Logs in with the guest session `g0`.
    LoginGuest,
    /// Rotates the session `a0`.
    Rotate,
    /// Gives the session `g0`, of another owner, to the owner by an update.
    Give,
    /// Rotates the session `g0`.
    RotateGiven,
    RotateGivenWithGrace,
}

impl Action {
    async fn run(self, sessions: Sessions) -> Done {
        if self == Self::Login {
            return create(&sessions, OWNER).await;
        }
        let name = if self == Self::Rotate { "a0" } else { "g0" };
        let session = sessions.get(&id(name)).await?;
        match self {
            Self::Give => {
                session.set_owner(OWNER)?;
                session.update().await?;
            }
            Self::LoginGuest => drop(session.login(OWNER).await?),
            Self::RotateGivenWithGrace => drop(session.rotate_with_grace(GRACE).await?),
            _ => drop(session.rotate().await?),
        }
        Ok(session.id().into_iter().collect())
    }
}

struct Limit {
    limit: usize,
    evict: Evict,
    actions: &'static [Action],
    explorer: Explorer,
}

impl Limit {
    fn sessions(
        &self,
        store: impl Into<SharedStore>,
        clock: ManualClock,
        name: &'static str,
    ) -> Sessions {
        limited(store, clock, name, Some((self.limit, self.evict)))
    }

    /// Creates the sessions `a0`, and `g0` if the actions use it.
    fn prepare(&self, store: &MemoryStore, clock: &ManualClock) {
        let [owned, other] =
            ["a", "g"].map(|name| self.sessions(store.clone(), clock.clone(), name));
        run(create(&owned, OWNER)).unwrap();
        if self.actions.contains(&Action::Give) {
            run(create(&other, OTHER)).unwrap();
        } else if self.actions.contains(&Action::LoginGuest) {
            run(other.new_session().create().into_future()).unwrap();
        }
    }

    /// All tokens that clients have open at most `limit` sessions of the owner.
    fn explore(&self) {
        let explored = self.explorer.explore(|simulation| {
            self.prepare(&simulation.store(), &simulation.clock());
            let calls = self
                .actions
                .iter()
                .zip(["b", "c", "d"])
                .map(|(action, name)| {
                    let (action, clock, limit) =
                        (*action, simulation.clock(), (self.limit, self.evict));
                    let run =
                        move |store| action.run(limited(store, clock.clone(), name, Some(limit)));
                    simulation.spawn(name, run)
                });
            let calls: Vec<Call<Done>> = calls.collect();
            let store = simulation.store();
            let end = self.sessions(store.clone(), simulation.clock(), "end");
            move || {
                let returned: Vec<_> = calls.iter().map(Call::value).collect();
                self.check(&end, &returned)?;
                let is_whole = returned.iter().all(Option::is_some) && self.explorer.failures == 0;
                // The index of the other owner may still list a session.
                let is_whole = is_whole && !self.actions.contains(&Action::Give);
                let entries = run(store.index_list(INDEXES[0].1, None)).unwrap();
                ensure(
                    !is_whole || entries.len() == store.len(),
                    "an entry is left",
                )
            }
        });
        if let Err(violation) = explored {
            panic!(
                "{} {:?} {:?}: {violation}",
                self.limit, self.evict, self.actions
            );
        }
    }

    fn check(&self, sessions: &Sessions, returned: &[Option<Done>]) -> Result<(), String> {
        let ids = returned.iter().flatten().flatten().flatten().cloned();
        let known = ids.chain([id("a0"), id("g0")]).collect::<BTreeSet<_>>();
        let opened = known.iter().filter_map(|id| run(sessions.get(id)).ok());
        let owned = opened.filter(|session| session.owner().as_deref() == Some(OWNER));
        // Several ids may lead to one session.
        let working = owned.filter_map(|session| session.id());
        let working = working.collect::<BTreeSet<_>>().len();
        let has_crashed = returned.iter().any(Option::is_none) || self.explorer.failures > 0;
        // The session that a login has ended, and crashed before it deleted the record.
        let limit = self.limit + usize::from(has_crashed);
        ensure(working <= limit, "more sessions work than the limit")?;
        if has_crashed {
            return Ok(());
        }
        // A session that is given away and rotated at the same time may end its own successor.
        let is_given = self.actions.contains(&Action::Give);
        ensure(working >= 1 || is_given, "no session is left")?;
        let logins = self.actions.iter().zip(returned);
        let logins =
            logins.filter(|(action, _)| matches!(action, Action::Login | Action::LoginGuest));
        let succeeded = logins
            .filter(|(_, call)| matches!(call, Some(Ok(_))))
            .count();
        match self.evict {
            // A login that waits gives up if the other one makes no progress.
            Refuse => ensure(succeeded < self.limit, "a login was not refused"),
            _ => ensure(succeeded >= 1 || is_given, "no login succeeded"),
        }
    }
}

const CRASH: Explorer = Explorer {
    crashes: 1,
    ..Explorer::PLAIN
};

fn explore(evict: Evict, limits: &[usize], actions: &'static [Action], explorer: Explorer) {
    for limit in limits {
        let limit = *limit;
        let limit = Limit {
            limit,
            evict,
            actions,
            explorer,
        };
        limit.explore();
    }
}

#[test]
fn two_logins_end_what_is_too_many() {
    for actions in [
        &[Action::Login, Action::Login][..],
        &[Action::Login, Action::Rotate],
    ] {
        explore(LeastRecentlyUsed, &[1, 2], actions, CRASH);
    }
}

#[test]
fn logins_of_guests_end_what_is_too_many() {
    for actions in [
        &[Action::LoginGuest, Action::LoginGuest][..],
        &[Action::LoginGuest, Action::Login],
    ] {
        explore(LeastRecentlyUsed, &[1, 2], actions, CRASH);
    }
}

#[test]
fn a_session_that_is_given_away_and_rotated_counts() {
    for rotate in [Action::RotateGiven, Action::RotateGivenWithGrace] {
        let actions: &[Action] = match rotate {
            Action::RotateGiven => &[Action::Give, Action::RotateGiven],
            _ => &[Action::Give, Action::RotateGivenWithGrace],
        };
        explore(LeastRecentlyUsed, &[1], actions, Explorer::PLAIN);
    }
}

#[test]
fn a_login_ends_what_is_too_many_with_failing_steps() {
    let failures = Explorer {
        failures: 2,
        ..CRASH
    };
    explore(LeastRecentlyUsed, &[1], &[Action::Login], failures);
}

#[test]
fn one_of_two_logins_gets_the_last_place() {
    explore(
        Refuse,
        &[1, 2, 3],
        &[Action::Login, Action::Login],
        Explorer::PLAIN,
    );
    explore(
        Refuse,
        &[2],
        &[Action::Login, Action::Rotate],
        Explorer::PLAIN,
    );
}

#[test]
fn a_refused_login_is_no_session() {
    let refused = run(async {
        let (store, clock) = (MemoryStore::new(), ManualClock::at(1));
        let sessions = limited(store, clock, "a", Some((1, Refuse)));
        create(&sessions, OWNER).await.unwrap();
        create(&sessions, OWNER).await
    });
    assert!(matches!(refused, Err(SessionError::TooManySessions { .. })));
}
