//! What waits cost, and that nothing is left of them.

use super::*;

/// All watches on a record share one key, one read and one message.
#[tokio::test]
async fn thousands_of_waits_for_one_session_share_a_watch() {
    const WAITS: usize = 3000;
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let (session, token) = created(&sessions).await;
    let waiting: Vec<_> = (0..WAITS).map(|_| wait_for(&session)).collect();
    tracked(&redis, 1).await;
    let reads = || {
        let pttl = info(&redis, "commandstats", "cmdstat_pttl:calls");
        pttl + info(&redis, "commandstats", "cmdstat_getrange:calls")
    };
    let before = reads();
    let other = super::sessions(connected(&redis).await);
    let other = other.open(token.as_str()).await.unwrap();
    other.touch().await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let added = reads() - before;
    assert!(added < 10, "{added} reads for a touch");
    other.destroy().await.unwrap();
    for waiting in waiting {
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    }
}

/// A change of a record that is no longer watched costs nothing.
#[tokio::test]
async fn dropped_waits_leave_no_watch() {
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let base = alive_tasks();
    // Without an owner: the script for the index also reads a time to live.
    let session = sessions.new_session();
    session.create().await.expect("created");
    let waiting: Vec<_> = (0..100).map(|_| wait_for(&session)).collect();
    tracked(&redis, 1).await;
    for waiting in &waiting {
        waiting.abort();
    }
    eventually("the waits end", async || {
        // The watcher and its connection stay for some seconds.
        (alive_tasks() <= base + 2).then_some(())
    })
    .await;
    let reads = || info(&redis, "commandstats", "cmdstat_pttl:calls");
    let before = reads();
    session.touch().await.unwrap();
    session.touch().await.unwrap();
    sleep(Duration::from_millis(1300)).await;
    assert_eq!(reads(), before);
    eventually("the connection is closed", async || {
        (alive_tasks() <= base).then_some(())
    })
    .await;
    let waiting = wait_for(&session);
    tracked(&redis, 1).await;
    session.destroy().await.unwrap();
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    drop((session, sessions));
    eventually("the tasks of the store end", async || {
        (alive_tasks() < base).then_some(())
    })
    .await;
}

/// Other reads are not tracked: they would cost the server more than twice as much.
#[tokio::test]
async fn only_watched_records_are_tracked() {
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let (session, _) = created(&sessions).await;
    let waiting = wait_for(&session);
    tracked(&redis, 1).await;
    for _ in 0..10 {
        let (_, token) = created(&sessions).await;
        sessions.open(token.as_str()).await.unwrap();
    }
    assert_eq!(info(&redis, "stats", "tracking_total_keys:"), 1);
    assert!(!waiting.is_finished());
}

/// The store is used by a second runtime after the first one has ended.
#[test]
fn watches_survive_the_runtime_that_made_the_connection() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let redis = RedisServer::start();
    let first = runtime();
    let sessions = first.block_on(async {
        let sessions = sessions(connected(&redis).await);
        let (session, _) = created(&sessions).await;
        let waiting = wait_for(&session);
        tracked(&redis, 1).await;
        assert!(!waiting.is_finished());
        sessions
    });
    drop(first);
    runtime().block_on(async {
        let (session, _) = created(&sessions).await;
        let waiting = wait_for(&session);
        tracked(&redis, 1).await;
        session.destroy().await.unwrap();
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    });
}

/// Many sessions, and a connection that breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watched_record_is_read_again_after_a_broken_connection() {
    const SESSIONS: usize = 3000;
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let mut waiting = Vec::new();
    for _ in 0..SESSIONS {
        let (session, _) = created(&sessions).await;
        waiting.push(wait_for(&session));
    }
    tracked(&redis, SESSIONS as u64).await;
    for _ in 0..3 {
        redis.run(&[&KILL_CLIENTS[..], &["yes"]].concat());
        tracked(&redis, SESSIONS as u64).await;
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    assert_eq!(sessions.destroy_all("jo").await, Ok(SESSIONS));
    for waiting in waiting {
        assert_eq!(at_once(waiting).await, SessionEnd::LoggedOutEverywhere);
    }
}

/// Redis would keep the key of an ended session for ever.
#[tokio::test]
async fn nothing_of_an_ended_session_is_tracked() {
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let (kept, _) = created(&sessions).await;
    let waiting = wait_for(&kept);
    tracked(&redis, 1).await;
    for _ in 0..20 {
        let (session, _) = created(&sessions).await;
        let waiting = wait_for(&session);
        tracked(&redis, 2).await;
        session.destroy().await.unwrap();
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    }
    sleep(Duration::from_millis(1200)).await;
    assert_eq!(info(&redis, "stats", "tracking_total_keys:"), 1);
    assert!(!waiting.is_finished());
}

/// A record under a chosen id that was deleted and created again.
#[tokio::test]
async fn a_record_that_comes_back_is_watched_again() {
    use jwt_redis_session::store::{NewRecord, Store, WatchEvent};

    let redis = RedisServer::start();
    let store = connected(&redis).await;
    let record = NewRecord::new("k", b"v", Duration::from_secs(60));
    let mut watch = store.watch("k").expect("redis has watches");
    for _ in 0..2 {
        assert_eq!(watch.changed().await, WatchEvent::MayBeGone);
        store.insert(record).await.unwrap();
        while watch.changed().await == WatchEvent::MayBeGone {}
        tracked(&redis, 1).await;
        store.delete("k").await.unwrap();
    }
}
