//! Who works on the sessions and writes down what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jwt_redis_session::{
    Keyring, RedisStore, Session, SessionError, SessionId, Sessions, Token, TokenRejection,
};

use super::event::{Did, Event, Fate, Id, Seen, Writer};

const SLOTS: usize = 50;
const OWNERS: usize = 10;

/// What the clients share: the sessions, the clock, the history.
#[derive(Default)]
pub(super) struct World {
    slots: Mutex<HashMap<usize, Named>>,
    ids: Mutex<HashMap<SessionId, Id>>,
    tokens: Mutex<Vec<Named>>,
    clock: AtomicU64,
    history: Mutex<Vec<Event>>,
    stopped: AtomicBool,
}

/// A session, as the history and as its token name it.
#[derive(Clone)]
struct Named {
    id: Id,
    token: Arc<Token>,
}

impl World {
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(super) fn history(&self) -> Vec<Event> {
        self.history.lock().expect("the history").clone()
    }

    /// Whether enough was answered to tell anything, and a fault reached a client.
    pub(super) fn is_rich(&self) -> bool {
        let history = self.history.lock().expect("the history");
        let unknown = history.iter().filter(|event| event.did.is_unknown());
        let unknown = unknown.count();
        history.len() - unknown > 500 && unknown > 0
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn slot(&self, slot: usize) -> Option<Named> {
        self.slots.lock().expect("the slots").get(&slot).cloned()
    }

    fn fill(&self, slot: usize, named: Named) {
        self.slots.lock().expect("the slots").insert(slot, named);
    }

    fn clear(&self, slot: usize, id: Id) {
        let mut slots = self.slots.lock().expect("the slots");
        if slots.get(&slot).is_some_and(|named| named.id == id) {
            slots.remove(&slot);
        }
    }

    fn name(&self, session: &Session, token: Token) -> Named {
        let mut ids = self.ids.lock().expect("the ids");
        let next = ids.len();
        let id = *ids.entry(session.id().expect("an id")).or_insert(next);
        let named = Named {
            id,
            token: Arc::new(token),
        };
        self.tokens.lock().expect("the tokens").push(named.clone());
        named
    }
}

pub(super) struct Client {
    number: Writer,
    sessions: Sessions,
    world: Arc<World>,
    /// Counts up through all its updates, so that a number is written once.
    written: u64,
}

impl Client {
    pub(super) fn connect(number: Writer, url: &str, world: Arc<World>) -> Self {
        let store = RedisStore::lazy(url).expect("a good url");
        let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").expect("a good secret");
        let sessions = Sessions::builder(store, keyring).build();
        Self {
            number,
            sessions: sessions.expect("a good configuration"),
            world,
            written: 0,
        }
    }

