//! The account that is enough.

use super::*;

const REFUSED: [&str; 6] = [
    "KEYS *",
    "SCAN 0",
    "CONFIG GET *",
    "FLUSHALL",
    "INFO",
    "SCRIPT FLUSH",
];

/// R36: the account needs the listed commands, and what it may not is not fatal.
#[tokio::test]
async fn r36_the_least_privileged_account_is_enough() {
    let server = RedisServer::start();
    let user = "ACL SETUSER app on >pw ~jrs:* resetchannels -@all";
    let mut words: Vec<_> = user.split(' ').collect();
    words.extend(RedisStore::ACL_RULES.split(' '));
    server.run(&words);
    let url = format!("redis://app:pw@127.0.0.1:{}/", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    walk(&store).await;
    server.run(&["SCRIPT", "FLUSH"]);
    walk(&store).await;

    let mut connection = store.connection().await.expect("a connection");
    for refused in REFUSED {
        let mut words = refused.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            command.arg(word);
        }
        let answer: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
        assert_eq!(
            answer.expect_err(refused).code(),
            Some("NOPERM"),
            "{refused}"
        );
    }
    let outside = store.load("other:k").await.expect_err("not ours");
    assert_eq!(outside.kind(), StoreErrorKind::Permission);
    let outside = store.index_put(entry("other:i", "a", 1), KEEP).await;
    let outside = outside.expect_err("not ours");
    assert_eq!(outside.kind(), StoreErrorKind::Permission);
    assert_eq!(value(&store, "jrs:k").await, None);
}

/// R36, the other way round: nothing is in the list without need.
#[tokio::test]
async fn r36_every_rule_is_needed() {
    let server = RedisServer::start();
    let rules: Vec<&str> = RedisStore::ACL_RULES.split(' ').collect();
    for (number, missing) in rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| **rule != "+ping")
    {
        let user = format!("app{number}");
        let mut words = vec!["ACL", "SETUSER", &user, "on", ">pw", "~*", "-@all"];
        words.extend(rules.iter().filter(|rule| *rule != missing));
        server.run(&words);
        server.run(&["SCRIPT", "FLUSH"]);
        let url = format!("redis://{user}:pw@127.0.0.1:{}/", server.port());
        let store = RedisStore::connect(&url).await.expect("connect");
        assert!(is_refused(&store).await, "{missing} is not needed");
    }
}

/// Whether any of the methods is refused.
async fn is_refused(store: &RedisStore) -> bool {
    let (key, index) = ("k", "i");
    let put = [entry(index, "a", 1)];
    let mut refused = store.insert(record(key, b"v")).await.is_err();
    refused |= store.load(key).await.is_err();
    // Values that are large, or empty, are read in another way.
    refused |= store.insert(record("empty", b"")).await.is_err();
    refused |= store.load("empty").await.is_err();
    refused |= store.set_ttl(key, TTL).await.is_err();
    refused |= store.delete(key).await.is_err();
    refused |= store.index_put(put[0], KEEP).await.is_err();
    refused |= store
        .insert_indexed(&put, record(key, b"v"), None)
        .await
        .is_err();
    refused |= store.index_list(index, ALL).await.is_err();
    refused |= store.index_list(index, due(1, 1)).await.is_err();
    refused | store.index_remove(index, &["a"], None).await.is_err()
}
