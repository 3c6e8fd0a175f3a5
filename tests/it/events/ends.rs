//! What ends a session, and what does not.

use super::*;

/// A store, with a second handle, as another process has it.
pub(super) struct Setup {
    pub(super) sessions: Sessions,
    pub(super) other: Sessions,
    redis: Option<RedisServer>,
}

impl Setup {
    pub(super) fn in_memory() -> Self {
        let store = MemoryStore::new();
        Self {
            sessions: sessions(store.clone()),
            other: sessions(store),
            redis: None,
        }
    }

    pub(super) async fn in_redis() -> Self {
        let redis = RedisServer::start();
        Self {
            sessions: sessions(connected(&redis).await),
            other: sessions(connected(&redis).await),
            redis: Some(redis),
        }
    }

    /// Waits until a change is reported.
    pub(super) async fn watched(&self) {
        match &self.redis {
            Some(redis) => tracked(redis, 1).await,
            None => sleep(Duration::from_millis(5)).await,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Cause {
    Destroy,
    Rotate,
    Login,
    DestroyAll,
    DestroyOthers,
    DestroyById,
}

/// Ends the session of `token` through `sessions`.
async fn end(sessions: &Sessions, token: &Token, cause: Cause) {
    let session = sessions.open(token.as_str()).await.expect("open");
    match cause {
        Cause::Destroy => _ = session.destroy().await.unwrap(),
        Cause::Rotate => _ = session.rotate().await.unwrap(),
        Cause::Login => _ = session.login("jo").await.unwrap(),
        Cause::DestroyAll => _ = sessions.destroy_all("jo").await.unwrap(),
        Cause::DestroyOthers => {
            let (kept, _) = created(sessions).await;
            assert_eq!(kept.destroy_others().await, Ok(1));
        }
        Cause::DestroyById => {
            let id = session.id().unwrap();
            assert_eq!(sessions.destroy(&id).await, Ok(true));
        }
    }
}

/// A reason is known if the operation ran in this process.
async fn every_cause_is_noticed(setup: Setup) {
    for (cause, known) in [
        (Cause::Destroy, SessionEnd::Destroyed),
        (Cause::Rotate, SessionEnd::Rotated),
        (Cause::Login, SessionEnd::Rotated),
        (Cause::DestroyAll, SessionEnd::LoggedOutEverywhere),
        (Cause::DestroyOthers, SessionEnd::LoggedOutEverywhere),
        (Cause::DestroyById, SessionEnd::Destroyed),
    ] {
        for (by, expected) in [
            (&setup.sessions, known),
            (&setup.other, SessionEnd::Destroyed),
        ] {
            let (session, token) = created(&setup.sessions).await;
            let waiting = wait_for(&session);
            setup.watched().await;
            end(by, &token, cause).await;
            assert_eq!(at_once(waiting).await, expected, "{cause:?}");
            setup.sessions.destroy_all("jo").await.unwrap();
        }
    }
}

#[tokio::test]
async fn every_cause_is_noticed_in_memory() {
    every_cause_is_noticed(Setup::in_memory()).await;
}

#[tokio::test]
async fn every_cause_is_noticed_in_redis() {
    every_cause_is_noticed(Setup::in_redis().await).await;
}

/// The failed rotation leaves no reason behind.
#[tokio::test]
async fn a_rotation_that_fails_is_no_reason() {
    use jwt_redis_session::store::StoreErrorKind;
    use jwt_redis_session::testing::{Faults, Step};

    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (session, token) = created(&sessions).await;
    let waiting = wait_for(&session);
    sleep(Duration::from_millis(5)).await;
    faults
        .on(Step::CompareAndDelete)
        .fail_next(StoreErrorKind::Timeout, 1);
    session.rotate().await.expect_err("the store fails");
    assert!(!waiting.is_finished());
    end(&sessions, &token, Cause::Destroy).await;
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}

#[tokio::test]
async fn what_is_done_by_hand_is_noticed() {
    let setup = Setup::in_redis().await;
    let redis = setup.redis.as_ref().unwrap();
    for words in [
        &["DEL", "{key}"][..],
        &["UNLINK", "{key}"],
        &["PEXPIRE", "{key}", "0"],
        &["RENAME", "{key}", "elsewhere"],
        &["FLUSHALL"],
    ] {
        let (session, _) = created(&setup.sessions).await;
        let waiting = wait_for(&session);
        tracked(redis, 1).await;
        let key = format!("sess:{}", session.id().unwrap().as_str());
        let words: Vec<_> = words
            .iter()
            .map(|word| if *word == "{key}" { &*key } else { word })
            .collect();
        redis.run(&words);
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed, "{words:?}");
    }
}

#[tokio::test]
async fn eviction_is_noticed() {
    let setup = Setup::in_redis().await;
    let redis = setup.redis.as_ref().unwrap();
    let (session, _) = created(&setup.sessions).await;
    let waiting = wait_for(&session);
    tracked(redis, 1).await;
    redis.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}

/// Updates and touches are noticed and end nothing, and a change of the time to live counts.
async fn use_is_no_end(setup: Setup) {
    let (session, token) = created(&setup.sessions).await;
    let waiting = wait_for(&session);
    setup.watched().await;
    let other = setup.other.open(token.as_str()).await.unwrap();
    for number in 0..3 {
        other.insert("number", number).unwrap();
        other.update().await.unwrap();
        other.touch().await.unwrap();
        setup.watched().await;
    }
    other.touch_for(Duration::from_millis(300)).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    other.touch_for(Duration::from_millis(600)).await.unwrap();
    sleep(Duration::from_millis(400)).await;
    assert!(!waiting.is_finished());
    assert_eq!(at_once(waiting).await, SessionEnd::Expired);
}

#[tokio::test]
async fn use_is_no_end_in_memory() {
    use_is_no_end(Setup::in_memory()).await;
}

#[tokio::test]
async fn use_is_no_end_in_redis() {
    use_is_no_end(Setup::in_redis().await).await;
}

async fn expiry_is_noticed_at_its_time(store: impl Into<SharedStore>) {
    let ttl = Duration::from_millis(300);
    let start = Instant::now();
    let (session, _) = created(&lasting(store, ttl)).await;
    let end = at_once(wait_for(&session)).await;
    assert_eq!(end, SessionEnd::Expired);
    let took = start.elapsed();
    assert!(took >= ttl && took < 2 * ttl, "{took:?}");
}

#[tokio::test]
async fn expiry_is_noticed_at_its_time_in_memory() {
    expiry_is_noticed_at_its_time(MemoryStore::new()).await;
}

/// Redis announces the end of a time to live minutes later if it holds many keys.
#[tokio::test]
async fn expiry_is_noticed_at_its_time_in_redis() {
    let redis = RedisServer::start_with(&["--enable-debug-command", "local"]);
    redis.run(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    expiry_is_noticed_at_its_time(connected(&redis).await).await;
}

/// The configuration may set an earlier end than the record has.
#[tokio::test]
async fn the_absolute_lifetime_ends_a_session() {
    let store = MemoryStore::new();
    let (session, _) = created(&sessions(store.clone())).await;
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    let shorter = Sessions::builder(store, keyring)
        .lifetime(Lifetime::Both {
            idle: Duration::from_secs(600),
            absolute: Duration::from_secs(2),
        })
        .build()
        .unwrap();
    let id = session.id().unwrap();
    let session = shorter.get_without_touch(&id).await.unwrap();
    let end = timeout(Duration::from_secs(4), wait_for(&session)).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Expired);
}

#[tokio::test]
async fn without_a_session_the_end_is_immediate() {
    let sessions = sessions(MemoryStore::new());
    assert_eq!(sessions.new_session().ended().await, SessionEnd::Absent);
    let (session, token) = created(&sessions).await;
    session.destroy().await.unwrap();
    assert_eq!(session.ended().await, SessionEnd::Absent);
    let rejected = sessions.from_token(token.as_str()).await;
    assert_eq!(rejected.ended().await, SessionEnd::Absent);
}

/// The session ends between the load and the first poll.
#[tokio::test]
async fn an_end_before_the_wait_is_noticed() {
    for setup in [Setup::in_memory(), Setup::in_redis().await] {
        let (session, token) = created(&setup.sessions).await;
        let ended = session.ended();
        end(&setup.other, &token, Cause::Destroy).await;
        assert_eq!(at_once(start(ended)).await, SessionEnd::Destroyed);
    }
}

#[tokio::test]
async fn a_stream_reports_the_ends_of_several_sessions() {
    let sessions = sessions(MemoryStore::new());
    let base = alive_tasks();
    let mut ends = SessionEnds::new();
    assert_eq!(ends.next().await, None);
    let mut all = Vec::new();
    for _ in 0..3 {
        let (session, _) = created(&sessions).await;
        assert!(ends.insert(session.ended()));
        assert!(!ends.insert(session.ended()), "it is there already");
        all.push(session);
    }
    assert!(!ends.insert(sessions.new_session().ended()), "no session");
    let ids: Vec<_> = all.iter().map(|session| session.id().unwrap()).collect();
    assert_eq!(ends.len(), 3);
    assert!(ends.remove(&ids[0]) && !ends.remove(&ids[0]));
    all[0].destroy().await.unwrap();
    all[2].destroy().await.unwrap();
    let end = futures_util::StreamExt::next(&mut ends).await;
    assert_eq!(end, Some((ids[2].clone(), SessionEnd::Destroyed)));
    assert_eq!(format!("{ends:?}"), "SessionEnds { sessions: 1 }");
    drop(ends);
    eventually("the tasks end", async || {
        (alive_tasks() == base).then_some(())
    })
    .await;
}
