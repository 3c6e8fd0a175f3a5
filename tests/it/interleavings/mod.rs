//! Every order of the steps of two or three operations on one owner, on the real code.
//!
//! Each process has `Sessions` of its own on a store that stops at every command; the explorer
//! runs all orders of the commands, with crashes, dropped callers and failing commands. At every
//! end the promises are checked that hold whatever happened, and, if nothing went wrong, that
//! nothing is left over. `LONG=1` allows more crashes, drops and failures at once.
//!
//! `a` is the session that is there in the beginning; a process's name is the beginning of the
//! ids that it draws: `b0` is the first try of the process `b`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use jwt_redis_session::config::{Clock as _, ManualClock};
use jwt_redis_session::store::{EntryState, IndexEntry, IndexFilter, SharedStore, Store};
use jwt_redis_session::{Keyring, MemoryStore, SessionError, SessionId, Sessions};
use test_support::scheduler::{Call, Explorer, Simulation};

mod changing_hands;
mod chosen_ids;
mod destroy_all;
mod login;
mod others;
mod rotation;

const OWNER: &str = "jo";

const OTHER: &str = "al";

/// `keyspace + "owner:" + base64url(owner) + ":"`.
const INDEXES: [(&str, &str); 2] = [(OWNER, "sess:owner:am8:"), (OTHER, "sess:owner:YWw:")];

const MAX_AGE: Duration = Duration::from_secs(86_400);

type Did<T> = Call<Result<T, SessionError>>;

// What the processes do.

fn id(name: &str) -> SessionId {
    SessionId::parse(format!("{name:-<16}")).unwrap()
}

/// Sessions whose ids tell who made them: `name0`, `name1`, …
fn sessions(store: impl Into<SharedStore>, clock: ManualClock, name: &'static str) -> Sessions {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    let keyring =
        KEYRING.get_or_init(|| Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap());
    let count = AtomicUsize::new(0);
    let new_id = move || id(&format!("{name}{}", count.fetch_add(1, Ordering::Relaxed)));
    Sessions::builder(store, keyring.clone())
        .clock(clock)
        .id_generator(new_id)
        .max_age(MAX_AGE)
        .build()
        .unwrap()
}

fn unix_seconds(clock: &ManualClock) -> i64 {
    let since = clock.now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

async fn create(sessions: Sessions, owner: &str) -> Result<SessionId, SessionError> {
    let session = sessions.new_session();
    session.set_owner(owner).unwrap();
    session.create().await?;
    Ok(session.id().unwrap())
}

/// Under the id `c`.
async fn create_as(sessions: Sessions) -> Result<(), SessionError> {
    let session = sessions.new_session();
    session.set_owner(OWNER).unwrap();
    session.create().id(id("c")).await?;
    Ok(())
}

async fn rotate(sessions: Sessions, old: SessionId) -> Result<SessionId, SessionError> {
    let session = sessions.get(&old).await?;
    session.rotate().await?;
    Ok(session.id().unwrap())
}

/// As at a login: the session changes hands and gets a new id.
async fn rotate_to(
    sessions: Sessions,
    old: SessionId,
    owner: &str,
) -> Result<SessionId, SessionError> {
    let session = sessions.get(&old).await?;
    session.set_owner(owner).unwrap();
    session.rotate().await?;
    Ok(session.id().unwrap())
}

async fn login(sessions: Sessions, old: SessionId, owner: &str) -> Result<SessionId, SessionError> {
    let session = sessions.get(&old).await?;
    session.login(owner).await?;
    Ok(session.id().unwrap())
}

async fn update(sessions: Sessions, id: SessionId, key: &str) -> Result<(), SessionError> {
    let session = sessions.get(&id).await?;
    session.insert(key, 1)?;
    session.update().await
}

async fn give(sessions: Sessions, id: SessionId, owner: &str) -> Result<(), SessionError> {
    let session = sessions.get(&id).await?;
    session.set_owner(owner).unwrap();
    session.update().await
}

async fn touch(sessions: Sessions, id: SessionId) -> Result<(), SessionError> {
    sessions.get(&id).await?.touch().await
}

async fn destroy(sessions: Sessions, id: SessionId) -> Result<bool, SessionError> {
    sessions.get(&id).await?.destroy().await
}

async fn list(sessions: Sessions) -> Result<Vec<SessionId>, SessionError> {
    let entries = sessions.list(OWNER).await?;
    Ok(entries.iter().map(|entry| entry.id().clone()).collect())
}

// The stage: who acts, and what is there in the beginning.

/// A simulation with the session `a` of [`OWNER`], and what is to be known of its processes.
struct Stage<'w> {
    simulation: &'w mut Simulation,
    returned: Vec<Box<dyn Fn() -> bool>>,
    tokens: Vec<Box<dyn Fn() -> Option<SessionId>>>,
    a: SessionId,
}

