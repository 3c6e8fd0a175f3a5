//! A max age that is set while other requests use the session.

use std::sync::atomic::{AtomicUsize, Ordering};

use jwt_redis_session::Touch::EveryRead;

use super::hooks::before;
use super::lifetimes::IDLE;
use super::max_age::{DAY, MINUTE, MONTH, assert_left, is_full, remember};
use super::*;

on_every_store!(
    a_stale_handle_never_changes_the_max_age,
    a_touch_never_replaces_the_time_to_live_of_a_newer_max_age,
    reads_that_always_touch_see_a_newer_max_age,
    a_session_under_constant_change_is_touched_and_never_rejected,
);

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

/// Asserts that the handle has the stored time to live. Both count down while they are read.
async fn assert_as_stored(store: &impl Store, session: &Session) {
    let stored = record(store, &key(session)).await.unwrap().ttl.unwrap();
    let left = session.remaining().unwrap();
    let difference = left.abs_diff(stored);
    assert!(difference < MINUTE / 2, "{left:?} instead of {stored:?}");
}

/// If that were an error, a read would reject the token, and a login destroy the session.
async fn a_session_under_constant_change_is_touched_and_never_rejected(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for owner in [Some("jo"), None] {
        let (session, token) = created(&sessions, owner).await;
        let (writer, count) = (session.clone(), Arc::new(AtomicUsize::new(0)));
        let run = move |step| {
            let (writer, count) = (writer.clone(), Arc::clone(&count));
            async move {
                if step == Step::SetTtl {
                    let even = count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
                    remember(&writer, if even { MONTH } else { MINUTE }).await;
                }
            }
        };
        let hooked = builder(SharedStore::from(before(store.clone(), run)));
        let hooked = hooked.max_age(IDLE).touch(EveryRead).build().unwrap();
        let opened = hooked.from_token(token.as_str()).await;
        assert_eq!(opened.state(), SessionState::Active);
        // Each change has reset the time to live.
        assert_as_stored(&store, &opened).await;
        opened.touch().await.unwrap();
        assert_as_stored(&store, &opened).await;
        opened.login("jo").await.unwrap();
        assert_eq!(opened.to_json(), json!({"a": 1}));
    }
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
