//! The max age of one session.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use jwt_redis_session::Touch::{After, EveryRead, Never};
use jwt_redis_session::store::EntryState;

use super::hooks::before;
use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(
    every_use_by_every_process_keeps_the_max_age,
    the_configuration_applies_again_after_a_clear,
    a_stale_handle_never_changes_the_max_age,
    a_touch_never_replaces_the_time_to_live_of_a_newer_max_age,
    reads_that_always_touch_see_a_newer_max_age,
);

const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const MINUTE: Duration = Duration::from_secs(60);

/// Returns whether about `expected` is left.
fn is_full(left: Option<Duration>, expected: Duration) -> bool {
    left.is_some_and(|left| left <= expected && left > expected - Duration::from_secs(30))
}

/// Asserts that about `expected` is left, in the store and for the handle.
async fn assert_left(store: &impl Store, session: &Session, expected: Duration) {
    let stored = record(store, &key(session)).await.unwrap().ttl;
    for left in [stored, session.remaining()] {
        assert!(is_full(left, expected), "{left:?} instead of {expected:?}");
    }
}

async fn remember(session: &Session, max_age: Duration) {
    session.set_max_age(max_age).unwrap();
    session.update().await.unwrap();
}

async fn every_use_by_every_process_keeps_the_max_age(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let session = prepared(&sessions, Some("jo"));
    session.set_max_age(MONTH).unwrap();
    assert_eq!(session.max_age(), Some(MONTH), "as it will be stored");
    let token = session.create().await.unwrap();
    assert!(!session.is_modified());
    assert_left(&store, &session, MONTH).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let month = i64::try_from((now.unwrap() + MONTH).as_secs()).unwrap();
    let entry = &entries(&store, INDEX).await[0];
    assert!(
        matches!(entry.state, EntryState::Active { check_after } if check_after >= month),
        "the index does not forget it before"
    );

    // Another process, with another idle time.
    for touch in [EveryRead, After(IDLE / 2), Never] {
        let other = builder(store.clone()).max_age(IDLE).touch(touch);
        let other = other.build().unwrap();
        let opened = open(&other, &token).await.unwrap();
        settle().await;
        assert_eq!(opened.max_age(), Some(MONTH));
        assert_left(&store, &opened, MONTH).await;
        for operation in ["update", "update_with", "replace", "reload", "touch"] {
            // A time to live that has to be reset.
            store.set_ttl(&key(&opened), MINUTE).await.unwrap();
            if operation == "reload" {
                opened.touch().await.unwrap();
            }
            run(operation, &opened).await.unwrap();
            assert_left(&store, &opened, MONTH).await;
        }
        opened.touch_for(MINUTE).await.unwrap();
        let kept = if touch == Never { MINUTE } else { MONTH };
        assert!(opened.keep_alive().await.unwrap() > kept - MINUTE);
        assert_left(&store, &opened, kept).await;
        opened.touch().await.unwrap();
        let entry = &other.list("jo").await.unwrap()[0];
        let left = entry
            .expires_at()
            .unwrap()
            .duration_since(SystemTime::now());
        assert!(left.unwrap() > MONTH - MINUTE);
    }
    let opened = open(&sessions, &token).await.unwrap();
    for operation in ["rotate", "login"] {
        match operation {
            "rotate" => opened.rotate().await.map(drop),
            _ => opened.login("jo").await.map(drop),
        }
        .unwrap();
        assert_eq!(opened.max_age(), Some(MONTH), "{operation}");
        assert_left(&store, &opened, MONTH).await;
    }
    opened.login("al").await.unwrap();
    assert_eq!(opened.max_age(), None, "another user");
    assert_left(&store, &opened, DAY).await;
}

