//! What each operation promises, through the public API.
//!
//! The bodies take any store; `on_every_store!` makes tests of them. What needs the store's time
//! moved by hand, or its faults, stands under "By the clock" and "Faults" and is of the
//! `MemoryStore` alone.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_redis_session::store::{Command, Reply, Store, StoreError, Stored};
use jwt_redis_session::{
    Encoding, Keyring, OpaqueTokens, Rejection, Session, SessionError, SessionId, SessionState,
    Sessions, SessionsBuilder, Token,
};
use serde_json::{Value, json};

use crate::support::{alive_tasks, eventually, rounds};

const UNKNOWN: SessionError = SessionError::Rejected(Rejection::Unknown);

/// Makes a test of each body for every store; each gets a fresh one, Redis a server of its own.
macro_rules! on_every_store {
    ($($body:ident),* $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(jwt_redis_session::MemoryStore::new()).await;
                }
            )*
        }

        #[cfg(feature = "redis")]
        mod redis {
            $(
                #[tokio::test]
                async fn $body() {
                    let server = crate::support::redis_server::RedisServer::start();
                    let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
                    super::$body(store.expect("connect")).await;
                }
            )*
        }
    };
}

on_every_store!(
    r23_ids_of_created_sessions_are_unique,
    r24_a_good_token_of_an_unknown_session_is_rejected_and_creates_nothing,
    r25_a_taken_id_is_drawn_anew,
    r25_five_taken_ids_are_an_error,
    r25_a_taken_id_stays_off_the_list_and_with_its_owner,
    r26_update_never_revives,
    r26_update_without_changes_tells_that_the_session_is_gone,
    r27_touch_tells_that_the_session_is_gone,
    r28_reload_tells_that_the_session_is_gone,
    r29_destroy_tells_whether_there_was_one,
    r29_after_destroy_nothing_works,
    r30_rotate_moves_the_session_and_kills_the_old_id,
    r30_of_concurrent_rotations_one_wins,
    r31_destroy_all_ends_every_session_of_the_owner_alone,
    r31_destroy_others_keeps_the_current_one,
    r31_destroy_others_keeps_the_current_one_even_after_a_failed_rotation,
    r31_destroy_owned_refuses_anothers_session,
    r31_the_list_is_ordered_and_complete,
    r33_keyspaces_never_see_each_other,
    r33_weird_owners_are_distinct,
    r34_too_large_is_refused_before_the_store,
    r34_reserved_fields_are_refused,
    r34_leftovers_of_node_are_dropped,
    r34_what_is_no_record_is_corrupt_and_left_alone,
    r35_changes_of_two_handles_both_survive,
    r35_values_are_kept_to_the_letter,
    r35_a_removed_field_goes_and_null_is_a_value,
    reload_drops_local_changes,
    replace_replaces_all_and_keeps_the_owner,
    update_with_runs_again_when_others_write,
    update_with_that_fails_writes_nothing,
    conflict_after_bounded_retries,
    a_rotation_that_loses_every_race_leaves_the_old_session,
    create_on_an_active_handle_carries_nothing_over,
    set_owner_moves_an_active_session,
    clear_owner_takes_it_off_the_list,
    a_stale_handle_never_hands_a_session_back,
    an_owner_is_checked_when_it_takes_effect,
    is_alive_asks_the_store,
    clones_of_a_handle_are_one_session,
    tasks_on_clones_do_not_lose_each_others_changes,
    without_a_session_operations_say_why,
    opaque_tokens_go_through_every_operation,
    load_is_one_round_trip_and_a_bad_token_none,
    f25_a_dropped_create_leaves_a_whole_session_or_none,
    f25_a_dropped_rotate_leaves_one_session,
    f25_a_dropped_destroy_all_goes_on,
    f25_a_dropped_move_leaves_it_listed,
    f25_a_dropped_update_is_whole_or_not_at_all,
);

// Stores that count, meddle or wait.

/// Counts calls.
#[derive(Clone, Debug)]
struct Counting<S> {
    store: S,
    calls: Arc<AtomicUsize>,
}

impl<S> Counting<S> {
    fn new(store: S) -> Self {
        let calls = Arc::default();
        Self { store, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<S: Store> Store for Counting<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.store.run(commands).await
    }
}

/// Writes another value into a record just before it is compared, so many times.
#[derive(Clone, Debug)]
struct Meddling<S> {
    store: S,
    left: Arc<AtomicUsize>,
}

impl<S: Store> Meddling<S> {
    fn new(store: S, times: usize) -> Self {
        let left = Arc::new(AtomicUsize::new(times));
        Self { store, left }
    }

    async fn meddle(&self, key: &str) {
        let left = self.left.load(Ordering::SeqCst);
        let Some(Stored { value, ttl }) = record(&self.store, key).await else {
            return;
        };
        if left == 0 {
            return;
        }
        self.left.store(left - 1, Ordering::SeqCst);
        let mut object: Value = serde_json::from_slice(&value).unwrap();
        object["meddled"] = left.into();
        let value = &serde_json::to_vec(&object).unwrap()[..];
        let ttl = ttl.unwrap();
        self.store
            .run(&[Command::Replace { key, value, ttl }])
            .await
            .unwrap();
    }
}

#[async_trait]
impl<S: Store> Store for Meddling<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        for command in commands {
            if let Command::CompareAndSet { key, .. } | Command::CompareAndDelete { key, .. } =
                command
            {
                self.meddle(key).await;
            }
        }
        self.store.run(commands).await
    }
}

/// Waits before and after each single command.
#[derive(Clone, Debug)]
struct Waiting<S>(S);

#[async_trait]
impl<S: Store> Store for Waiting<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let mut replies = Vec::new();
        for command in commands {
            tokio::task::yield_now().await;
            replies.append(&mut self.0.run(&[*command]).await?);
            tokio::task::yield_now().await;
        }
        Ok(replies)
    }
}

// Helpers.

fn keyring() -> Keyring {
    Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap()
}

fn builder(store: impl Store) -> SessionsBuilder {
    Sessions::builder(store, keyring())
}

fn sessions(store: impl Store) -> Sessions {
    builder(store).build().unwrap()
}

/// A new session of `jo` that holds `{"a":1}`.
async fn created(sessions: &Sessions) -> (Session, Token) {
    created_for(sessions, "jo").await
}

async fn created_for(sessions: &Sessions, owner: &str) -> (Session, Token) {
    let session = sessions.session();
    session.insert("a", 1).unwrap();
    session.set_owner(owner);
    let token = session.create().await.unwrap();
    (session, token)
}

async fn open(sessions: &Sessions, token: &Token) -> Result<Session, SessionError> {
    sessions.open(token.as_str()).await
}

async fn refusal(sessions: &Sessions, token: &Token) -> Option<SessionError> {
    open(sessions, token).await.err()
}

fn id(session: &Session) -> SessionId {
    session.id().unwrap()
}

fn key(session: &Session) -> String {
    format!("sess:{}", id(session).as_str())
}

