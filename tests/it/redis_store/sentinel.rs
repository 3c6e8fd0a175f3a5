//! The store behind three sentinels.

use std::time::Instant;

use tokio::time::sleep;

use super::*;
use crate::support::eventually;
use crate::support::redis_sentinels::{RedisSentinels, SERVICE};

async fn connected_through(sentinels: &RedisSentinels) -> RedisStore {
    let store = RedisStore::connect(&sentinels.url()).await;
    store.expect("connect")
}

/// Waits until a write succeeds, and returns how long that took.
async fn served_again(store: &RedisStore) -> Duration {
    let start = Instant::now();
    eventually("service", async || {
        store
            .insert(record(&crate::support::unique("k"), b"v"))
            .await
            .ok()
    })
    .await;
    start.elapsed()
}

/// Waits until every sentinel names another master than the one at `port`.
async fn decided(sentinels: &RedisSentinels, port: u16) {
    eventually("a decision", async || {
        let named = (0..3).map(|index| sentinels.master_port(index));
        named.into_iter().all(|named| named != port).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_case_passes() {
    let sentinels = RedisSentinels::start();
    let store = patient(&sentinels.url()).connect().await;
    conformance::check(store.expect("connect")).await;
}

#[tokio::test]
async fn the_next_master_serves_when_the_first_is_killed() {
    let mut sentinels = RedisSentinels::start();
    let store = connected_through(&sentinels).await;
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    let port = sentinels.server(0).port();
    sentinels.server(0).run(&["WAIT", "1", "5000"]);
    sentinels.server_mut(0).kill();
    assert!(store.ping().await.is_err());
    decided(&sentinels, port).await;
    let took = served_again(&store).await;
    assert!(took < Duration::from_millis(1500), "{took:?}");
    assert!(load(&store, "k").await.is_some());
}

#[tokio::test]
async fn an_ordered_failover_leaves_the_former_master() {
    let sentinels = RedisSentinels::start();
    let store = connected_through(&sentinels).await;
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    sentinels.server(0).run(&["WAIT", "1", "5000"]);
    let port = sentinels.server(0).port();
    sentinels.sentinels()[0].run(&["SENTINEL", "FAILOVER", SERVICE]);
    decided(&sentinels, port).await;
    // The former master still takes writes for some ten seconds. They would be lost.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(store.insert(record("late", b"v")).await, Ok(true));
    let held = |index: usize| sentinels.server(index).run(&["EXISTS", "late"]);
    assert_eq!(held(1), redis::Value::Int(1), "the new master has it");
    assert!(load(&store, "k").await.is_some());
}

#[tokio::test]
async fn a_sentinel_that_is_down_or_hangs_costs_nothing() {
    let mut sentinels = RedisSentinels::start();
    type Fail = fn(&mut RedisSentinels);
    let fails: [Fail; 2] = [
        |sentinels| sentinels.sentinels()[0].pause(),
        |sentinels| {
            sentinels.sentinels()[0].resume();
            sentinels.sentinel_mut(0).kill();
        },
    ];
    for fail in fails {
        fail(&mut sentinels);
        let start = Instant::now();
        let store = connected_through(&sentinels).await;
        assert!(store.insert(record("k", b"v")).await.is_ok());
        sentinels
            .server(0)
            .run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert!(load(&store, "k").await.is_some());
        let took = start.elapsed();
        assert!(took < Duration::from_millis(400), "{took:?}");
    }
}

/// Two of three must agree: the third one was cut off together with a former master.
#[tokio::test]
async fn a_sentinel_that_is_cut_off_names_no_master() {
    let mut sentinels = RedisSentinels::start();
    let former = RedisServer::start();
    let cut_off = RedisSentinels::start_cut_off(&former);
    let [first, second] = [0, 1].map(|index| sentinels.sentinels()[index].port());
    let url = RedisSentinels::url_of("redis", [cut_off.port(), first, second]);
    let config = RedisConfig::new(&url);
    for number in 0..20 {
        let store = config.clone().connect().await.expect("connect");
        let inserted = store.insert(record(&number.to_string(), b"v")).await;
        assert_eq!(inserted, Ok(true));
    }
    let store = config.clone().connect().await.expect("connect");
    sentinels.sentinel_mut(0).kill();
    let start = Instant::now();
    let error = config.clone().connect().await.expect_err("one against one");
    assert!(start.elapsed() < Duration::from_millis(1500), "{error}");
    sentinels.sentinel_mut(1).kill();
    let error = config.connect().await.expect_err("one of three");
    assert!(error.to_string().contains("no majority"), "{error}");
    // A restart of the sentinels does not matter, a long silence does.
    sleep(Duration::from_secs(5)).await;
    assert!(load(&store, "0").await.is_some());
    let left = eventually("the master is left", async || store.load("0").await.err()).await;
    let kept = start.elapsed();
    assert!(kept > Duration::from_secs(9), "{kept:?}");
    assert!(left.to_string().contains("no majority"), "{left}");
    assert_eq!(former.run(&["DBSIZE"]), redis::Value::Int(0));
    for index in 0..2 {
        sentinels.sentinel_mut(index).restart();
    }
    let start = Instant::now();
    let served = eventually("service", async || store.load("0").await.ok()).await;
    assert!(served.is_some() && start.elapsed() < Duration::from_secs(2));
}

/// During a failover the sentinels learn of the next master one after the other.
#[tokio::test]
async fn sentinels_that_disagree_are_awaited() {
    let sentinels = RedisSentinels::start();
    let former = RedisServer::start();
    let late = RedisSentinels::start_cut_off(&former);
    let down = 1;
    let url = RedisSentinels::url_of(
        "redis",
        [late.port(), sentinels.sentinels()[0].port(), down],
    );
    let connecting = tokio::spawn(patient(&url).connect_timeout(TTL).connect());
    sleep(Duration::from_millis(100)).await;
    assert!(!connecting.is_finished());
    let port = sentinels.server(0).port();
    redis::pipe()
        .cmd("SENTINEL")
        .arg(&["REMOVE", SERVICE])
        .cmd("SENTINEL")
        .arg(&["MONITOR", SERVICE, "127.0.0.1", &port.to_string(), "2"])
        .exec(&mut late.connect())
        .expect("the sentinel learns of the next master");
    let store = connecting.await.expect("no panic").expect("connect");
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    assert_eq!(former.run(&["DBSIZE"]), redis::Value::Int(0));
}

#[tokio::test]
async fn wrong_names_and_servers_are_reported() {
    let sentinels = RedisSentinels::start();
    let server = RedisServer::start();
    let sentinel_at =
        |port| format!("redis-sentinel://127.0.0.1:{port}/?sentinelServiceName=other");
    for (url, expected) in [
        (
            sentinel_at(sentinels.sentinels()[0].port()),
            "has no service",
        ),
        (sentinel_at(server.port()), "is not a sentinel"),
        (sentinels.sentinels()[0].url(), "use redis-sentinel://"),
        (sentinels.server(1).url(), "use its master"),
    ] {
        let error = RedisStore::connect(&url).await.expect_err(&url);
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // As during a failover, not by a mistake in the configuration.
    let port = server.port().to_string();
    let demoted = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    let late = RedisSentinels::start_cut_off(&demoted);
    let url = sentinel_at(late.port()).replace("=other", &format!("={SERVICE}"));
    let error = RedisStore::connect(&url).await.expect_err("a replica");
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
}

#[tokio::test]
async fn accounts_of_sentinels_and_servers_are_separate() {
    let sentinels = RedisSentinels::start();
    let accounts = [
        (RedisStore::SENTINEL_ACL_RULES, sentinels.sentinels(), ">s"),
        (
            RedisStore::ACL_RULES,
            std::slice::from_ref(sentinels.server(0)),
            ">p",
        ),
    ];
    for (rules, servers, password) in accounts {
        let mut words = vec![
            "ACL",
            "SETUSER",
            "app",
            "on",
            password,
            "~*",
            "resetchannels",
            "-@all",
        ];
        words.extend(rules.split(' '));
        for server in servers {
            server.run(&words);
        }
    }
    let url = sentinels.url().replace("://", "://app:p@");
    let config = RedisConfig::new(&url).sentinel_credentials("app", "s");
    let store = config.connect().await.expect("connect");
    conformance::check(store).await;
    let wrong = RedisConfig::new(&url).sentinel_credentials("app", "p");
    let error = wrong.connect().await.expect_err("wrong password");
    assert_eq!(error.kind(), StoreErrorKind::Auth, "{error}");
}

/// A master without its replicas rejects writes. That is no reason to leave it.
#[tokio::test]
async fn writes_without_replicas_are_errors_on_the_same_connection() {
    let sentinels = RedisSentinels::start();
    let store = connected_through(&sentinels).await;
    let master = sentinels.server(0);
    master.run(&["CONFIG", "SET", "min-replicas-to-write", "2"]);
    let connected = || format!("{:?}", master.run(&["INFO", "stats"]));
    let connections = |info: &str| {
        let (_, rest) = info
            .split_once("total_connections_received:")
            .expect("a count");
        rest.split('\\').next().map(str::to_owned)
    };
    let before = connections(&connected());
    for _ in 0..3 {
        let error = store
            .insert(record("k", b"v"))
            .await
            .expect_err("no replicas");
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        assert_eq!(load(&store, "k").await, None);
    }
    // The one connection of this question.
    let after = connections(&connected());
    let number = |text: Option<String>| {
        text.and_then(|text| {
            text.trim_end_matches(|c: char| !c.is_ascii_digit())
                .parse::<u64>()
                .ok()
        })
    };
    let added = number(after)
        .zip(number(before))
        .map(|(after, before)| after - before);
    assert!(added.is_some_and(|added| added < 4), "{added:?}");
}