impl<'w> Stage<'w> {
    async fn new(simulation: &'w mut Simulation) -> Self {
        Self::owned_by(simulation, Some(OWNER)).await
    }

    async fn owned_by(simulation: &'w mut Simulation, owner: Option<&str>) -> Self {
        let first = sessions(simulation.store(), simulation.clock(), "a").new_session();
        if let Some(owner) = owner {
            first.set_owner(owner).unwrap();
        }
        first.insert("of", owner.unwrap_or("guest")).unwrap();
        first.create().await.unwrap();
        let a = first.id().unwrap();
        let known = a.clone();
        Self {
            simulation,
            returned: Vec::new(),
            tokens: vec![Box::new(move || Some(known.clone()))],
            a,
        }
    }

    /// A session of [`OWNER`] that was created before, whose id is `name0`.
    async fn issue_before(&mut self, name: &'static str) {
        let id = create(
            sessions(self.simulation.store(), self.simulation.clock(), name),
            OWNER,
        )
        .await
        .unwrap();
        self.tokens.push(Box::new(move || Some(id.clone())));
    }

    /// A `destroy_all` crashed after its first step, long ago.
    async fn destroy_all_is_cut_short(&mut self) {
        let (index, keep) = (INDEXES[0].1, None);
        let now = unix_seconds(&self.simulation.clock()) - 3600;
        let store = self.simulation.store();
        store.index_tombstone_all(index, keep, now).await.unwrap();
    }

    fn act<T, F>(&mut self, name: &'static str, operation: impl FnOnce(Sessions) -> F) -> Did<T>
    where
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
        T: Send + 'static,
    {
        let clock = self.simulation.clock();
        let did = self
            .simulation
            .spawn(name, |store| operation(sessions(store, clock, name)));
        let returned = did.clone();
        self.returned
            .push(Box::new(move || returned.has_returned()));
        did
    }

    /// Somebody who gets a token for a session.
    fn issue<F>(
        &mut self,
        name: &'static str,
        operation: impl FnOnce(Sessions) -> F,
    ) -> Did<SessionId>
    where
        F: Future<Output = Result<SessionId, SessionError>> + Send + 'static,
    {
        let did = self.act(name, operation);
        let issued = did.clone();
        self.tokens.push(Box::new(move || issued.value()?.ok()));
        did
    }

    fn create(&mut self, name: &'static str) -> Did<SessionId> {
        self.issue(name, |sessions| create(sessions, OWNER))
    }

    /// Everybody who creates the session `c`, whose token is known if one of them has it.
    fn create_as<const N: usize>(&mut self, names: [&'static str; N]) -> [Did<()>; N] {
        let dids = names.map(|name| self.act(name, create_as));
        let issued = dids.clone();
        let token = move || issued.iter().find_map(ok).map(|()| id("c"));
        self.tokens.push(Box::new(token));
        dids
    }

    fn rotate(&mut self, name: &'static str) -> Did<SessionId> {
        let old = self.a.clone();
        self.issue(name, |sessions| rotate(sessions, old))
    }

    fn rotate_to(&mut self, name: &'static str, owner: &'static str) -> Did<SessionId> {
        let old = self.a.clone();
        self.issue(name, move |sessions| rotate_to(sessions, old, owner))
    }

    fn login(&mut self, name: &'static str, owner: &'static str) -> Did<SessionId> {
        let old = self.a.clone();
        self.issue(name, move |sessions| login(sessions, old, owner))
    }

    fn update(&mut self, name: &'static str) -> Did<()> {
        let id = self.a.clone();
        self.act(name, move |sessions| update(sessions, id, name))
    }

    fn give(&mut self, name: &'static str, owner: &'static str) -> Did<()> {
        let id = self.a.clone();
        self.act(name, move |sessions| give(sessions, id, owner))
    }

    fn touch(&mut self, name: &'static str) -> Did<()> {
        let id = self.a.clone();
        self.act(name, |sessions| touch(sessions, id))
    }

    fn destroy(&mut self, name: &'static str) -> Did<bool> {
        let id = self.a.clone();
        self.act(name, |sessions| destroy(sessions, id))
    }

    fn destroy_all(&mut self, name: &'static str) -> Did<usize> {
        self.destroy_all_of(name, OWNER)
    }

    fn destroy_all_of(&mut self, name: &'static str, owner: &'static str) -> Did<usize> {
        self.act(name, move |sessions| async move {
            sessions.destroy_all(owner).await
        })
    }

    fn destroy_others(&mut self, name: &'static str) -> Did<usize> {
        let keep = self.a.clone();
        self.act(name, |sessions| async move {
            sessions.destroy_others(OWNER, &keep).await
        })
    }

    fn list(&mut self, name: &'static str) -> Did<Vec<SessionId>> {
        self.act(name, list)
    }

    /// What remains when nobody can take a step any more.
    fn end(self) -> End {
        End {
            store: self.simulation.store(),
            sessions: sessions(self.simulation.store(), self.simulation.clock(), "end"),
            returned: self.returned,
            tokens: self.tokens,
            a: self.a,
            failures: false,
            hands_changed: false,
        }
    }
}

// The end: what is checked.

struct End {
    store: MemoryStore,
    sessions: Sessions,
    returned: Vec<Box<dyn Fn() -> bool>>,
    tokens: Vec<Box<dyn Fn() -> Option<SessionId>>>,
    a: SessionId,
    failures: bool,
    hands_changed: bool,
}

fn ensure(holds: bool, sentence: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence.into()) }
}