async fn record(store: &impl Store, key: &str) -> Option<Stored> {
    match store.run(&[Command::Load { key }]).await.as_deref() {
        Ok([Reply::Record(record)]) => record.clone(),
        other => panic!("{other:?}"),
    }
}

async fn text(store: &impl Store, key: &str) -> String {
    String::from_utf8(record(store, key).await.unwrap().value.to_vec()).unwrap()
}

async fn insert(store: &impl Store, id: &SessionId, value: &str) {
    let (key, ttl) = (format!("sess:{}", id.as_str()), Duration::from_secs(60));
    let (key, value) = (&key[..], value.as_bytes());
    let inserted = store
        .run(&[Command::Insert { key, value, ttl }])
        .await
        .unwrap();
    assert_eq!(inserted, [Reply::Applied(true)]);
}

async fn listed(sessions: &Sessions, owner: &str) -> Vec<SessionId> {
    let entries = sessions.list(owner).await.unwrap();
    entries.iter().map(|entry| entry.id().clone()).collect()
}

/// Lets tasks in the background come to their end.
async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// Polls `future` so many times and drops it, unless it ends before; then lets what it has
/// started come to its end.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let before = alive_tasks();
    let output = poll(polls, future).await;
    let ended = async || (alive_tasks() <= before).then_some(());
    eventually("what was started ends", ended).await;
    output
}

async fn poll<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

// Ids and creation.

#[test]
fn r23_random_ids_are_unique_and_every_bit_is_even() {
    let count = rounds(100_000, 1_000_000);
    let mut ids = HashSet::new();
    let mut ones = [0_usize; 256];
    for _ in 0..count {
        let id = SessionId::random();
        let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).unwrap();
        assert_eq!(bytes.len(), 32);
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += usize::from(bytes[bit / 8] >> (bit % 8) & 1);
        }
        assert!(ids.insert(id), "an id came twice");
    }
    // Six standard deviations, each of half the root of the count.
    let tolerance = 3 * count.isqrt();
    for (bit, ones) in ones.into_iter().enumerate() {
        assert!(ones.abs_diff(count / 2) < tolerance, "bit {bit}: {ones}");
    }
}

async fn r23_ids_of_created_sessions_are_unique(store: impl Store + Clone) {
    let sessions = sessions(store);
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let (session, token) = created(&sessions).await;
        assert!(seen.insert(id(&session).as_str().to_owned()));
        assert!(seen.insert(token.as_str().to_owned()));
    }
}

async fn r24_a_good_token_of_an_unknown_session_is_rejected_and_creates_nothing(
    store: impl Store + Clone,
) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let key = key(&session);
    session.destroy().await.unwrap();
    let refused = sessions.resolve(token.as_str()).await;
    assert_eq!(refused.state(), SessionState::Rejected(Rejection::Unknown));
    assert_eq!(refused.update().await, Err(UNKNOWN));
    assert_eq!(refused.id(), None);
    assert!(record(&store, &key).await.is_none());
    refused.create().await.unwrap();
    assert_ne!(self::key(&refused), key, "a new session has a new id");
}

/// Draws the same id so many times, and then new ones.
fn repeating(store: impl Store, times: usize) -> Sessions {
    let count = AtomicUsize::new(0);
    let new_id = move || {
        let number = count
            .fetch_add(1, Ordering::SeqCst)
            .saturating_sub(times - 1);
        SessionId::parse(format!("0123456789abcdef-{number}")).unwrap()
    };
    builder(store).id_generator(new_id).build().unwrap()
}

async fn r25_a_taken_id_is_drawn_anew(store: impl Store + Clone) {
    let sessions = repeating(store, 3);
    let (first, _) = created(&sessions).await;
    let (second, token) = created(&sessions).await;
    assert_ne!(id(&first), id(&second));
    assert_eq!(id(&open(&sessions, &token).await.unwrap()), id(&second));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 2);
}

async fn r25_five_taken_ids_are_an_error(store: impl Store + Clone) {
    let sessions = repeating(store.clone(), 6);
    let (first, token) = created(&sessions).await;
    let before = text(&store, &key(&first)).await;
    let second = sessions.session();
    assert_eq!(second.create().await.unwrap_err(), SessionError::Conflict);
    assert!(!second.is_active());
    assert_eq!(text(&store, &key(&first)).await, before);
    assert!(open(&sessions, &token).await.is_ok());
}

async fn r25_a_taken_id_stays_off_the_list_and_with_its_owner(store: impl Store + Clone) {
    let sessions = repeating(store, 3);
    let (_, token) = created_for(&sessions, "jo").await;
    let (other, _) = created_for(&sessions, "al").await;
    assert_eq!(listed(&sessions, "al").await, [id(&other)]);
    assert_eq!(sessions.destroy_all("al").await, Ok(1));
    assert!(open(&sessions, &token).await.is_ok());
}

async fn create_on_an_active_handle_carries_nothing_over(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, token) = created(&sessions).await;
    let session = open(&sessions, &token).await.unwrap();
    session.insert("b", 2).unwrap();
    let second = session.create().await.unwrap();
    assert_eq!(session.to_json(), json!({"b": 2}));
    assert_eq!(session.owner(), None);
    let (first, second) = (
        open(&sessions, &token).await,
        open(&sessions, &second).await,
    );
    assert_eq!(first.unwrap().to_json(), json!({"a": 1}));
    assert_eq!(second.unwrap().to_json(), json!({"b": 2}));
}

// Gone is gone.

async fn r26_update_never_revives(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let key = key(&session);
    assert!(
        open(&sessions, &token)
            .await
            .unwrap()
            .destroy()
            .await
            .unwrap()
    );
    session.insert("b", 2).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    for outcome in [
        session.replace(json!({"c": 3})).await,
        session.update_with(|_| Ok(())).await,
    ] {
        assert_eq!(outcome, Err(SessionError::Gone));
    }
    assert!(record(&store, &key).await.is_none());
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn r26_update_without_changes_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.update().await, Ok(()));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert_eq!(session.update().await, Err(SessionError::Gone));
}

async fn r27_touch_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions).await;
    let key = key(&session);
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    assert!(record(&store, &key).await.unwrap().ttl.unwrap() <= Duration::from_secs(60));
    session.touch().await.unwrap();
    assert!(record(&store, &key).await.unwrap().ttl.unwrap() > Duration::from_secs(86_000));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert_eq!(session.touch().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    assert!(record(&store, &key).await.is_none());
    assert!(sessions.list("jo").await.unwrap().is_empty());
}

async fn r28_reload_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    other.insert("b", 2).unwrap();
    other.update().await.unwrap();
    session.reload().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1, "b": 2}));
    assert!(other.destroy().await.unwrap());
    assert_eq!(session.reload().await, Err(SessionError::Gone));
    assert!(!session.is_active());
    assert_eq!(session.id(), None);
    assert_eq!(session.update().await, Err(SessionError::Gone));
}

