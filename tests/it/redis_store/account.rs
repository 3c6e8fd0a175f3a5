//! The account that is enough.

use super::*;

/// R36: the account needs the listed commands, and what it may not is not fatal.
#[tokio::test]
async fn r36_the_least_privileged_account_is_enough() {
    let server = RedisServer::start();
    let mut words = vec![
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">pw",
        "~jrs:*",
        "resetchannels",
        "-@all",
    ];
    words.extend(RedisStore::ACL_RULES.split(' '));
    server.run(&words);
    let url = format!("redis://app:pw@127.0.0.1:{}/", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    walk(&store).await;
    server.run(&["SCRIPT", "FLUSH"]);
    walk(&store).await;

    let mut connection = store.connection().await.expect("a connection");
    for refused in [
        "KEYS *",
        "SCAN 0",
        "CONFIG GET *",
        "FLUSHALL",
        "INFO",
        "SCRIPT FLUSH",
    ] {
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
    let outside = store.run(&[Command::Load { key: "other:k" }]).await;
    assert_eq!(
        outside.expect_err("not ours").kind(),
        StoreErrorKind::Permission
    );
    let outside = store.run(&[put("other:i", "a", 1)]).await;
    assert_eq!(
        outside.expect_err("not ours").kind(),
        StoreErrorKind::Permission
    );
    one(&store, Command::Load { key: "jrs:k" }).await;
}

/// R36, the other way round: nothing in the list is there for nothing.
#[tokio::test]
async fn r36_every_rule_is_needed() {
    let server = RedisServer::start();
    let rules: Vec<&str> = RedisStore::ACL_RULES.split(' ').collect();
    let (key, index) = ("k", "i");
    let everything = [
        vec![Command::Load { key }],
        vec![insert(key, b"v")],
        vec![Command::Expire { key, ttl: TTL }],
        vec![Command::Delete { key }],
        vec![put(index, "a", 1)],
        vec![
            put(index, "a", 1),
            Command::IndexCheck { index, member: "a" },
        ],
        vec![Command::IndexEntries { index }],
        vec![Command::IndexDue {
            index,
            score: 1,
            limit: 1,
        }],
        vec![Command::IndexRemove {
            index,
            members: &["a"],
        }],
    ];
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
        let mut refused = false;
        for batch in &everything {
            refused |= store.run(batch).await.is_err();
        }
        assert!(refused, "{missing} is not needed");
    }
}
