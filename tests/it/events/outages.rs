//! What a wait does while Redis cannot be reached, or does not report changes.

use super::*;
use crate::log::Log;
use crate::support::proxy::Proxy;

const LIMIT: Duration = Duration::from_millis(600);

/// Fails closed: that the time to live has passed is no proof.
#[tokio::test]
async fn an_outage_beyond_the_limit_is_reported_as_unknown() {
    for name in ["killed", "stopped"] {
        let mut redis = RedisServer::start();
        let sessions = lasting(connected(&redis).await, Duration::from_millis(500));
        let (session, _) = created(&sessions).await;
        session.touch_for(Duration::from_secs(1)).await.unwrap();
        let waiting = start(session.ended().unknown_after(LIMIT));
        tracked(&redis, 1).await;
        let failed_at = Instant::now();
        match name {
            "killed" => redis.kill(),
            _ => redis.pause(),
        }
        let end = timeout(Duration::from_secs(5), waiting).await;
        assert_eq!(end.expect(name).unwrap(), SessionEnd::Unknown, "{name}");
        let took = failed_at.elapsed();
        assert!(took >= LIMIT && took < 6 * LIMIT, "{name}: {took:?}");
        if name == "stopped" {
            redis.resume();
        }
    }
}

/// An outage within the limit ends nothing, and what was destroyed meanwhile is noticed.
#[tokio::test]
async fn after_an_outage_within_the_limit_the_wait_goes_on() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let store = RedisStore::connect(&proxy.url()).await.expect("connect");
    let sessions = sessions(store);
    let other = super::sessions(connected(&redis).await);
    let (session, _) = created(&sessions).await;
    let (lost, lost_token) = created(&sessions).await;
    let (waiting, waiting_lost) = (wait_for(&session), wait_for(&lost));
    tracked(&redis, 2).await;
    proxy.blackhole(true);
    sleep(Duration::from_millis(1500)).await;
    let lost = other.open(lost_token.as_str()).await.unwrap();
    lost.destroy().await.unwrap();
    sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished() && !waiting_lost.is_finished());
    proxy.reset_open();
    proxy.blackhole(false);
    let end = timeout(Duration::from_secs(3), waiting_lost).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Destroyed);
    assert!(!waiting.is_finished());
    session.destroy().await.unwrap();
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}

/// Messages that a connection loses are made up for by reading all watched keys again.
#[tokio::test]
async fn a_deletion_while_the_connection_is_killed_is_noticed() {
    let redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    for _ in 0..20 {
        let (session, _) = created(&sessions).await;
        // Redis keeps a key that is deleted while no connection tracks it.
        let before = info(&redis, "stats", "tracking_total_keys:");
        let waiting = wait_for(&session);
        tracked(&redis, before + 1).await;
        let key = format!("sess:{}", session.id().unwrap().as_str());
        let mut admin = redis.connect();
        let mut both = redis::pipe();
        both.cmd(KILL_CLIENTS[0]).arg(&KILL_CLIENTS[1..]).arg("yes");
        both.cmd("DEL").arg(key);
        let _: redis::Value = both.query(&mut admin).unwrap();
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    }
}

/// A connection that the network has dropped without notice.
#[tokio::test]
async fn a_frozen_connection_is_replaced() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let store = RedisStore::connect(&proxy.url()).await.expect("connect");
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    let waiting = wait_for(&session);
    tracked(&redis, 1).await;
    proxy.freeze_open();
    redis.run(&["DEL", &format!("sess:{}", session.id().unwrap().as_str())]);
    let end = timeout(Duration::from_secs(3), waiting).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Destroyed);
}

/// Returns the URL of an account with these rules.
fn account(redis: &RedisServer, rules: &str) -> String {
    let mut words = vec!["ACL", "SETUSER", "app", "on", ">pw", "~sess:*"];
    words.extend(["resetchannels", "-@all"]);
    words.extend(rules.split(' '));
    redis.run(&words);
    redis.url().replace("://", "://app:pw@")
}

/// Ends a session by hand, and returns how long it took to notice that.
async fn noticed(redis: &RedisServer, sessions: &Sessions, interval: Duration) -> Duration {
    let (session, _) = created(sessions).await;
    let waiting = start(session.ended().check_every(interval));
    sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    redis.run(&["DEL", &format!("sess:{}", session.id().unwrap().as_str())]);
    let start = Instant::now();
    let end = timeout(2 * interval, waiting).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Destroyed);
    start.elapsed()
}