async fn r29_destroy_tells_whether_there_was_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    let id = id(&session);
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(false));
    assert_eq!(other.destroy().await, Ok(false));
    assert_eq!(sessions.destroy(&id).await, Ok(false));
    assert_eq!(
        sessions.resolve(token.as_str()).await.destroy().await,
        Ok(false)
    );
}

async fn r29_after_destroy_nothing_works(store: impl Store + Clone) {
    let (sessions, instance) = (sessions(store.clone()), sessions(store));
    let (session, token) = created(&sessions).await;
    let mut handles = Vec::new();
    for _ in 0..6 {
        handles.push(open(&instance, &token).await.unwrap());
    }
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(refusal(&instance, &token).await, Some(UNKNOWN));
    let outcomes = [
        handles[0].update().await,
        handles[1].touch().await,
        handles[2].reload().await,
        handles[3].rotate().await.map(drop),
        handles[4].replace(json!({})).await,
        handles[5].update_with(|_| Ok(())).await,
    ];
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == Err(SessionError::Gone)),
        "{outcomes:?}"
    );
    assert!(instance.list("jo").await.unwrap().is_empty());
}

async fn is_alive_asks_the_store(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.is_alive().await, Ok(true));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert!(session.is_active(), "the handle knows only of its start");
    assert_eq!(session.is_alive().await, Ok(false));
    assert_eq!(sessions.session().is_alive().await, Ok(false));
}

// Rotation.

async fn r30_rotate_moves_the_session_and_kills_the_old_id(store: impl Store + Clone) {
    let sessions = builder(store)
        .absolute_lifetime(Duration::from_secs(9000))
        .build()
        .unwrap();
    let session = sessions.session();
    session.insert("a", 1).unwrap();
    session.set_owner("jo");
    let old = session
        .create_with_claims(json!({"role": "x"}))
        .await
        .unwrap();
    let (old_id, created, expires) = (id(&session), session.created_at(), session.expires_at());
    let session = open(&sessions, &old).await.unwrap();
    session.insert("b", 2).unwrap();
    let new = session.rotate().await.unwrap();
    assert_eq!(refusal(&sessions, &old).await, Some(UNKNOWN));
    let again = open(&sessions, &new).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!((again.created_at(), again.expires_at()), (created, expires));
    let claims = again.claims().unwrap();
    assert_eq!(claims.get::<String>("role").unwrap().as_deref(), Some("x"));
    assert_eq!(claims.expires_at(), expires);
    assert_eq!(claims.subject(), Some("jo"));
    assert_ne!(id(&again), old_id);
    assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
    assert_eq!(id(&session), id(&again), "the handle is the new session's");
    session.update().await.unwrap();
}

async fn r30_of_concurrent_rotations_one_wins(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    let (_, token) = created(&sessions).await;
    let (a, b) = (
        open(&sessions, &token).await.unwrap(),
        open(&sessions, &token).await.unwrap(),
    );
    let (a, b) = tokio::join!(a.rotate(), b.rotate());
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(lost.unwrap_err(), SessionError::Gone);
    assert!(open(&sessions, &won.unwrap()).await.is_ok());
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
}

async fn a_rotation_that_loses_every_race_leaves_the_old_session(store: impl Store + Clone) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    for owner in [None, Some("jo")] {
        let session = sessions.session();
        owner.into_iter().for_each(|owner| session.set_owner(owner));
        let token = session.create().await.unwrap();
        let old = id(&session);
        meddling.left.store(usize::MAX, Ordering::SeqCst);
        assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
        meddling.left.store(0, Ordering::SeqCst);
        assert_eq!(id(&session), old);
        assert!(open(&sessions, &token).await.is_ok());
        session.update().await.unwrap();
        if owner.is_some() {
            assert_eq!(listed(&sessions, "jo").await, [old]);
            assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        } else {
            session.rotate().await.expect("it can be rotated later");
        }
        assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    }
}

// Owners.

async fn r31_destroy_all_ends_every_session_of_the_owner_alone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let mut tokens = Vec::new();
    for _ in 0..300 {
        tokens.push(created(&sessions).await.1);
    }
    let (_, other) = created_for(&sessions, "al").await;
    assert_eq!(sessions.destroy_all("jo").await, Ok(300));
    for token in &tokens {
        assert_eq!(refusal(&sessions, token).await, Some(UNKNOWN));
    }
    assert!(open(&sessions, &other).await.is_ok());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let (session, token) = created(&sessions).await;
    assert!(open(&sessions, &token).await.is_ok(), "later sessions work");
    assert_eq!(session.destroy_all().await, Ok(1));
    assert_eq!(session.state(), SessionState::Gone);
}

async fn r31_destroy_others_keeps_the_current_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (kept, token) = created(&sessions).await;
    let (_, other) = created(&sessions).await;
    let (_, third) = created(&sessions).await;
    assert_eq!(kept.destroy_others().await, Ok(2));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(refusal(&sessions, &other).await, Some(UNKNOWN));
    assert_eq!(refusal(&sessions, &third).await, Some(UNKNOWN));
    assert_eq!(kept.update().await, Ok(()));
    assert_eq!(listed(&sessions, "jo").await, [id(&kept)]);
    let (another, _) = created(&sessions).await;
    assert_eq!(sessions.destroy_others("jo", &id(&another)).await, Ok(1));
    assert_eq!(listed(&sessions, "jo").await, [id(&another)]);
}

async fn r31_destroy_others_keeps_the_current_one_even_after_a_failed_rotation(
    store: impl Store + Clone,
) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    let (_, other) = created(&sessions).await;
    meddling.left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
    meddling.left.store(0, Ordering::SeqCst);
    assert_eq!(session.destroy_others().await, Ok(1));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(refusal(&sessions, &other).await, Some(UNKNOWN));
}

async fn r31_destroy_owned_refuses_anothers_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    assert_eq!(sessions.destroy_owned("al", &id(&session)).await, Ok(false));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(sessions.destroy_owned("jo", &id(&session)).await, Ok(true));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(sessions.destroy_owned("jo", &id(&session)).await, Ok(false));
    let unowned = sessions.session();
    unowned.create().await.unwrap();
    assert_eq!(sessions.destroy_owned("jo", &id(&unowned)).await, Ok(false));
    assert_eq!(unowned.list().await.unwrap_err(), SessionError::NoOwner);
}

async fn r31_the_list_is_ordered_and_complete(store: impl Store + Clone) {
    let clock = jwt_redis_session::ManualClock::at(1_700_000_000);
    let sessions = builder(store).clock(clock.clone()).build().unwrap();
    let mut ids = Vec::new();
    for number in 0..200 {
        let session = sessions.session();
        session.insert("number", number).unwrap();
        session.set_owner("jo");
        session.create().await.unwrap();
        ids.push(id(&session));
        clock.advance(Duration::from_secs(1));
    }
    let entries = sessions.list("jo").await.unwrap();
    for (number, (entry, id)) in entries.iter().zip(&ids).enumerate() {
        assert_eq!(entry.id(), id);
        assert_eq!(entry.created_at(), Some(1_700_000_000 + number as i64));
        assert!(entry.expires_at().is_some());
        assert_eq!(entry.data().get("number").unwrap(), Some(number));
    }
    assert_eq!(entries.len(), ids.len());
}