    /// Works until the world is stopped.
    pub(super) async fn work(mut self) {
        while !self.world.stopped.load(Ordering::SeqCst) {
            let slot = rand::random::<u32>() as usize % SLOTS;
            match self.world.slot(slot) {
                None => self.create(slot).await,
                Some(named) => match rand::random::<u8>() % 100 {
                    0..40 => drop(self.read(&named).await),
                    40..70 => self.update(&named).await,
                    70..82 => self.rotate(slot, &named).await,
                    82..94 => self.destroy(slot, &named).await,
                    94..97 => self.destroy_all(slot % OWNERS).await,
                    _ => self.read_one_of_the_past().await,
                },
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Reads every session that ever was.
    pub(super) async fn read_all(&self) {
        let tokens = self.world.tokens.lock().expect("the tokens").clone();
        for named in tokens {
            while let Err(Seen::Unknown) = self.read(&named).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn read_one_of_the_past(&self) {
        let named = {
            let tokens = self.world.tokens.lock().expect("the tokens");
            tokens[rand::random::<u32>() as usize % tokens.len()].clone()
        };
        let _ = self.read(&named).await;
    }

    fn record(&self, start: u64, did: Did) {
        let event = Event {
            writer: self.number,
            start,
            end: self.world.now(),
            did,
        };
        self.world.history.lock().expect("the history").push(event);
    }

    async fn create(&self, slot: usize) {
        let start = self.world.now();
        let session = self.sessions.new_session();
        let owner = slot % OWNERS;
        session.set_owner(format!("owner{owner}")).unwrap();
        match session.create().await {
            Ok(token) => {
                let named = self.world.name(&session, token);
                self.record(
                    start,
                    Did::Create {
                        id: named.id,
                        owner,
                    },
                );
                self.world.fill(slot, named);
            }
            Err(SessionError::Unavailable(_) | SessionError::Conflict) => {}
            Err(error) => panic!("create: {error}"),
        }
    }

    async fn read(&self, named: &Named) -> Result<Session, Seen> {
        let id = named.id;
        let start = self.world.now();
        let (opened, seen) = match self.sessions.open(named.token.as_str()).await {
            Ok(session) => {
                let seen = Seen::Active(numbers(&session));
                (Ok(session), seen)
            }
            Err(SessionError::Rejected(TokenRejection::Unknown)) => (Err(Seen::Dead), Seen::Dead),
            Err(SessionError::Unavailable(_)) => (Err(Seen::Unknown), Seen::Unknown),
            Err(error) => panic!("read: {error}"),
        };
        self.record(start, Did::Read { id, seen });
        opened
    }

    async fn update(&mut self, named: &Named) {
        let Ok(session) = self.read(named).await else {
            return;
        };
        let id = named.id;
        self.written += 1;
        let number = self.written;
        let field = format!("w{}", self.number);
        session.insert(field, number).expect("a number");
        let start = self.world.now();
        let updated = session.update().await;
        let fate = fate("update", &updated);
        self.record(start, Did::Update { id, number, fate });
        if updated == Err(SessionError::Gone) {
            let seen = Seen::Dead;
            self.record(start, Did::Read { id, seen });
        }
    }

    async fn rotate(&self, slot: usize, named: &Named) {
        let Ok(session) = self.read(named).await else {
            return;
        };
        let id = named.id;
        let start = self.world.now();
        let rotated = session.rotate().await;
        let fate = fate("rotate", &rotated);
        let new = rotated.ok().map(|token| self.world.name(&session, token));
        let to = new.as_ref().map(|new| new.id);
        self.record(start, Did::Rotate { id, to, fate });
        if let Some(new) = new {
            self.world.fill(slot, new);
        }
    }

    async fn destroy(&self, slot: usize, named: &Named) {
        let Ok(session) = self.read(named).await else {
            return;
        };
        let id = named.id;
        let start = self.world.now();
        let destroyed = session.destroy().await;
        let fate = fate("destroy", &destroyed);
        self.record(start, Did::Destroy { id, fate });
        if fate == Fate::Done {
            self.world.clear(slot, id);
        }
    }

    async fn destroy_all(&self, owner: usize) {
        let start = self.world.now();
        let destroyed = self.sessions.destroy_all(&format!("owner{owner}")).await;
        let fate = fate("destroy_all", &destroyed);
        self.record(start, Did::DestroyAll { owner, fate });
        if fate == Fate::Done {
            for slot in (owner..SLOTS).step_by(OWNERS) {
                if let Some(named) = self.world.slot(slot) {
                    self.world.clear(slot, named.id);
                }
            }
        }
    }
}

/// The last number of each writer.
fn numbers(session: &Session) -> BTreeMap<Writer, u64> {
    let number = |key: String| {
        let writer = key.strip_prefix('w')?.parse().ok()?;
        Some((writer, session.get(&key).ok()??))
    };
    session.keys().into_iter().filter_map(number).collect()
}

fn fate<T>(what: &str, outcome: &Result<T, SessionError>) -> Fate {
    match outcome {
        Ok(_) => Fate::Done,
        Err(SessionError::Gone | SessionError::Conflict) => Fate::Refused,
        Err(SessionError::Unavailable(_)) => Fate::Unknown,
        Err(error) => panic!("{what}: {error}"),
    }
}