#[tokio::test]
async fn two_more_permissions_are_enough_and_without_one_the_session_is_read() {
    let redis = RedisServer::start();
    let interval = Duration::from_millis(1500);
    let (base, more) = (RedisStore::ACL_RULES, RedisStore::WATCH_ACL_RULES);
    let (first, second) = more.split_once(' ').expect("two rules");
    for (rules, warnings) in [
        (format!("{base} {more}"), 0),
        (base.to_owned(), 1),
        (format!("{base} {first}"), 1),
        (format!("{base} {second}"), 1),
    ] {
        redis.run(&["ACL", "DELUSER", "app"]);
        let (log, _guard) = Log::record();
        let store = RedisStore::connect(&account(&redis, &rules)).await;
        let sessions = sessions(store.expect("connect"));
        for _ in 0..2 {
            let took = noticed(&redis, &sessions, interval).await;
            assert_eq!(took < interval / 5, warnings == 0, "{rules}: {took:?}");
        }
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains(" WARN "));
        assert_eq!(lines.count(), warnings, "{text}");
        assert_eq!(text.matches("WATCH_ACL_RULES").count(), warnings, "{text}");
    }
}

/// The rights of an account may change while the store is used.
#[tokio::test]
async fn a_rejection_during_a_wait_is_survived() {
    let redis = RedisServer::start();
    let rules = [RedisStore::ACL_RULES, RedisStore::WATCH_ACL_RULES].join(" ");
    let store = RedisStore::connect(&account(&redis, &rules)).await;
    let sessions = sessions(store.expect("connect"));
    let wait = async |interval| {
        let (session, _) = created(&sessions).await;
        let key = format!("sess:{}", session.id().unwrap().as_str());
        (start(session.ended().check_every(interval)), key)
    };
    let interval = Duration::from_millis(300);
    let (waiting, key) = wait(interval).await;
    tracked(&redis, 1).await;
    redis.run(&["ACL", "SETUSER", "app", "-client|tracking"]);
    redis.run(&[&KILL_CLIENTS[..], &["yes"]].concat());
    // The interval goes on, beyond the first read.
    sleep(4 * interval).await;
    assert!(!waiting.is_finished());
    redis.run(&["DEL", &key]);
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);

    redis.run(&["ACL", "SETUSER", "app", "+client|tracking"]);
    let (waiting, key) = wait(Duration::from_secs(2)).await;
    tracked(&redis, 1).await;
    redis.run(&["DEL", &key]);
    // The next read is at least a second away.
    let end = timeout(Duration::from_millis(500), waiting).await;
    assert_eq!(end.expect("announced").unwrap(), SessionEnd::Destroyed);
}

/// It runs from the loss of the connection, not from the first read that fails.
#[tokio::test]
async fn the_limit_is_kept_exactly() {
    let limit = Duration::from_secs(4);
    let mut redis = RedisServer::start();
    let sessions = sessions(connected(&redis).await);
    let (session, _) = created(&sessions).await;
    let waiting = start(session.ended().unknown_after(limit));
    tracked(&redis, 1).await;
    let failed_at = Instant::now();
    redis.kill();
    let end = timeout(2 * limit, waiting).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Unknown);
    let took = failed_at.elapsed();
    assert!((limit..limit * 6 / 5).contains(&took), "{took:?}");
}

#[cfg(feature = "pool")]
#[tokio::test]
async fn with_a_pool_the_session_is_read() {
    let redis = RedisServer::start();
    let config = deadpool_redis::Config::from_url(redis.url());
    let pool = config.create_pool(Some(deadpool_redis::Runtime::Tokio1));
    let sessions = sessions(RedisStore::from_pool(pool.unwrap()));
    let interval = Duration::from_millis(1500);
    let took = noticed(&redis, &sessions, interval).await;
    assert!(took > interval / 5, "{took:?}");
}

/// A failed read is repeated soon, and a store that answers again ends nothing.
#[tokio::test]
async fn reads_that_fail_are_repeated() {
    use jwt_redis_session::store::StoreErrorKind;
    use jwt_redis_session::testing::{Faults, Step};

    let faults = Faults::new();
    let store = MemoryStore::new();
    let failing = sessions(faults.wrap(store.clone()));
    let (session, token) = created(&failing).await;
    let waiting = start(session.ended().unknown_after(LIMIT));
    sleep(Duration::from_millis(5)).await;
    let other = sessions(store).open(token.as_str()).await.unwrap();
    for _ in 0..3 {
        faults.on(Step::Load).fail_next(StoreErrorKind::Timeout, 2);
        other.touch().await.unwrap();
        sleep(LIMIT).await;
        assert!(!waiting.is_finished());
    }
    faults.on(Step::Load).fail_with(StoreErrorKind::Timeout);
    other.destroy().await.unwrap();
    let end = timeout(2 * LIMIT, waiting).await;
    assert_eq!(end.expect("in time").unwrap(), SessionEnd::Unknown);
}