async fn set_owner_moves_an_active_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    session.set_owner("al");
    session.update().await.unwrap();
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(listed(&sessions, "al").await, [id(&session)]);
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.owner().as_deref(), Some("al"));
    again.set_owner("jo");
    again.update().await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    assert_eq!(sessions.destroy_all("al").await, Ok(0));
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn clear_owner_takes_it_off_the_list(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    session.clear_owner();
    session.update().await.unwrap();
    assert_eq!(session.owner(), None);
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let again = open(&sessions, &token).await.unwrap();
    again.set_owner("jo");
    let token = again.rotate().await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn a_stale_handle_never_hands_a_session_back(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let stale = open(&sessions, &token).await.unwrap();
    session.set_owner("al");
    session.update().await.unwrap();
    stale.touch().await.unwrap();
    stale.insert("b", 2).unwrap();
    stale.update().await.unwrap();
    assert_eq!(stale.owner().as_deref(), Some("al"));
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    assert_eq!(listed(&sessions, "al").await, [id(&session)]);
    assert!(open(&sessions, &token).await.is_ok());
}

async fn an_owner_is_checked_when_it_takes_effect(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    for owner in [String::new(), "x".repeat(513)] {
        let session = sessions.session();
        session.set_owner(owner.as_str());
        assert_eq!(
            session.create().await.unwrap_err(),
            SessionError::InvalidOwner
        );
        assert_eq!(
            sessions.list(&owner).await.unwrap_err(),
            SessionError::InvalidOwner
        );
        assert_eq!(
            sessions.destroy_all(&owner).await,
            Err(SessionError::InvalidOwner)
        );
    }
    assert_eq!(store.calls(), 0);
    created_for(&sessions, &"x".repeat(512)).await;
}

// Names.

async fn r33_keyspaces_never_see_each_other(store: impl Store + Clone) {
    let [a, b] =
        ["a:", "b:"].map(|prefix| builder(store.clone()).keyspace(prefix).build().unwrap());
    let (session, token) = created(&a).await;
    assert_eq!(refusal(&b, &token).await, Some(UNKNOWN));
    assert_eq!(b.destroy(&id(&session)).await, Ok(false));
    assert_eq!(b.destroy_all("jo").await, Ok(0));
    assert!(b.list("jo").await.unwrap().is_empty());
    assert!(open(&a, &token).await.is_ok());
}

async fn r33_weird_owners_are_distinct(store: impl Store + Clone) {
    let sessions = sessions(store);
    let owners = [
        "jo", "Jo", "jo ", "*", "?", "[j]o", "a|b", "a:b", "a", ":", "owner:", "\0", "j\0o",
        "\u{e9}", "e\u{301}", "\r\n", "{jo}", "sess:", "🦀",
    ];
    let mut tokens = Vec::new();
    for owner in owners {
        tokens.push(created_for(&sessions, owner).await.1);
    }
    for (owner, token) in owners.iter().zip(&tokens) {
        let session = open(&sessions, token).await.unwrap();
        assert_eq!(session.owner().as_deref(), Some(*owner));
        assert_eq!(listed(&sessions, owner).await, [id(&session)], "{owner:?}");
    }
    for (number, owner) in owners.iter().enumerate() {
        assert_eq!(sessions.destroy_all(owner).await, Ok(1), "{owner:?}");
        for (other, token) in tokens.iter().enumerate() {
            assert_eq!(open(&sessions, token).await.is_ok(), other > number);
        }
    }
}

// Values.

async fn r34_too_large_is_refused_before_the_store(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = builder(store.clone()).max_size(200).build().unwrap();
    let (session, token) = created(&sessions).await;
    let calls = store.calls();
    let large = "x".repeat(200);
    let too_large = |error: SessionError| {
        assert!(matches!(error, SessionError::TooLarge { limit: 200, size } if size > 200));
    };
    session.insert("large", &large).unwrap();
    too_large(session.update().await.unwrap_err());
    too_large(session.rotate().await.unwrap_err());
    too_large(session.create().await.unwrap_err());
    too_large(session.replace(json!({"large": large})).await.unwrap_err());
    too_large(session.update_with(|_| Ok(())).await.unwrap_err());
    assert_eq!(store.calls(), calls);
    assert!(session.is_active());
    session.remove("large");
    session.update().await.unwrap();
    assert!(open(&sessions, &token).await.is_ok());
}

async fn r34_reserved_fields_are_refused(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    for field in ["_jrs", "id", "jwt", "claims"] {
        let reserved = Err(SessionError::ReservedField(field.into()));
        assert_eq!(session.insert(field, 1), reserved);
        assert_eq!(session.merge(json!({field: 1})), reserved);
        assert_eq!(session.replace(json!({field: 1})).await, reserved);
        assert!(!session.contains_key(field));
    }
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn r34_leftovers_of_node_are_dropped(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let id = SessionId::random();
    insert(
        &store,
        &id,
        r#"{"id":"x","jwt":"T","claims":{"jti":"x"},"foo":"bar"}"#,
    )
    .await;
    let session = sessions.load(&id).await.unwrap();
    assert_eq!(session.to_json(), json!({"foo": "bar"}));
    assert_eq!((session.owner(), session.created_at()), (None, None));
    session.insert("n", 1).unwrap();
    session.update().await.unwrap();
    assert_eq!(text(&store, &key(&session)).await, r#"{"foo":"bar","n":1}"#);
}

async fn r34_what_is_no_record_is_corrupt_and_left_alone(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for value in ["\"str\"", "null", "[]", "{", "", "{\"_jrs\":7}"] {
        let id = SessionId::random();
        insert(&store, &id, value).await;
        let refused = sessions.load(&id).await.unwrap_err();
        assert_eq!(
            refused,
            SessionError::Rejected(Rejection::Corrupt),
            "{value}"
        );
        assert_eq!(text(&store, &format!("sess:{}", id.as_str())).await, value);
    }
}

async fn r35_changes_of_two_handles_both_survive(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (a, token) = created(&sessions).await;
    let b = open(&sessions, &token).await.unwrap();
    a.insert("x", json!({"of": "a"})).unwrap();
    a.insert("both", "a").unwrap();
    b.insert("y", [1, 2]).unwrap();
    b.insert("both", "b").unwrap();
    a.update().await.unwrap();
    b.update().await.unwrap();
    let merged = json!({"a": 1, "x": {"of": "a"}, "y": [1, 2], "both": "b"});
    assert_eq!(b.to_json(), merged, "the handle holds what is stored");
    assert_eq!(open(&sessions, &token).await.unwrap().to_json(), merged);
}

async fn r35_values_are_kept_to_the_letter(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let fields = format!(
        r#""e":[],"o":{{}},"big":12345678901234567890123,"f":1.0,"x":1e400,"u":"\u00e9\ud800","__proto__":{{"constructor":1}},"deep":{deep}"#
    );
    let id = SessionId::random();
    insert(&store, &id, &format!("{{{fields}}}")).await;
    let session = sessions.load(&id).await.unwrap();
    session.insert("n", 12_345_678_901_234_567_u64).unwrap();
    session.update().await.unwrap();
    let whole = format!(r#"{{{fields},"n":12345678901234567}}"#);
    assert_eq!(text(&store, &key(&session)).await, whole);
    assert_eq!(sessions.load(&id).await.unwrap().to_raw_json().get(), whole);
    session.rotate().await.unwrap();
    assert_eq!(text(&store, &key(&session)).await, whole);
}

async fn r35_a_removed_field_goes_and_null_is_a_value(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (a, token) = created(&sessions).await;
    let b = open(&sessions, &token).await.unwrap();
    assert!(a.remove("a"));
    a.insert("none", Value::Null).unwrap();
    b.insert("a", "set meanwhile").unwrap();
    b.update().await.unwrap();
    a.update().await.unwrap();
    assert_eq!(
        open(&sessions, &token).await.unwrap().to_json(),
        json!({"none": null})
    );
}

async fn reload_drops_local_changes(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    session.insert("b", 2).unwrap();
    session.remove("a");
    session.reload().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1}));
    session.update().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn replace_replaces_all_and_keeps_the_owner(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    other.insert("b", 2).unwrap();
    other.update().await.unwrap();
    session.insert("c", 3).unwrap();
    session.replace(json!({"d": 4})).await.unwrap();
    assert_eq!(session.to_json(), json!({"d": 4}));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.to_json(), json!({"d": 4}));
    assert_eq!(again.owner().as_deref(), Some("jo"));
    assert!(matches!(
        session.replace(5).await,
        Err(SessionError::Encode { .. })
    ));
}

async fn update_with_runs_again_when_others_write(store: impl Store + Clone) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    meddling.left.store(3, Ordering::SeqCst);
    let mut runs = 0;
    let seen = session
        .update_with(|data| {
            runs += 1;
            data.insert("a", data.get::<u32>("a")?.unwrap_or(0) + 1)?;
            data.get::<u32>("meddled")
        })
        .await;
    assert_eq!((runs, seen), (4, Ok(Some(1))));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 2, "meddled": 1}));
}

