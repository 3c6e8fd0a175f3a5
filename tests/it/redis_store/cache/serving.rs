//! What is served from the cache, and what is not.

use jwt_redis_session::{Keyring, SessionError, Sessions, TokenRejection};

use super::*;
use crate::log::Log;

#[tokio::test]
async fn a_hot_read_sends_no_command() {
    let (server, cached, plain) = both().await;
    assert_eq!(plain.insert(record("k", b"v")).await, Ok(true));
    heat(&cached, "k").await;
    let sent = || calls(&server, "getrange") + calls(&server, "pttl") + calls(&server, "get");
    let before = sent();
    for _ in 0..100 {
        let found = load(&cached, "k").await.expect("it exists");
        assert_eq!(found.value, b"v"[..]);
        let ttl = found.ttl.expect("a time to live");
        assert!(ttl <= TTL && ttl > TTL - Duration::from_secs(5), "{ttl:?}");
    }
    assert_eq!(sent(), before);
    assert!(plain.cache_stats().is_none());
}

#[tokio::test]
async fn every_case_passes() {
    let server = RedisServer::start();
    for parameters in ["", "?protocol=resp2"] {
        let url = server.url() + parameters;
        let store = patient(&url).cache(bounded()).connect().await;
        let store = store.expect("connect");
        conformance::check(store.clone()).await;
        let stats = stats(&store);
        assert!(stats.hits + stats.misses > 0, "{stats:?}");
    }
}

/// The record is not served after its end, although Redis announces that late or never.
#[tokio::test]
async fn a_record_expires_on_time() {
    let (_server, cached, plain) = both().await;
    // Among many others, so that Redis finds it late.
    for number in 0..2000 {
        let key = format!("other:{number}");
        plain.insert(record(&key, b"v")).await.expect("inserted");
    }
    let ttl = Duration::from_millis(300);
    for round in 0..3 {
        let key = format!("k{round}");
        let inserted = plain.insert(NewRecord::new(&key, b"v", ttl)).await;
        // Redis counts whole milliseconds, the last one included.
        let end = Instant::now() + ttl + Duration::from_millis(1);
        assert_eq!(inserted, Ok(true));
        heat(&cached, &key).await;
        let last = read_until_gone(&cached, &key).await.expect("no panic");
        assert!(last < end, "{:?} late", last - end);
    }
    assert!(stats(&cached).hits > 100);
}

#[tokio::test]
async fn some_records_are_never_hot() {
    let (server, cached, plain) = both().await;
    let large = vec![b'v'; 64 * 1024];
    assert_eq!(plain.insert(record("large", &large)).await, Ok(true));
    assert_eq!(plain.insert(record("empty", b"")).await, Ok(true));
    server.run(&["SET", "endless", "v"]);
    for (key, exists) in [
        ("large", true),
        ("empty", true),
        ("endless", true),
        ("absent", false),
    ] {
        for _ in 0..3 {
            assert_eq!(load(&cached, key).await.is_some(), exists, "{key}");
        }
    }
    let stats = stats(&cached);
    assert_eq!((stats.hits, stats.entries), (0, 0));
    assert_eq!(stats.misses, 12);
}

/// Reads on which a decision depends are not served from the cache.
#[tokio::test]
async fn only_load_is_served() {
    let (server, cached, _plain) = both().await;
    insert_hot(&cached, "k").await;
    let before = calls(&server, "pttl");
    let hits = stats(&cached).hits;
    let loaded = cached.load_many(&["k"]).await.expect("redis answers");
    assert!(loaded[0].is_some());
    assert_eq!(calls(&server, "getrange"), before + 1);
    assert_eq!(stats(&cached).hits, hits);
}

/// `PING` proves that no announcement is in flight, and is sent only when nothing else is.
#[tokio::test]
async fn an_idle_connection_stays_proven() {
    let server = RedisServer::start();
    let bound = Duration::from_millis(600);
    let cached = with_cache(&server.url(), Cache::new().max_staleness(bound)).await;
    insert_hot(&cached, "k").await;
    let (start, before) = (Instant::now(), calls(&server, "ping"));
    let mut hits = 0;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let hits_before = stats(&cached).hits;
        load(&cached, "k").await;
        hits += stats(&cached).hits - hits_before;
    }
    assert!(hits >= 8, "{hits} of 10 are hot");
    let pings = calls(&server, "ping") - before;
    let most = 3 * start.elapsed().as_millis() as u64 / 600 + 2;
    assert!((4..=most).contains(&pings), "{pings} of {most}");

    let before = calls(&server, "ping");
    let busy = Instant::now() + Duration::from_secs(2);
    while Instant::now() < busy {
        load(&cached, "absent").await;
    }
    let pings = calls(&server, "ping") - before;
    assert!(pings <= 3, "{pings} on a busy connection");
}

