//! One exploration: what exists before, and which processes run.

use std::time::UNIX_EPOCH;

use jwt_redis_session::SessionId;
use jwt_redis_session::config::Clock as _;
use jwt_redis_session::store::Store as _;
use test_support::explorer::{Call, Explorer, Simulation};

use super::actions::{Action, Done, OWNER, create, sessions};
use super::end::{End, INDEXES, run};

/// What exists before the processes start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// `a` has no owner.
    Guest,
    /// `a` belongs to [`OWNER`].
    Owned,
    /// `a` and `z` belong to [`OWNER`].
    Two,
    /// `a` belongs to [`OWNER`], for whom a `destroy_all` crashed after its first step an hour ago.
    Abandoned,
}

impl Before {
    /// Returns the owner of `a`.
    pub(super) fn owner(self) -> Option<&'static str> {
        (self != Self::Guest).then_some(OWNER)
    }

    async fn prepare(self, simulation: &Simulation) {
        let [a, z] = ["a", "z"].map(|name| sessions(simulation.store(), simulation.clock(), name));
        let session = a.new_session();
        if let Some(owner) = self.owner() {
            session.set_owner(owner).unwrap();
        }
        let origin = self.owner().unwrap_or("guest");
        session.insert("of", origin).unwrap();
        session.create().await.unwrap();
        if self == Self::Two {
            create(&z, OWNER).await.unwrap();
        }
        if self == Self::Abandoned {
            let now = simulation.clock().now().duration_since(UNIX_EPOCH);
            let since = i64::try_from(now.unwrap().as_secs()).unwrap() - 3600;
            let store = simulation.store();
            let deleting = store.index_tombstone_all(INDEXES[0].1, None, since);
            deleting.await.unwrap();
        }
    }
}

/// A process and its call.
pub(super) struct Process {
    pub(super) name: &'static str,
    pub(super) action: Action,
    pub(super) call: Call<Done>,
}

impl Process {
    /// Returns the ids if the operation succeeded.
    pub(super) fn ids(&self) -> Option<Vec<SessionId>> {
        self.call.value()?.ok()
    }
}

/// Runs `actions` in every order and checks all promises at every end.
pub(super) fn explore(before: Before, actions: &[Action], explorer: Explorer) {
    let explored = explorer.explore(|simulation| {
        run(before.prepare(simulation));
        let processes = actions.iter().zip(["b", "c", "d"]).map(|(action, name)| {
            let (action, clock) = (*action, simulation.clock());
            let run = move |store| action.run(sessions(store, clock.clone(), name), name);
            let call = simulation.spawn(name, run);
            Process { name, action, call }
        });
        let processes = processes.collect();
        let end = End {
            store: simulation.store(),
            sessions: sessions(simulation.store(), simulation.clock(), "end"),
            clock: simulation.clock(),
            before,
            processes,
            failures: explorer.failures > 0,
        };
        move || end.check()
    });
    if let Err(violation) = explored {
        panic!("{before:?} {actions:?} {explorer:?}: {violation}");
    }
}