async fn update_with_that_fails_writes_nothing(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions).await;
    let before = text(&store, &key(&session)).await;
    let outcome: Result<(), _> = session
        .update_with(|data| {
            data.insert("b", 2)?;
            Err(SessionError::InvalidOwner)
        })
        .await;
    assert_eq!(outcome, Err(SessionError::InvalidOwner));
    assert_eq!(text(&store, &key(&session)).await, before);
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn conflict_after_bounded_retries(store: impl Store + Clone) {
    let meddling = Meddling::new(store, usize::MAX);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    session.insert("b", 2).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Conflict));
    assert_eq!(meddling.left.load(Ordering::SeqCst), usize::MAX - 16);
    assert!(session.is_active());
    assert!(!open(&sessions, &token).await.unwrap().contains_key("b"));
    meddling.left.store(0, Ordering::SeqCst);
    session.update().await.unwrap();
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
}

// Handles.

async fn clones_of_a_handle_are_one_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = sessions.session();
    let clone = session.clone();
    session.insert("a", 1).unwrap();
    let token = clone.create().await.unwrap();
    assert_eq!(id(&session), id(&clone));
    assert!(clone.destroy().await.unwrap());
    assert_eq!(session.state(), SessionState::Gone);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn tasks_on_clones_do_not_lose_each_others_changes(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    let (session, token) = created(&sessions).await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let session = session.clone();
            tokio::spawn(async move {
                session.insert(format!("k{number}"), number).unwrap();
                session.update().await.unwrap();
                let count = |data: &mut jwt_redis_session::SessionData| {
                    data.insert("a", data.get::<u32>("a")?.unwrap_or(0) + 1)
                };
                session.update_with(count).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.get("a").unwrap(), Some(21));
    for number in 0..20 {
        assert_eq!(again.get(&format!("k{number}")).unwrap(), Some(number));
    }
}

async fn without_a_session_operations_say_why(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let refused = SessionError::Rejected(Rejection::Malformed);
    for (session, error) in [
        (sessions.session(), SessionError::Absent),
        (sessions.resolve("x").await, refused),
    ] {
        let outcomes = [
            session.update().await,
            session.replace(json!({})).await,
            session.update_with(|_| Ok(())).await,
            session.reload().await,
            session.touch().await,
            session.rotate().await.map(drop),
            session.destroy().await.map(drop),
            session.destroy_all().await.map(drop),
            session.destroy_others().await.map(drop),
            session.list().await.map(drop),
        ];
        for outcome in outcomes {
            assert_eq!(outcome.as_ref(), Err(&error));
        }
    }
    assert_eq!(store.calls(), 0);
}

async fn load_is_one_round_trip_and_a_bad_token_none(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let before = store.calls();
    open(&sessions, &token).await.unwrap();
    settle().await;
    assert_eq!(store.calls() - before, 1);
    session.insert("b", 2).unwrap();
    session.update().await.unwrap();
    assert_eq!(store.calls() - before, 2);
    let forged = format!("{}x", token.as_str());
    for bad in ["", "x", &forged, &token.as_str()[1..]] {
        assert!(matches!(
            sessions.open(bad).await,
            Err(SessionError::Rejected(_))
        ));
    }
    assert_eq!(store.calls() - before, 2);
}

async fn opaque_tokens_go_through_every_operation(store: impl Store + Clone) {
    let tokens = OpaqueTokens::new()
        .size(128)
        .unwrap()
        .encoding(Encoding::Hex);
    let lifetime = Duration::from_secs(900);
    let sessions = Sessions::builder(store.clone(), tokens).absolute_lifetime(lifetime);
    let sessions = sessions.build().unwrap();
    let (session, token) = created(&sessions).await;
    assert_eq!(token.as_str().len(), 256);
    assert!(!key(&session).contains(token.as_str()));
    assert!(!text(&store, &key(&session)).await.contains(token.as_str()));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.claims().map(drop), None);
    assert!(again.expires_at().is_some());
    again.insert("b", 2).unwrap();
    again.update().await.unwrap();
    again.touch().await.unwrap();
    let rotated = again.rotate().await.unwrap();
    assert_ne!(rotated, token);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(session.reload().await, Err(SessionError::Gone));
    let third = open(&sessions, &rotated).await.unwrap();
    assert_eq!(third.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(third.expires_at(), again.expires_at());
    assert_eq!(listed(&sessions, "jo").await, [id(&third)]);
    let claims = sessions.session().create_with_claims(json!({"x": 1})).await;
    assert!(matches!(claims, Err(SessionError::Token(_))));
    assert_eq!(third.destroy().await, Ok(true));
    assert_eq!(refusal(&sessions, &rotated).await, Some(UNKNOWN));
}

// F25: futures that are dropped at any await.

async fn f25_a_dropped_create_leaves_a_whole_session_or_none(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    let mut polls = 0;
    loop {
        let session = sessions.session();
        session.insert("a", 1).unwrap();
        session.set_owner("jo");
        let done = drop_after(polls, session.create()).await.is_some();
        let entries = sessions.list("jo").await.unwrap();
        assert_eq!(
            entries.len(),
            usize::from(polls > 0),
            "it runs to its end once begun"
        );
        if polls > 0 {
            assert_eq!(entries[0].id(), &id(&session));
            assert!(sessions.load(&id(&session)).await.is_ok());
        }
        assert_eq!(sessions.destroy_all("jo").await, Ok(entries.len()));
        if done {
            return assert!(polls > 3, "too few polls to have been dropped anywhere");
        }
        polls += 1;
    }
}

async fn f25_a_dropped_rotate_leaves_one_session(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        let old = id(&session);
        let done = drop_after(polls, session.rotate()).await.is_some();
        assert_eq!(open(&sessions, &token).await.is_ok(), polls == 0);
        assert_eq!(id(&session) == old, polls == 0);
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        session.update().await.unwrap();
        assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        if done {
            return assert!(polls > 3);
        }
    }
}

