//! Times to live; the clock of the store is moved by hand.

use std::time::UNIX_EPOCH;

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::token::TokenFormat;

use super::*;

pub(super) const IDLE: Duration = Duration::from_secs(1600);

/// A lifetime of [`IDLE`] that ends at `absolute`.
pub(super) const fn both(absolute: Duration) -> Lifetime {
    let idle = IDLE;
    Lifetime::Both { idle, absolute }
}

/// Sessions and a store that follow one clock.
pub(super) struct Clocked {
    pub(super) sessions: Sessions,
    pub(super) store: MemoryStore,
    pub(super) clock: ManualClock,
    pub(super) faults: Faults,
}

impl Clocked {
    pub(super) fn new(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Self {
        let clock = ManualClock::at(1_700_000_000);
        let store = MemoryStore::new().with_clock(clock.clone());
        let faults = Faults::new();
        let builder = builder(faults.wrap(store.clone())).clock(clock.clone());
        let sessions = configure(builder.max_age(IDLE)).build().unwrap();
        Self {
            sessions,
            store,
            clock,
            faults,
        }
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Opens the session after `seconds`, and lets the refresh in the background end.
    pub(super) async fn open_after(
        &self,
        seconds: u64,
        token: &Token,
    ) -> Result<Session, SessionError> {
        self.advance(seconds);
        let session = open(&self.sessions, token).await;
        settle().await;
        session
    }

    /// The time to live in the store, in seconds.
    pub(super) async fn left(&self, session: &Session) -> u64 {
        let record = record(&self.store, &key(session)).await.unwrap();
        record.ttl.unwrap().as_secs()
    }
}

#[tokio::test]
async fn a_read_resets_the_time_to_live_when_it_is_due() {
    let half = Touch::After(IDLE / 2);
    for (touch, reads) in [
        // By default once a sixteenth has passed.
        (None, &[(100, 1500), (1, 1600), (1599, 1600)][..]),
        (Some(half), &[(800, 800), (1, 1600)]),
        (Some(Touch::After(Duration::ZERO)), &[(1, 1600)]),
        (Some(Touch::EveryRead), &[(1, 1600), (1599, 1600)]),
        (Some(Touch::Never), &[(100, 1500), (1499, 1)]),
    ] {
        let test = Clocked::new(|builder| match touch {
            Some(touch) => builder.touch(touch),
            None => builder,
        });
        let (session, token) = created(&test.sessions, Some("jo")).await;
        for (after, left) in reads {
            test.open_after(*after, &token).await.unwrap();
            assert_eq!(test.left(&session).await, *left, "{touch:?} {after}");
        }
        let last = open(&test.sessions, &token).await.unwrap();
        last.touch().await.unwrap();
        assert_eq!(test.left(&session).await, 1600);
        assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
        let ended = test.open_after(1600, &token).await;
        assert_eq!(ended.unwrap_err(), UNKNOWN);
        assert!(listed(&test.sessions, "jo").await.is_empty());
    }
}

#[tokio::test]
async fn a_longer_touch_lasts_until_the_next_use() {
    let test = Clocked::new(|builder| builder);
    let (session, token) = created(&test.sessions, Some("jo")).await;
    session.touch_for(IDLE * 10).await.unwrap();
    test.clock.advance(IDLE * 9);
    let list = listed(&test.sessions, "jo").await;
    assert_eq!(list, [id(&session)], "the index lives as long");
    test.open_after(0, &token).await.unwrap();
    assert_eq!(test.left(&session).await, 1600);
    assert_eq!(test.sessions.destroy_all("jo").await, Ok(1));
}

#[tokio::test]
async fn no_use_extends_a_session_beyond_its_absolute_end() {
    let test = Clocked::new(|builder| builder.lifetime(both(Duration::from_secs(4000))));
    let (session, token) = created(&test.sessions, Some("jo")).await;
    for _ in 0..4 {
        let session = test.open_after(800, &token).await.unwrap();
        session.touch().await.unwrap();
    }
    assert_eq!(test.left(&session).await, 800);
    assert_eq!(session.keep_alive().await, Ok(Duration::from_secs(800)));
    let last = test.open_after(799, &token).await.unwrap();
    last.touch_for(IDLE).await.unwrap();
    assert_eq!(test.left(&last).await, 1);
    let ended = test.open_after(1, &token).await.unwrap_err();
    assert_eq!(ended, SessionError::Rejected(TokenRejection::Expired));
    assert_eq!(last.touch().await, Err(SessionError::Gone));
    assert!(test.store.is_empty());
}

#[tokio::test]
async fn a_read_that_always_touches_keeps_to_the_absolute_end() {
    let absolute = both(Duration::from_secs(2000));
    for tokens in [TokenFormat::from(keyring()), OpaqueTokens::new().into()] {
        let test = Clocked::new(|builder| builder);
        let builder = Sessions::builder(test.store.clone(), tokens).lifetime(absolute);
        let builder = builder.clock(test.clock.clone()).touch(Touch::EveryRead);
        let sessions = builder.build().unwrap();
        let (session, token) = created(&sessions, None).await;
        test.advance(1000);
        open(&sessions, &token).await.unwrap();
        settle().await;
        assert_eq!(test.left(&session).await, 1000);
    }
}

#[tokio::test]
async fn an_absolute_lifetime_alone_needs_no_use() {
    let test = Clocked::new(|builder| builder.lifetime(Lifetime::Absolute(IDLE)));
    let (session, token) = created(&test.sessions, None).await;
    let again = test.open_after(1400, &token).await.unwrap();
    again.insert("b", 2).unwrap();
    again.update().await.unwrap();
    again.touch().await.unwrap();
    assert_eq!(test.left(&session).await, 200);
    let rotated = again.rotate().await.unwrap();
    assert_eq!(test.left(&again).await, 200);
    let last = test.open_after(199, &rotated).await.unwrap();
    assert_eq!(last.keep_alive().await, Ok(Duration::from_secs(1)));
    assert!(test.open_after(1, &rotated).await.is_err());
}

#[tokio::test]
async fn durations_that_cannot_be_stored_are_rejected() {
    let more = IDLE + Duration::from_millis(1);
    let absolute = Lifetime::Absolute(IDLE);
    let zero = Duration::ZERO;
    for (lifetime, touch, built) in [
        (Lifetime::Idle(zero), None, Err(ConfigError::Lifetime)),
        (Lifetime::Absolute(zero), None, Err(ConfigError::Lifetime)),
        (both(Duration::MAX), None, Err(ConfigError::Lifetime)),
        (Lifetime::Idle(IDLE), Some(IDLE), Ok(())),
        (both(more), Some(more), Err(ConfigError::TouchAfter)),
        // Has no meaning without an idle time.
        (absolute, Some(more), Ok(())),
    ] {
        let builder = builder(MemoryStore::new()).lifetime(lifetime);
        let builder = builder.touch(touch.map_or(Touch::Never, Touch::After));
        assert_eq!(builder.build().map(drop), built, "{lifetime:?} {touch:?}");
    }
    let store = Counting::new(MemoryStore::new());
    let (session, _) = created(&sessions(store.clone()), None).await;
    let calls = store.calls();
    for bad in [zero, Duration::from_micros(999), Duration::MAX] {
        let outcome = session.touch_for(bad).await;
        assert_eq!(outcome, Err(SessionError::InvalidDuration));
    }
    assert_eq!(store.calls(), calls);
}

#[tokio::test]
async fn the_index_forgets_sessions_that_ended_or_changed_their_owner() {
    let test = Clocked::new(|builder| builder);
    let (moved, token) = created(&test.sessions, Some("jo")).await;
    created(&test.sessions, Some("jo")).await;
    moved.set_owner("al").unwrap();
    moved.update().await.unwrap();
    test.open_after(900, &token).await.unwrap();
    test.open_after(900, &token).await.unwrap();
    let (last, _) = created(&test.sessions, Some("jo")).await;
    settle().await;
    let entries = entries(&test.store, INDEX).await;
    let members: Vec<_> = entries.iter().map(|entry| &entry.member[..]).collect();
    assert_eq!(members, [id(&last).as_str()]);
    assert_eq!(listed(&test.sessions, "al").await, [id(&moved)]);
}

#[tokio::test]
async fn a_handle_and_the_list_report_the_same_times() {
    let at = |seconds: u64| Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds));
    let test = Clocked::new(|builder| builder.lifetime(both(IDLE * 2)));
    let (session, token) = created(&test.sessions, Some("jo")).await;
    let times = |session: &Session| {
        let (created, expires) = (session.created_at(), session.expires_at());
        (created, expires, session.absolute_expiry())
    };
    assert_eq!(times(&session), (at(0), at(1600), at(3200)));
    let opened = test.open_after(1000, &token).await.unwrap();
    opened.touch().await.unwrap();
    let expected = (at(0), at(2600), at(3200));
    assert_eq!(times(&opened), expected);
    let entries = test.sessions.list("jo").await.unwrap();
    let entry = &entries[0];
    let (created, expires) = (entry.created_at(), entry.expires_at());
    assert_eq!((created, expires, entry.absolute_expiry()), expected);
    let last = test.open_after(700, &token).await.unwrap();
    last.touch().await.unwrap();
    assert_eq!(last.expires_at(), at(3200), "never after the absolute end");
}

