//! The largest number of sessions of an owner, in every order of steps.

use jwt_redis_session::config::Evict::{self, LeastRecentlyUsed, Refuse};
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{SharedStore, Store as _};
use jwt_redis_session::{SessionError, SessionId, Sessions};
use test_support::explorer::{Call, Explorer};

use super::actions::{Done, OWNER, create, id, limited};
use super::end::{INDEXES, ensure, run};

/// Logs in, or rotates the session `a0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Login,
    Rotate,
}

impl Action {
    async fn run(self, sessions: Sessions) -> Done {
        if self == Self::Login {
            return create(&sessions, OWNER).await;
        }
        let session = sessions.get(&id("a0")).await?;
        session.rotate().await?;
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

    /// The session `a0` exists. All tokens that clients have open at most `limit` sessions.
    fn explore(&self) {
        let explored = self.explorer.explore(|simulation| {
            let before = self.sessions(simulation.store(), simulation.clock(), "a");
            run(create(&before, OWNER)).unwrap();
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
        let known: Vec<SessionId> = ids.chain([id("a0")]).collect();
        let works = |id: &&SessionId| run(sessions.get(id)).is_ok();
        let working = known.iter().filter(works).count();
        let has_crashed = returned.iter().any(Option::is_none) || self.explorer.failures > 0;
        // The session that a login has ended, and crashed before it deleted the record.
        let limit = self.limit + usize::from(has_crashed);
        ensure(working <= limit, "more sessions work than the limit")?;
        if has_crashed {
            return Ok(());
        }
        ensure(working >= 1, "no session is left")?;
        let logins = self.actions.iter().zip(returned);
        let logins = logins.filter(|(action, _)| **action == Action::Login);
        let succeeded = logins
            .filter(|(_, call)| matches!(call, Some(Ok(_))))
            .count();
        match self.evict {
            // A login that waits gives up if the other one stands still.
            Refuse => ensure(succeeded < self.limit, "a login was not refused"),
            _ => ensure(succeeded >= 1, "no login succeeded"),
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
        let (store, clock) = (jwt_redis_session::MemoryStore::new(), ManualClock::at(1));
        let sessions = limited(store, clock, "a", Some((1, Refuse)));
        create(&sessions, OWNER).await.unwrap();
        create(&sessions, OWNER).await
    });
    assert!(matches!(refused, Err(SessionError::TooManySessions { .. })));
}
