//! What takes time; the `MemoryStore`'s clock is moved by hand.

use std::time::UNIX_EPOCH;

use super::*;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::{Lifetime, MemoryStore, Touch};

pub(super) const IDLE: Duration = Duration::from_secs(1600);

/// A lifetime of [`IDLE`] that ends at `absolute`.
pub(super) const fn both(absolute: Duration) -> Lifetime {
    Lifetime::Both {
        idle: IDLE,
        absolute,
    }
}

/// Sessions and a store that follow one clock.
pub(super) fn clocked(
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (Sessions, MemoryStore, ManualClock) {
    let clock = ManualClock::at(1_700_000_000);
    let store = MemoryStore::new().with_clock(clock.clone());
    let builder = builder(store.clone()).clock(clock.clone()).max_age(IDLE);
    (configure(builder).build().unwrap(), store, clock)
}

pub(super) async fn left(store: &MemoryStore, session: &Session) -> u64 {
    record(store, &key(session))
        .await
        .unwrap()
        .ttl
        .unwrap()
        .as_secs()
}

/// As [`clocked`], with a store that fails on demand.
pub(super) fn clocked_faulty(
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (Sessions, MemoryStore, ManualClock, Faults) {
    let clock = ManualClock::at(1_700_000_000);
    let store = MemoryStore::new().with_clock(clock.clone());
    let faults = Faults::new();
    let builder = builder(faults.wrap(store.clone())).clock(clock.clone());
    let sessions = configure(builder.max_age(IDLE)).build().unwrap();
    (sessions, store, clock, faults)
}

/// Opens the session after `seconds`, and lets the refresh in the background end.
pub(super) async fn open_after(
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
    let (sessions, store, clock) = clocked(|builder| builder.touch(Touch::EveryRead));
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
        let builder = builder.clock(clock.clone()).touch(Touch::EveryRead);
        let sessions = builder.lifetime(both(absolute)).build().unwrap();
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
    let (sessions, store, clock) = clocked(|builder| builder.lifetime(both(absolute)));
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
    assert_eq!(refused, SessionError::Rejected(TokenRejection::Expired));
    assert_eq!(last.touch().await, Err(SessionError::Gone));
    assert!(store.is_empty());
}

#[tokio::test]
async fn r32_an_idle_session_dies_before_its_absolute_end() {
    let (sessions, _, clock) = clocked(|builder| builder.lifetime(both(IDLE * 3)));
    let (_, token) = created(&sessions).await;
    let refused = open_after(1600, (&sessions, &clock), &token).await;
    assert_eq!(refused.unwrap_err(), UNKNOWN);
}

#[tokio::test]
async fn r32_an_absolute_lifetime_alone_needs_no_use() {
    let (sessions, store, clock) =
        clocked(|builder| builder.lifetime(Lifetime::Absolute(IDLE * 2)));
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
                .lifetime(Lifetime::Absolute(bad))
                .build()
                .is_err()
        );
    }
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
    moved.set_owner("al").unwrap();
    moved.update().await.unwrap();
    open_after(900, (&sessions, &clock), &token).await.unwrap();
    open_after(900, (&sessions, &clock), &token).await.unwrap();
    let (last, _) = created(&sessions).await;
    settle().await;
    let entries = entries(&store, "sess:owner:am8:").await;
    let members: Vec<_> = entries.iter().map(|entry| &entry.member[..]).collect();
    assert_eq!(members, [id(&last).as_str()]);
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

#[tokio::test]
async fn touch_after_says_when_a_read_pushes_back() {
    let (sessions, store, clock) = clocked(|builder| builder.touch(Touch::After(IDLE / 2)));
    let (session, token) = created(&sessions).await;
    let at = (&sessions, &clock);
    open_after(800, at, &token).await.unwrap();
    assert_eq!(left(&store, &session).await, 800);
    open_after(1, at, &token).await.unwrap();
    assert_eq!(left(&store, &session).await, 1600);
    session.touch_for(IDLE * 2).await.unwrap();
    open_after(0, at, &token).await.unwrap();
    assert_eq!(
        left(&store, &session).await,
        1600,
        "longer than a use gives"
    );
}

#[tokio::test]
async fn touch_after_zero_resets_at_once_and_touch_never_never() {
    let (sessions, store, clock) = clocked(|builder| builder.touch(Touch::After(Duration::ZERO)));
    let (session, token) = created(&sessions).await;
    open_after(1, (&sessions, &clock), &token).await.unwrap();
    assert_eq!(left(&store, &session).await, 1600);
    let (sessions, store, clock) = clocked(|builder| builder.touch(Touch::Never));
    let (session, token) = created(&sessions).await;
    open_after(1599, (&sessions, &clock), &token).await.unwrap();
    assert_eq!(left(&store, &session).await, 1);
    open_after(0, (&sessions, &clock), &token)
        .await
        .unwrap()
        .touch()
        .await
        .unwrap();
    assert_eq!(left(&store, &session).await, 1600);
}

#[test]
fn touch_after_is_at_most_the_max_age() {
    let more = IDLE + Duration::from_millis(1);
    let aged = || builder(MemoryStore::new()).max_age(IDLE);
    assert!(aged().touch(Touch::After(IDLE)).build().is_ok());
    let refused = aged().touch(Touch::After(more)).build().unwrap_err();
    assert_eq!(refused, jwt_redis_session::config::ConfigError::TouchAfter);
    let ageless = aged().lifetime(Lifetime::Absolute(IDLE));
    assert!(
        ageless.touch(Touch::After(more)).build().is_ok(),
        "has no meaning"
    );
}

#[tokio::test]
async fn times_mean_the_same_on_a_session_and_in_the_list() {
    let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let (sessions, _, clock) = clocked(|builder| builder.lifetime(both(IDLE * 2)));
    let (session, token) = created(&sessions).await;
    let times = |session: &Session| {
        let (created, expires) = (session.created_at(), session.expires_at());
        (created, expires, session.absolute_expiry())
    };
    let end = Some(start + IDLE * 2);
    let expected = (Some(start), Some(start + IDLE), end);
    assert_eq!(times(&session), expected);
    clock.advance(Duration::from_secs(1000));
    let opened = open_after(0, (&sessions, &clock), &token).await.unwrap();
    opened.touch().await.unwrap();
    let touched = Some(start + Duration::from_secs(1000) + IDLE);
    assert_eq!(times(&opened), (Some(start), touched, end));
    let entries = sessions.list("jo").await.unwrap();
    let [entry] = &entries[..] else {
        panic!("one session")
    };
    let listed = (
        entry.created_at(),
        entry.expires_at(),
        entry.absolute_expiry(),
    );
    assert_eq!(listed, (Some(start), touched, end));
    let last = open_after(700, (&sessions, &clock), &token).await.unwrap();
    last.touch().await.unwrap();
    assert_eq!(last.expires_at(), end, "never beyond the absolute end");
    let (sessions, _, _) = clocked(|builder| builder);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.absolute_expiry(), None);
    assert_eq!(sessions.new_session().expires_at(), None);
}