async fn f25_a_dropped_destroy_all_goes_on(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    for polls in 0.. {
        let (_, one) = created(&sessions).await;
        let (_, two) = created(&sessions).await;
        let done = drop_after(polls, sessions.destroy_all("jo"))
            .await
            .is_some();
        for token in [&one, &two] {
            assert_eq!(open(&sessions, token).await.is_ok(), polls == 0);
        }
        if done {
            return assert!(polls > 3);
        }
        sessions.destroy_all("jo").await.unwrap();
    }
}

async fn f25_a_dropped_move_leaves_it_listed(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        session.set_owner("al");
        let done = drop_after(polls, session.update()).await.is_some();
        let owner = open(&sessions, &token).await.unwrap().owner().unwrap();
        assert_eq!(owner, if polls == 0 { "jo" } else { "al" });
        assert_eq!(listed(&sessions, &owner).await, [id(&session)]);
        assert_eq!(sessions.destroy_all(&owner).await, Ok(1));
        if done {
            return assert!(polls > 3);
        }
    }
}

async fn f25_a_dropped_update_is_whole_or_not_at_all(store: impl Store + Clone) {
    let sessions = sessions(Waiting(store));
    let mut stored = HashSet::new();
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        session.insert("b", 2).unwrap();
        session.insert("c", 3).unwrap();
        let done = drop_after(polls, session.update()).await.is_some();
        let again = open(&sessions, &token).await.unwrap();
        assert_eq!(again.contains_key("b"), again.contains_key("c"));
        stored.insert(again.contains_key("b"));
        session
            .update()
            .await
            .expect("a dropped update may be repeated");
        assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
        if done {
            return assert_eq!(stored.len(), 2, "dropped both before and after the write");
        }
    }
}

// By the clock.

mod by_the_clock {
    use super::*;
    use jwt_redis_session::{ManualClock, MemoryStore};

    const IDLE: Duration = Duration::from_secs(1600);

    /// Sessions and a store that follow one clock.
    fn clocked(
        configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> (Sessions, MemoryStore, ManualClock) {
        let clock = ManualClock::at(1_700_000_000);
        let store = MemoryStore::new().with_clock(clock.clone());
        let builder = builder(store.clone()).clock(clock.clone()).max_age(IDLE);
        (configure(builder).build().unwrap(), store, clock)
    }

    async fn left(store: &MemoryStore, session: &Session) -> u64 {
        record(store, &key(session))
            .await
            .unwrap()
            .ttl
            .unwrap()
            .as_secs()
    }

    /// Opens the session after `seconds`, and lets the refresh in the background end.
    async fn open_after(
        seconds: u64,
        (sessions, clock): (&Sessions, &ManualClock),
        token: &Token,
    ) -> Result<Session, SessionError> {
        clock.advance(Duration::from_secs(seconds));
        let session = open(sessions, token).await;
        settle().await;
        session
    }

    #[tokio::test]
    async fn a_read_writes_nothing_until_a_sixteenth_has_passed() {
        let (sessions, store, clock) = clocked(|builder| builder);
        let (session, token) = created(&sessions).await;
        let at = (&sessions, &clock);
        open_after(100, at, &token).await.unwrap();
        assert_eq!(left(&store, &session).await, 1500);
        open_after(1, at, &token).await.unwrap();
        assert_eq!(left(&store, &session).await, 1600);
        open_after(1599, at, &token).await.unwrap();
        assert_eq!(left(&store, &session).await, 1600);
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        let refused = open_after(1600, at, &token).await;
        assert_eq!(refused.unwrap_err(), UNKNOWN);
        assert!(listed(&sessions, "jo").await.is_empty());
    }

    #[tokio::test]
    async fn touch_every_read_is_exact() {
        let (sessions, store, clock) = clocked(|builder| builder.touch_every_read(true));
        let (session, token) = created(&sessions).await;
        open_after(1, (&sessions, &clock), &token).await.unwrap();
        assert_eq!(left(&store, &session).await, 1600);
    }

    #[tokio::test]
    async fn touch_every_read_keeps_to_the_absolute_lifetime() {
        let absolute = Duration::from_secs(2000);
        for opaque in [false, true] {
            let clock = ManualClock::at(1_700_000_000);
            let store = MemoryStore::new().with_clock(clock.clone());
            let builder = if opaque {
                Sessions::builder(store.clone(), OpaqueTokens::new())
            } else {
                builder(store.clone())
            };
            let builder = builder
                .clock(clock.clone())
                .max_age(IDLE)
                .touch_every_read(true);
            let sessions = builder.absolute_lifetime(absolute).build().unwrap();
            let (session, token) = created(&sessions).await;
            open_after(1000, (&sessions, &clock), &token).await.unwrap();
            assert_eq!(left(&store, &session).await, 1000);
        }
    }

    #[tokio::test]
    async fn a_longer_touch_lasts_until_the_next_use() {
        let (sessions, store, clock) = clocked(|builder| builder);
        let (session, token) = created(&sessions).await;
        session.touch_for(IDLE * 10).await.unwrap();
        clock.advance(IDLE * 9);
        assert_eq!(
            listed(&sessions, "jo").await,
            [id(&session)],
            "the index lives as long"
        );
        open_after(0, (&sessions, &clock), &token).await.unwrap();
        assert_eq!(left(&store, &session).await, IDLE.as_secs());
        assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    }

    #[tokio::test]
    async fn r32_touched_every_half_it_dies_at_its_absolute_end() {
        let absolute = Duration::from_secs(4000);
        let (sessions, store, clock) = clocked(|builder| builder.absolute_lifetime(absolute));
        let (session, token) = created(&sessions).await;
        for _ in 0..4 {
            open_after(800, (&sessions, &clock), &token)
                .await
                .unwrap()
                .touch()
                .await
                .unwrap();
        }
        assert_eq!(left(&store, &session).await, 800);
        let last = open_after(799, (&sessions, &clock), &token).await.unwrap();
        last.touch_for(IDLE).await.unwrap();
        assert_eq!(left(&store, &last).await, 1);
        let refused = open_after(1, (&sessions, &clock), &token)
            .await
            .unwrap_err();
        assert_eq!(refused, SessionError::Rejected(Rejection::Expired));
        assert_eq!(last.touch().await, Err(SessionError::Gone));
        assert!(store.is_empty());
    }

    #[tokio::test]
    async fn r32_an_idle_session_dies_before_its_absolute_end() {
        let (sessions, _, clock) = clocked(|builder| builder.absolute_lifetime(IDLE * 3));
        let (_, token) = created(&sessions).await;
        let refused = open_after(1600, (&sessions, &clock), &token).await;
        assert_eq!(refused.unwrap_err(), UNKNOWN);
    }

    #[tokio::test]
    async fn r32_an_absolute_lifetime_alone_needs_no_use() {
        let (sessions, store, clock) =
            clocked(|builder| builder.no_max_age().absolute_lifetime(IDLE * 2));
        let (session, token) = created(&sessions).await;
        let again = open_after(3000, (&sessions, &clock), &token).await.unwrap();
        assert_eq!(left(&store, &session).await, 200);
        again.insert("b", 2).unwrap();
        again.update().await.unwrap();
        again.touch().await.unwrap();
        assert_eq!(left(&store, &session).await, 200);
        let rotated = again.rotate().await.unwrap();
        assert_eq!(left(&store, &again).await, 200);
        assert!(open_after(199, (&sessions, &clock), &rotated).await.is_ok());
        assert!(open_after(1, (&sessions, &clock), &rotated).await.is_err());
    }

    #[tokio::test]
    async fn r32_lifetimes_that_cannot_be_stored_are_refused_before_the_store() {
        let store = Counting::new(MemoryStore::new());
        for bad in [Duration::ZERO, Duration::from_micros(1), Duration::MAX] {
            assert!(builder(store.clone()).max_age(bad).build().is_err());
            assert!(
                builder(store.clone())
                    .absolute_lifetime(bad)
                    .build()
                    .is_err()
            );
        }
        assert!(builder(store.clone()).no_max_age().build().is_err());
        let sessions = sessions(store.clone());
        let (session, token) = created(&sessions).await;
        let calls = store.calls();
        for bad in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
            assert_eq!(
                session.touch_for(bad).await,
                Err(SessionError::InvalidDuration)
            );
        }
        assert_eq!(store.calls(), calls);
        assert!(open(&sessions, &token).await.is_ok());
    }