async fn the_configuration_applies_again_after_a_clear(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for operation in "update update_with replace rotate login".split(' ') {
        let (session, _) = created(&sessions, Some("jo")).await;
        assert_eq!(session.max_age(), None);
        for max_age in [Some(MINUTE), None] {
            match max_age {
                Some(max_age) => session.set_max_age(max_age).unwrap(),
                None => session.clear_max_age(),
            }
            assert!(session.is_modified());
            match operation {
                "login" => drop(session.login("jo").await.unwrap()),
                _ => run(operation, &session).await.unwrap(),
            }
            assert!(!session.is_modified(), "{operation}");
            assert_eq!(session.max_age(), max_age, "{operation}");
            assert_left(&store, &session, max_age.unwrap_or(DAY)).await;
        }
    }
    let (session, _) = created(&sessions, None).await;
    session.set_max_age(MINUTE).unwrap();
    session.reload().await.unwrap();
    assert!(!session.is_modified(), "dropped");
    let text = text(&store, &key(&session)).await;
    assert!(
        text.ends_with(r#"],"a":1}"#) && !text.contains("60"),
        "{text}"
    );
}

async fn a_stale_handle_never_changes_the_max_age(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions, Some("jo")).await;
    let stale = open(&sessions, &token).await.unwrap();
    remember(&session, MONTH).await;
    stale.insert("b", 2).unwrap();
    stale.update().await.unwrap();
    assert_eq!(stale.max_age(), Some(MONTH));
    assert_left(&store, &stale, MONTH).await;
    // Of two that set it, the last one wins.
    remember(&stale, MINUTE).await;
    remember(&session, 2 * MONTH).await;
    for operation in ["touch", "rotate"] {
        run(operation, &stale).await.unwrap();
        assert_left(&store, &stale, 2 * MONTH).await;
    }
}

/// Returns a store that runs `remember` of `session` with `max_age` before the first TTL is set, and
/// how many times one was to be set.
fn interfered(
    store: impl Store,
    session: &Session,
    max_age: Duration,
) -> (SharedStore, Arc<AtomicUsize>) {
    let (session, count) = (session.clone(), Arc::new(AtomicUsize::new(0)));
    let steps = Arc::clone(&count);
    let run = move |step| {
        let (session, count) = (session.clone(), Arc::clone(&count));
        async move {
            if step == Step::SetTtl && count.fetch_add(1, Ordering::SeqCst) == 0 {
                remember(&session, max_age).await;
            }
        }
    };
    (before(store, run).into(), steps)
}

async fn a_touch_never_replaces_the_time_to_live_of_a_newer_max_age(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for owner in [Some("jo"), None] {
        for max_age in [MONTH, MINUTE] {
            let (session, _) = created(&sessions, owner).await;
            let (hooked, _) = interfered(store.clone(), &session, max_age);
            let hooked = super::sessions(hooked);
            let stale = hooked.get_without_touch(&id(&session)).await.unwrap();
            stale.touch().await.unwrap();
            assert_left(&store, &stale, max_age).await;

            // In the background: a longer time to live than a use gives is due.
            let (session, _) = created(&sessions, owner).await;
            session.touch_for(2 * DAY).await.unwrap();
            let (hooked, steps) = interfered(store.clone(), &session, max_age);
            super::sessions(hooked).get(&id(&session)).await.unwrap();
            let again = async || {
                let left = record(&store, &key(&session)).await.unwrap().ttl;
                let is_again = steps.load(Ordering::SeqCst) == 2;
                (is_again && is_full(left, max_age)).then_some(())
            };
            crate::support::eventually("the time to live was set again", again).await;
        }
    }
}

async fn reads_that_always_touch_see_a_newer_max_age(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for max_age in [MONTH, MINUTE] {
        let (session, _) = created(&sessions, Some("jo")).await;
        let (hooked, _) = interfered(store.clone(), &session, max_age);
        let hooked = builder(hooked).max_age(IDLE).touch(EveryRead);
        let opened = hooked.build().unwrap().get(&id(&session)).await.unwrap();
        assert_left(&store, &opened, max_age).await;
    }
}

#[tokio::test]
async fn a_read_resets_the_max_age_when_it_is_due() {
    let seconds = Duration::from_secs;
    for (touch, max_age, reads) in [
        // Once a sixteenth of it has passed.
        (None, 160, &[(10, 150), (1, 160), (159, 160)][..]),
        (None, 16_000, &[(1_000, 15_000), (1, 16_000)]),
        // What was chosen for the configuration is at most a sixteenth of it.
        (Some(After(IDLE)), 160, &[(10, 150), (1, 160)]),
        (
            Some(After(seconds(100))),
            16_000,
            &[(100, 15_900), (1, 16_000)],
        ),
        (Some(After(Duration::ZERO)), 160, &[(1, 160)]),
        (Some(EveryRead), 160, &[(1, 160), (159, 160)]),
        (Some(EveryRead), 16_000, &[(15_999, 16_000)]),
        (Some(Never), 160, &[(100, 60), (59, 1)]),
    ] {
        let test = Clocked::new(|builder| match touch {
            Some(touch) => builder.touch(touch),
            None => builder,
        });
        let session = prepared(&test.sessions, Some("jo"));
        session.set_max_age(seconds(max_age)).unwrap();
        let token = session.login("jo").await.unwrap();
        for (after, left) in reads {
            test.open_after(*after, &token).await.unwrap();
            assert_eq!(test.left(&session).await, *left, "{touch:?} {after}");
        }
        assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
        let ended = test.open_after(max_age, &token).await;
        assert_eq!(ended.unwrap_err(), UNKNOWN);
    }
}