fn ok<T: Clone + 'static>(did: &Did<T>) -> Option<T> {
    did.value()?.ok()
}

impl End {
    /// Commands may have failed, so that even one that returned may have left something over.
    fn after_failures(mut self) -> Self {
        self.failures = true;
        self
    }

    /// The index of a former owner may hold a session that is another's now, or dead; it is
    /// neither listed nor ended by that owner, and leaves the index when its score has passed.
    fn after_changing_hands(mut self) -> Self {
        self.hands_changed = true;
        self
    }

    /// Neither a crash nor a dropped caller nor a failed command: nothing excuses a leftover.
    fn is_calm(&self) -> bool {
        !self.failures && self.returned.iter().all(|returned| returned())
    }

    /// The use of `a` that mends what a crash while it changed hands has left.
    async fn is_used(&self) {
        if let Ok(session) = self.sessions.get(&self.a).await {
            session.touch().await.unwrap();
        }
    }

    /// Another list ends `a`, which a `destroy_all` that was cut short has left marked.
    async fn is_finished_by_a_list(&self) -> Result<(), String> {
        let listed = self.sessions.list(OWNER).await;
        ensure(listed.is_ok(), "the next list failed")?;
        ensure(
            !self.works(&self.a).await,
            "the next list leaves what a destroy_all began",
        )
    }

    async fn works(&self, id: &SessionId) -> bool {
        self.sessions.get(id).await.is_ok()
    }

    async fn has(&self, id: &SessionId, key: &str) -> bool {
        match self.sessions.get(id).await {
            Ok(session) => session.contains_key(key),
            Err(_) => false,
        }
    }

    /// The data that the session `a` had in the beginning names whose it was.
    async fn data_of(&self, id: &SessionId) -> Option<String> {
        let session = self.sessions.get(id).await.ok()?;
        session.get("of").unwrap()
    }

    async fn owner(&self, id: &SessionId) -> Option<String> {
        self.sessions.get(id).await.ok()?.owner()
    }

    /// The working sessions for which somebody has the token.
    async fn known(&self) -> Vec<SessionId> {
        let mut known = Vec::new();
        for id in self.tokens.iter().filter_map(|token| token()) {
            if self.works(&id).await {
                known.push(id);
            }
        }
        known
    }

    async fn entries(&self, index: &str) -> Vec<IndexEntry> {
        self.store
            .index_list(index, IndexFilter::All)
            .await
            .unwrap()
    }

    /// What holds whatever was done, and however it went.
    async fn is_legal(&self) -> Result<(), String> {
        let known = self.known().await;
        for (owner, index) in INDEXES {
            self.index_is_legal(owner, index, &known).await?;
        }
        if self.is_calm() {
            ensure(self.store.len() == known.len(), "a record is nobody's")?;
        }
        self.can_be_finished(&known).await
    }

    async fn index_is_legal(
        &self,
        owner: &str,
        index: &str,
        known: &[SessionId],
    ) -> Result<(), String> {
        let entries = self.entries(index).await;
        let owned = self.owned(owner, known).await;
        for id in &owned {
            let entry = entries.iter().find(|entry| entry.member == id.as_str());
            let Some(entry) = entry else {
                return Err(format!(
                    "the living {} of {owner} is not in the index",
                    id.as_str()
                ));
            };
            let live = matches!(entry.state, EntryState::Active { .. });
            ensure(
                live || !self.is_calm(),
                "a living session is marked as dying",
            )?;
        }
        if self.is_calm() && !self.hands_changed {
            for entry in &entries {
                let refers = owned.iter().any(|id| id.as_str() == entry.member);
                ensure(
                    refers,
                    &format!("{} is a ghost in the index of {owner}", entry.member),
                )?;
            }
        }
        Ok(())
    }

