//! The account that is enough.

use jwt_redis_session::store::{EntryState, IndexEntry, IndexPage};

use super::*;

/// Connects with an account that may use `rules` only, on keys that match `pattern`.
async fn restricted(server: &RedisServer, pattern: &str, rules: &str) -> RedisStore {
    let user = crate::support::unique("app").replace(':', "-");
    let command = format!("ACL SETUSER {user} on >pw {pattern} resetchannels -@all {rules}");
    server.run(&command.split(' ').collect::<Vec<_>>());
    let url = format!("redis://{user}:pw@127.0.0.1:{}/", server.port());
    RedisStore::connect(&url).await.expect("connect")
}

#[tokio::test]
async fn the_least_privileged_account_is_enough() {
    let server = RedisServer::start();
    let store = restricted(&server, "~conformance-*", RedisStore::ACL_RULES).await;
    conformance::check(store.clone()).await;

    let mut connection = store.connection().await.expect("a connection");
    for forbidden in [
        "KEYS *",
        "SCAN 0",
        "CONFIG GET *",
        "FLUSHALL",
        "INFO",
        "SCRIPT FLUSH",
    ] {
        let mut words = forbidden.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        let command = command.arg(words.collect::<Vec<_>>());
        let error = command.exec_async(&mut connection).await;
        let error = error.expect_err(forbidden);
        assert_eq!(error.code(), Some("NOPERM"), "{forbidden}");
    }
    let outside = store.load("other:k").await.expect_err("another prefix");
    assert_eq!(outside.kind(), StoreErrorKind::Permission);
}

#[tokio::test]
async fn only_a_scan_needs_another_rule() {
    let server = RedisServer::start();
    let rules = RedisStore::ACL_RULES;
    let store = restricted(&server, "~sess:*", rules).await;
    let rejected = store.scan("sess:", None, 10).await.expect_err("no rule");
    assert_eq!(rejected.kind(), StoreErrorKind::Permission);
    let rules = format!("{rules} {}", RedisStore::SCAN_ACL_RULES);
    let store = restricted(&server, "~sess:*", &rules).await;
    assert_eq!(store.insert(record("sess:*", b"v")).await, Ok(true));
    server.run(&["SET", "sess:a", "v"]);
    for (prefix, expected) in [
        ("sess:*", &["sess:*"][..]),
        ("sess:[", &[]),
        ("other:", &[]),
    ] {
        let part = store.scan(prefix, None, 10).await.expect("the rule");
        assert_eq!(part.keys, expected, "{prefix}");
    }
}

#[tokio::test]
async fn every_rule_is_needed() {
    let server = RedisServer::start();
    let rules: Vec<&str> = RedisStore::ACL_RULES.split(' ').collect();
    for missing in &rules {
        let others = rules.iter().copied().filter(|rule| rule != missing);
        let others = others.collect::<Vec<_>>().join(" ");
        let store = restricted(&server, "~*", &others).await;
        assert!(is_rejected(&store).await, "{missing} is not needed");
    }
}

/// Whether any of the methods is rejected.
async fn is_rejected(store: &RedisStore) -> bool {
    let (put, new) = ([entry("i", "a", 1)], record("k", b"v"));
    let due = Some(Due { by: 1, limit: 1 });
    let after = IndexEntry::new("a", EntryState::Active { check_after: 1 });
    let page = IndexPage {
        after: Some(&after),
        descending: false,
        limit: 1,
    };
    [
        store.ping().await.is_err(),
        store.insert(new).await.is_err(),
        store.load("k").await.is_err(),
        // Values that are large, or empty, are read in another way.
        store.insert(record("empty", b"")).await.is_err(),
        store.load("empty").await.is_err(),
        store.set_ttl("k", TTL).await.is_err(),
        store.delete("k").await.is_err(),
        store.insert_indexed(&put, new, None).await.is_err(),
        store.index_list("i", None).await.is_err(),
        store.index_list("i", due).await.is_err(),
        store.index_page("i", page).await.is_err(),
        store.index_remove("i", &["a"], None).await.is_err(),
    ]
    .contains(&true)
}