#[tokio::test]
async fn a_max_age_slides_within_the_absolute_lifetime() {
    for lifetime in [Lifetime::Absolute(IDLE), both(IDLE)] {
        for touch in [None, Some(EveryRead)] {
            let test = Clocked::new(|builder| match touch {
                Some(touch) => builder.lifetime(lifetime).touch(touch),
                None => builder.lifetime(lifetime),
            });
            let session = prepared(&test.sessions, None);
            session.set_max_age(Duration::from_secs(100)).unwrap();
            let token = session.create().await.unwrap();
            assert_eq!(test.left(&session).await, 100);
            for _ in 0..15 {
                test.open_after(99, &token).await.unwrap();
                assert_eq!(test.left(&session).await, 100);
            }
            test.open_after(75, &token).await.unwrap();
            assert_eq!(test.left(&session).await, 40, "the absolute end");
            let last = test.open_after(39, &token).await.unwrap();
            remember(&last, MONTH).await;
            assert_eq!(test.left(&session).await, 1);
            assert!(test.open_after(1, &token).await.is_err());

            let unused = prepared(&test.sessions, None);
            unused.set_max_age(Duration::from_secs(100)).unwrap();
            let token = unused.create().await.unwrap();
            assert!(test.open_after(100, &token).await.is_err());
        }
    }
}

/// A read with a time to live of the configuration would end a longer session early, or keep a
/// shorter one, if its second step fails.
#[tokio::test]
async fn a_read_that_always_touches_sets_no_other_time_to_live_before() {
    for max_age in [10, 160_000] {
        let test = Clocked::new(|builder| builder.touch(EveryRead));
        let session = prepared(&test.sessions, None);
        session.set_max_age(Duration::from_secs(max_age)).unwrap();
        let token = session.create().await.unwrap();
        test.faults
            .on(Step::SetTtl)
            .fail_with(StoreErrorKind::Timeout);
        assert_unavailable(test.open_after(1, &token).await, StoreErrorKind::Timeout);
        assert_eq!(test.left(&session).await, max_age - 1);
        test.faults.heal();
        test.open_after(0, &token).await.unwrap();
        assert_eq!(test.left(&session).await, max_age);
    }
}

#[tokio::test]
async fn an_invalid_max_age_changes_nothing() {
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, None).await;
    remember(&session, MONTH).await;
    for bad in [Duration::ZERO, Duration::from_millis(1500), Duration::MAX] {
        let set = session.set_max_age(bad);
        assert_eq!(set, Err(SessionError::InvalidDuration), "{bad:?}");
        assert!(!session.is_modified());
    }
    session.update().await.unwrap();
    assert_eq!(session.max_age(), Some(MONTH));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_cached_read_never_undoes_a_newer_max_age() {
    use jwt_redis_session::store::Cache;
    use jwt_redis_session::{RedisConfig, RedisStore};

    let server = crate::support::redis_server::RedisServer::start();
    let plain = RedisStore::connect(&server.url()).await.unwrap();
    let cached = RedisConfig::new(server.url()).cache(Cache::new());
    let cached = cached.connect().await.unwrap();
    let reader = sessions(cached.clone());
    let (session, token) = created(&sessions(plain.clone()), Some("jo")).await;
    let hot = async || {
        let hits = cached.cache_stats().unwrap().hits;
        let opened = open(&reader, &token).await.unwrap();
        (cached.cache_stats().unwrap().hits > hits).then_some(opened)
    };
    let stale = crate::support::eventually("a hot session", hot).await;
    remember(&session, MONTH).await;
    stale.touch().await.unwrap();
    assert_left(&plain, &stale, MONTH).await;
    let newer = async || {
        let opened = hot().await?;
        (opened.max_age() == Some(MONTH)).then_some(opened)
    };
    let opened = crate::support::eventually("the newer session is hot", newer).await;
    assert_left(&plain, &opened, MONTH).await;
}