    async fn owned<'a>(&self, owner: &str, known: &'a [SessionId]) -> Vec<&'a SessionId> {
        let mut owned = Vec::new();
        for id in known {
            if self.owner(id).await.as_deref() == Some(owner) {
                owned.push(id);
            }
        }
        owned
    }

    /// Lists show what lives, and one more `destroy_all` ends it and nothing else.
    async fn can_be_finished(&self, known: &[SessionId]) -> Result<(), String> {
        for (owner, other) in [(OWNER, OTHER), (OTHER, OWNER)] {
            let (owned, others) = (
                self.owned(owner, known).await,
                self.owned(other, known).await,
            );
            self.are_listed(owner, &owned).await?;
            let destroyed = self.sessions.destroy_all(owner).await;
            ensure(destroyed.is_ok(), "the last destroy_all failed")?;
            for id in owned {
                ensure(
                    !self.works(id).await,
                    "a session survives the last destroy_all",
                )?;
            }
            for id in others {
                ensure(
                    self.works(id).await,
                    "destroy_all ends another owner's session",
                )?;
            }
        }
        for (owner, index) in INDEXES {
            self.sessions.destroy_all(owner).await.unwrap();
            ensure(
                self.entries(index).await.is_empty(),
                "the index is not empty in the end",
            )?;
        }
        Ok(())
    }

    async fn are_listed(&self, owner: &str, owned: &[&SessionId]) -> Result<(), String> {
        let listed = self
            .sessions
            .list(owner)
            .await
            .map_err(|error| error.to_string())?;
        let is_listed = |id: &SessionId| listed.iter().any(|entry| entry.id() == id);
        ensure(
            owned.iter().all(|id| is_listed(id)),
            "a living session is not listed",
        )?;
        let more = self.is_calm() && listed.len() > owned.len();
        ensure(!more, "the list shows what nobody has")
    }
}

/// What a `destroy_all` of [`OWNER`] promises of `a`, of a session that is created and of one
/// that takes the place of `a`.
async fn all_are_gone<T: Clone + 'static>(
    end: &End,
    all: &Did<T>,
    created: Option<&Did<SessionId>>,
    rotated: Option<&Did<SessionId>>,
) -> Result<(), String> {
    if ok(all).is_none() {
        return Ok(());
    }
    ensure(!end.works(&end.a).await, "a survives destroy_all")?;
    if let Some(b) = rotated.and_then(ok) {
        ensure(
            !end.works(&b).await,
            "the successor of a survives destroy_all",
        )?;
    }
    if let Some((n, created)) = created.and_then(|did| Some((ok(did)?, did))) {
        let before = created.precedes(all);
        ensure(
            !before || !end.works(&n).await,
            "an earlier session survives destroy_all",
        )?;
    }
    Ok(())
}

/// What an acknowledged update by the process `key` promises next to rotations.
async fn is_kept(
    end: &End,
    key: &str,
    updated: &Did<()>,
    rotated: &Did<SessionId>,
) -> Result<(), String> {
    let (Some(()), Some(b)) = (ok(updated), ok(rotated)) else {
        return Ok(());
    };
    let lost = end.works(&b).await && !end.has(&b, key).await;
    ensure(!lost, "an acknowledged update is lost by a rotation")
}

/// What a `destroy` that says "destroyed" promises.
async fn stays_dead(
    end: &End,
    destroyed: &Did<bool>,
    rotated: Option<&Did<SessionId>>,
) -> Result<(), String> {
    if ok(destroyed) != Some(true) {
        return Ok(());
    }
    ensure(!end.works(&end.a).await, "a lives after its destruction")?;
    match rotated.and_then(ok) {
        Some(b) => ensure(
            !end.works(&b).await,
            "the successor of a destroyed session lives",
        ),
        None => Ok(()),
    }
}

// The explorations.

/// More crashes, drops and failures at once than fit into a minute.
fn more(more: usize) -> usize {
    if std::env::var_os("LONG").is_some() {
        more
    } else {
        0
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "a closure is written in place"
)]
fn explore<C>(name: &str, explorer: &Explorer, setup: impl AsyncFn(&mut Simulation) -> C)
where
    C: AsyncFnOnce() -> Result<(), String>,
{
    explore_once(name, explorer, &setup);
    if explorer.has_failures() {
        let name = format!("{name}, pipelined");
        explore_once(&name, &explorer.clone().pipelined(), &setup);
    }
}

fn explore_once<C>(name: &str, explorer: &Explorer, setup: impl AsyncFn(&mut Simulation) -> C)
where
    C: AsyncFnOnce() -> Result<(), String>,
{
    let start = std::time::Instant::now();
    match explorer.explore(setup) {
        Ok(summary) => eprintln!("{name}: {summary:?} in {:?}", start.elapsed()),
        Err(violation) => panic!("{name}: {violation}"),
    }
}