#[tokio::test]
async fn without_a_connection_nothing_is_hot() {
    let (mut server, cached, _plain) = both().await;
    insert_hot(&cached, "k").await;
    server.kill();
    eventually("an error", async || cached.load("k").await.err()).await;
    let before = stats(&cached);
    assert!(cached.load("k").await.is_err());
    let after = stats(&cached);
    assert_eq!(
        (after.hits, after.bypasses),
        (before.hits, before.bypasses + 1)
    );
}

#[tokio::test]
async fn the_tasks_end_with_the_store() {
    let server = RedisServer::start();
    let before = crate::support::alive_tasks();
    let cached = with_cache(&server.url(), bounded()).await;
    insert_hot(&cached, "k").await;
    assert!(crate::support::alive_tasks() > before);
    drop(cached);
    eventually("the end of all tasks", async || {
        (crate::support::alive_tasks() <= before).then_some(())
    })
    .await;
}

/// Creates a user that may use `rules`, and returns its URL.
fn account(server: &RedisServer, rules: &str) -> String {
    let mut words = vec!["ACL", "SETUSER", "app", "reset", "on", ">pw", "~*"];
    words.extend(["resetchannels", "-@all"]);
    words.extend(rules.split_whitespace());
    server.run(&words);
    format!("redis://app:pw@127.0.0.1:{}/", server.port())
}

#[tokio::test]
async fn the_documented_rights_are_enough() {
    let server = RedisServer::start();
    let rules = format!("{} {}", RedisStore::ACL_RULES, RedisStore::CACHE_ACL_RULES);
    let url = account(&server, &rules);
    let cached = with_cache(&url, bounded()).await;
    insert_hot(&cached, "k").await;
    conformance::check(cached).await;
}

#[tokio::test]
async fn a_rejection_by_the_server_costs_only_the_cache() {
    let server = RedisServer::start();
    let url = account(&server, RedisStore::ACL_RULES);
    let (log, _guard) = Log::record();
    let cached = with_cache(&url, bounded()).await;
    assert_eq!(cached.insert(record("k", b"v")).await, Ok(true));
    for _ in 0..2 {
        for _ in 0..3 {
            assert!(load(&cached, "k").await.is_some());
        }
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
    let stats = stats(&cached);
    assert_eq!((stats.hits, stats.misses, stats.entries), (0, 0, 0));
    assert_eq!(stats.bypasses, 6);
    let warnings = log.text().matches("CLIENT TRACKING").count();
    assert_eq!(warnings, 1, "{}", log.text());
}

/// The parsed record is kept with the cached one, and several `Sessions` share the cache.
#[tokio::test]
async fn a_hot_record_is_checked_against_the_limit_of_each_configuration() {
    let (_server, cached, _plain) = both().await;
    let keyring = Keyring::hs256(*b"0123456789abcdef0123456789abcdef").unwrap();
    let large = Sessions::builder(cached.clone(), keyring.clone());
    let large = large.build().unwrap();
    let small = Sessions::builder(cached.clone(), keyring).max_size(20);
    let small = small.build().unwrap();
    let session = large.new_session();
    session.insert("card", "4111 1111 1111 1111").unwrap();
    let token = session.create().await.unwrap();
    let before = stats(&cached).hits;
    eventually("a hot session", async || {
        let session = large.open(token.as_str()).await.unwrap();
        let card: Option<String> = session.get("card").unwrap();
        assert_eq!(card.as_deref(), Some("4111 1111 1111 1111"));
        (stats(&cached).hits > before + 1).then_some(())
    })
    .await;
    let rejected = small.open(token.as_str()).await.unwrap_err();
    assert_eq!(rejected, SessionError::Rejected(TokenRejection::Corrupt));
}

#[tokio::test]
async fn a_read_looks_into_the_cache_when_it_is_polled() {
    let (_server, cached, plain) = both().await;
    insert_hot(&cached, "k").await;
    let reading = cached.load("k");
    assert_eq!(plain.delete("k").await, Ok(true));
    tokio::time::sleep(BOUND).await;
    assert_eq!(reading.await, Ok(None));
}