    #[tokio::test]
    async fn the_index_forgets_what_has_ended_and_who_has_changed_hands() {
        let (sessions, store, clock) = clocked(|builder| builder);
        let (moved, token) = created(&sessions).await;
        created(&sessions).await;
        moved.set_owner("al");
        moved.update().await.unwrap();
        open_after(900, (&sessions, &clock), &token).await.unwrap();
        open_after(900, (&sessions, &clock), &token).await.unwrap();
        let (last, _) = created(&sessions).await;
        settle().await;
        let entries = store
            .run(&[Command::IndexEntries {
                index: "sess:owner:am8:",
            }])
            .await;
        match entries.as_deref() {
            Ok([Reply::Entries(entries)]) => {
                let members: Vec<_> = entries.iter().map(|entry| &entry.member[..]).collect();
                assert_eq!(members, [id(&last).as_str()]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(listed(&sessions, "al").await, [id(&moved)]);
    }

    /// A rotation that fails after its decision takes its mark off the old id again.
    #[tokio::test]
    async fn a_list_a_minute_after_a_failed_rotation_leaves_the_session() {
        let (sessions, store, clock) = clocked(|builder| builder);
        let meddling = Meddling::new(store, usize::MAX);
        let rotating = builder(meddling).clock(clock.clone()).build().unwrap();
        let (_, token) = created(&sessions).await;
        let session = open(&rotating, &token).await.unwrap();
        assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
        clock.advance(Duration::from_secs(100));
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        open(&sessions, &token)
            .await
            .unwrap()
            .rotate()
            .await
            .unwrap();
    }
}

// Faults.

mod faults {
    use super::*;
    use jwt_redis_session::MemoryStore;
    use jwt_redis_session::store::StoreErrorKind;

    fn is_unavailable<T>(outcome: Result<T, SessionError>, kind: StoreErrorKind) {
        match outcome.map(drop) {
            Err(SessionError::Unavailable(error)) => assert_eq!(error.kind(), kind),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn r25_r29_a_refusal_is_an_error_and_changes_nothing() {
        let store = MemoryStore::new();
        let sessions = sessions(store.clone());
        let (session, token) = created(&sessions).await;
        let before = text(&store, &key(&session)).await;
        for kind in [
            StoreErrorKind::Connection,
            StoreErrorKind::ReadOnly,
            StoreErrorKind::Timeout,
        ] {
            store.fail_with(kind);
            let new = sessions.session();
            is_unavailable(new.create().await, kind);
            assert_eq!(new.state(), SessionState::Absent);
            session.insert("b", 2).unwrap();
            is_unavailable(session.update().await, kind);
            is_unavailable(session.replace(json!({})).await, kind);
            is_unavailable(session.touch().await, kind);
            is_unavailable(session.reload().await, kind);
            is_unavailable(session.rotate().await, kind);
            is_unavailable(session.destroy().await, kind);
            is_unavailable(session.is_alive().await, kind);
            is_unavailable(sessions.destroy(&id(&session)).await, kind);
            is_unavailable(sessions.destroy_all("jo").await, kind);
            is_unavailable(sessions.list("jo").await, kind);
            is_unavailable(open(&sessions, &token).await, kind);
            settle().await;
            assert!(session.is_active());
            store.heal();
            assert_eq!(text(&store, &key(&session)).await, before);
            assert_eq!(store.len(), 1);
        }
        session
            .update()
            .await
            .expect("the change was kept in the handle");
        assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
    }

    #[tokio::test]
    async fn a_create_whose_reply_is_lost_leaves_nothing_and_can_be_repeated() {
        for owner in [None, Some("jo")] {
            let store = MemoryStore::new();
            let sessions = sessions(store.clone());
            let session = sessions.session();
            owner.into_iter().for_each(|owner| session.set_owner(owner));
            store.lose_replies(1);
            is_unavailable(session.create().await, StoreErrorKind::Timeout);
            settle().await;
            assert!(store.is_empty());
            assert!(sessions.list("jo").await.unwrap().is_empty());
            let token = session.create().await.unwrap();
            assert!(open(&sessions, &token).await.is_ok());
            assert_eq!(store.len(), 1);
        }
    }

    #[tokio::test]
    async fn an_update_whose_reply_is_lost_can_be_repeated() {
        let store = MemoryStore::new();
        let sessions = sessions(store.clone());
        let (session, token) = created(&sessions).await;
        session.insert("b", 2).unwrap();
        store.lose_replies(1);
        is_unavailable(session.update().await, StoreErrorKind::Timeout);
        assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
        let other = open(&sessions, &token).await.unwrap();
        other.insert("c", 3).unwrap();
        other.update().await.unwrap();
        session.update().await.unwrap();
        assert_eq!(session.to_json(), json!({"a": 1, "b": 2, "c": 3}));
    }

    #[tokio::test]
    async fn a_destroy_whose_reply_is_lost_can_be_repeated() {
        let store = MemoryStore::new();
        let sessions = sessions(store.clone());
        let (session, token) = created(&sessions).await;
        store.lose_replies(1);
        is_unavailable(session.destroy().await, StoreErrorKind::Timeout);
        assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
        assert_eq!(session.destroy().await, Ok(false));
    }

    #[tokio::test]
    async fn a_destroy_all_whose_reply_is_lost_can_be_repeated() {
        let store = MemoryStore::new();
        let sessions = sessions(store.clone());
        let (_, token) = created(&sessions).await;
        store.lose_replies(1);
        is_unavailable(sessions.destroy_all("jo").await, StoreErrorKind::Timeout);
        assert!(open(&sessions, &token).await.is_ok());
        assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    }

    /// Loses the replies from the call on that is number `lost` of those that write.
    async fn rotate_losing(
        lost: usize,
        owner: Option<&str>,
    ) -> Option<(Sessions, Session, Token, MemoryStore)> {
        let store = MemoryStore::new();
        let single = Waiting(store.clone());
        let sessions = sessions(single);
        let session = sessions.session();
        owner.into_iter().for_each(|owner| session.set_owner(owner));
        let token = session.create().await.unwrap();
        let rotation = session.clone();
        let task = tokio::spawn(async move { rotation.rotate().await });
        for _ in 0..lost {
            tokio::task::yield_now().await;
        }
        if task.is_finished() {
            return None;
        }
        store.lose_replies(1);
        let outcome = task.await.unwrap();
        store.heal();
        settle().await;
        if outcome.is_ok() {
            return None;
        }
        is_unavailable(outcome, StoreErrorKind::Timeout);
        Some((sessions, session, token, store))
    }

    #[tokio::test]
    async fn r30_a_rotation_that_fails_leaves_the_old_session_or_none() {
        for owner in [None, Some("jo")] {
            let (mut left, mut lost) = (0, 0);
            while let Some(rotated) = rotate_losing(lost, owner).await {
                lost += 1;
                left += usize::from(is_left(rotated, owner.is_some()).await);
            }
            assert!(left > 0 && lost > left, "{left} of {lost}");
        }
    }

    /// Whether the old session works; there is no other in any case.
    async fn is_left(
        (sessions, session, token, store): (Sessions, Session, Token, MemoryStore),
        owned: bool,
    ) -> bool {
        if open(&sessions, &token).await.is_err() {
            assert!(store.is_empty(), "the last reply was lost");
            assert!(listed(&sessions, "jo").await.is_empty());
            assert_eq!(session.rotate().await.unwrap_err(), SessionError::Gone);
            return false;
        }
        assert_eq!(store.len(), 1, "no successor is left over");
        session.update().await.unwrap();
        if owned {
            assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        } else {
            let new = session.rotate().await.expect("it can be repeated");
            assert!(open(&sessions, &new).await.is_ok());
        }
        true
    }

    #[tokio::test]
    async fn r30_a_refused_rotation_leaves_the_old_session() {
        for refused in 0..3 {
            let store = MemoryStore::new();
            let sessions = sessions(store.clone());
            let (session, token) = created(&sessions).await;
            let failing = builder(FailingAt::new(store.clone(), refused + 1))
                .build()
                .unwrap();
            let other = open(&failing, &token).await.unwrap();
            is_unavailable(other.rotate().await, StoreErrorKind::ReadOnly);
            settle().await;
            assert_eq!(store.len(), 1);
            assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
            assert!(open(&sessions, &token).await.is_ok());
            other.update().await.unwrap();
        }
    }

    /// Refuses the one call that has this number.
    #[derive(Debug)]
    struct FailingAt {
        store: Counting<MemoryStore>,
        number: usize,
    }

    impl FailingAt {
        fn new(store: MemoryStore, number: usize) -> Self {
            let store = Counting::new(store);
            Self { store, number }
        }
    }

    #[async_trait]
    impl Store for FailingAt {
        async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
            let refused = self.store.calls() == self.number;
            let commands = if refused { &[] } else { commands };
            let answer = self.store.run(commands).await?;
            if refused {
                Err(StoreErrorKind::ReadOnly.into())
            } else {
                Ok(answer)
            }
        }
    }
}

#[tokio::test]
async fn r45_nothing_that_is_printed_shows_a_secret() {
    const SECRET: &str = "hush-hush-0123456789abcdef-hush-hush";
    let store = jwt_redis_session::MemoryStore::new();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let built = Sessions::builder(store.clone(), keyring.clone());
    let mut printed = format!("{built:?} {keyring:?} {store:?}");
    let sessions = built.max_size(400).build().unwrap();
    let session = sessions.session();
    session.insert("field", SECRET).unwrap();
    session.set_owner(SECRET);
    let token = session
        .create_with_claims(json!({"claim": SECRET}))
        .await
        .unwrap();
    let entries = sessions.list(SECRET).await.unwrap();
    let again = open(&sessions, &token).await.unwrap();
    let id = id(&session);
    printed += &format!("{sessions:?} {session:?} {token:?} {entries:?} {again:?} {id:?} {id}");
    printed += &format!(
        "{:?} {:?} {:?}",
        again.claims(),
        entries[0].data(),
        again.state()
    );
    printed += &format!("{:?}", record(&store, &key(&session)).await);
    again.insert("large", "x".repeat(400)).unwrap();
    let errors = [
        again.update().await.unwrap_err(),
        again.get::<u8>("field").unwrap_err(),
        again.insert("jwt", SECRET).unwrap_err(),
        again.merge(SECRET).unwrap_err(),
        sessions
            .open(&format!("{}x", token.as_str()))
            .await
            .unwrap_err(),
        sessions
            .session()
            .create_with_claims(json!({"jti": SECRET}))
            .await
            .unwrap_err(),
        sessions.list(&SECRET.repeat(20)).await.unwrap_err(),
    ];
    for error in errors {
        printed += &format!("{error} {error:?}");
    }
    let encoded = URL_SAFE_NO_PAD.encode(SECRET);
    for secret in [SECRET, token.as_str(), id.as_str(), &encoded] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