#[tokio::test]
async fn an_absolute_lifetime_holds_for_sessions_that_are_older_than_it() {
    let test = Clocked::new(|builder| builder);
    let limited = builder(test.store.clone()).clock(test.clock.clone());
    let limited = limited.lifetime(both(Duration::from_secs(100)));
    let limited = limited.build().unwrap();
    let (session, _) = created(&test.sessions, None).await;
    test.advance(99);
    limited.get(&id(&session)).await.unwrap();
    test.advance(1);
    assert!(limited.get(&id(&session)).await.is_err());
}

/// The clock of one host is 90 s ahead, which is less than the leeway of 120 s.
#[tokio::test]
async fn an_absolute_lifetime_holds_on_a_host_whose_clock_is_ahead() {
    const ABSOLUTE: Duration = Duration::from_secs(60);
    let clock = ManualClock::at(1_700_000_000);
    let ahead = ManualClock::at(1_700_000_090);
    let store = MemoryStore::new().with_clock(clock.clone());
    let build = |clock: &ManualClock, leeway| {
        let keyring = keyring().leeway(Duration::from_secs(leeway)).unwrap();
        let builder = Sessions::builder(store.clone(), keyring).clock(clock.clone());
        builder.lifetime(both(ABSOLUTE)).build().unwrap()
    };
    let (_, token) = created(&build(&clock, 120), Some("jo")).await;
    let rejected = open(&build(&ahead, 0), &token).await;
    rejected.expect_err("no leeway");

    let sessions = build(&ahead, 120);
    let session = open(&sessions, &token).await.unwrap();
    session.insert("a", 1).unwrap();
    for operation in ["update", "touch", "touch_for", "keep_alive", "replace"] {
        run(operation, &session).await.unwrap();
    }
    let token = session.rotate().await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    assert!(session.is_alive().await.unwrap());
    let stored = record(&store, &key(&session)).await.unwrap();
    assert_eq!(stored.ttl, Some(ABSOLUTE), "nothing has extended it");
    for clock in [&clock, &ahead] {
        clock.advance(ABSOLUTE);
    }
    assert!(open(&sessions, &token).await.is_err());
    assert!(store.is_empty());
}
