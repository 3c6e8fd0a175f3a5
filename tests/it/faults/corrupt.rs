//! F30: what others have written under the name of a session.

use jwt_redis_session::{RedisStore, SessionError, TokenRejection};

use super::http::{Site, app};
use super::{created, open, sessions};
use crate::support::redis_server::RedisServer;

/// Commands after the first word, the key; each leaves something that is no session.
fn spoilings(key: &str) -> Vec<Vec<String>> {
    let megabytes = format!(r#"{{"a":"{}"}}"#, "x".repeat(2 << 20));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let set = |value: &str| ["SET", key, value, "KEEPTTL"].join("\0");
    let mut all: Vec<String> = [
        "[1,2]",
        r#""str""#,
        "5",
        "null",
        "{bad",
        "",
        "{}x",
        "\u{feff}{}",
    ]
    .into_iter()
    .map(set)
    .collect();
    all.extend([set(&megabytes), set(&deep)]);
    for other in [
        vec!["RPUSH", key, "x"],
        vec!["HSET", key, "a", "1"],
        vec!["ZADD", key, "1", "x"],
        vec!["SADD", key, "x"],
        vec!["XADD", key, "*", "a", "1"],
        // SETRANGE with a byte that is no UTF-8 is done by EVAL, since words are text here.
        vec![
            "EVAL",
            "return redis.call('SET', KEYS[1], '{\"a\":\"\\255\"}')",
            "1",
            key,
        ],
        vec![
            "EVAL",
            "return redis.call('SET', KEYS[1], '\\0\\1\\2')",
            "1",
            key,
        ],
    ] {
        all.push(other.join("\0"));
    }
    let split = |line: String| line.split('\0').map(str::to_owned).collect();
    all.into_iter().map(split).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_what_is_no_session_is_corrupt_and_left_alone_and_the_request_goes_on() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = sessions(store);
    let site = Site::open(app(sessions.clone())).await;
    let corrupt = SessionError::Rejected(TokenRejection::Corrupt);
    let (session, token) = created(&sessions, Some("jo")).await;
    let key = format!("sess:{}", session.id().expect("an id").as_str());
    for spoiling in spoilings(&key) {
        let what = format!("{:.80}", spoiling.join(" "));
        server.run(&["DEL", &key]);
        let words: Vec<_> = spoiling.iter().map(String::as_str).collect();
        server.run(&words);
        let held = server.run(&["DUMP", &key]);

        assert_eq!(
            open(&sessions, &token).await.err(),
            Some(corrupt.clone()),
            "{what}"
        );
        let look = site.ask("/look", Some(token.as_str())).await.fine();
        assert_eq!(look, "Rejected(Corrupt)", "{what}");
        let answer = site.ask("/read", Some(token.as_str())).await;
        assert_eq!(answer.status, 401, "{what}");

        // A handle that had been loaded before.
        session.insert("b", 2).expect("a number");
        for outcome in [
            session.update().await,
            session.reload().await,
            session.update_with(|_| Ok(())).await,
            session.replace(serde_json::json!({})).await,
            session.rotate().await.map(drop),
        ] {
            assert!(outcome.is_err(), "{what}");
        }
        assert_eq!(server.run(&["DUMP", &key]), held, "left alone: {what}");
        let listed = sessions.list("jo").await.expect("redis answers");
        assert!(listed.is_empty(), "{what}");
        assert_eq!(server.run(&["DUMP", &key]), held, "left alone: {what}");
    }
    let (_, fresh) = created(&sessions, Some("jo")).await;
    site.ask("/read", Some(fresh.as_str())).await.fine();
}

/// A session can still be ended by its handle when its record was spoiled; ending all of an owner
/// leaves alone what does not say that it is the owner's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_a_spoiled_session_can_be_ended() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = sessions(store);
    for all in [false, true] {
        let (session, token) = created(&sessions, Some("jo")).await;
        let key = format!("sess:{}", session.id().expect("an id").as_str());
        for spoiling in [["SET", &*key, "{bad"], ["LPUSH", &*key, "x"]] {
            server.run(&["DEL", &key]);
            server.run(&spoiling);
        }
        let reason = if all {
            assert_eq!(sessions.destroy_all("jo").await, Ok(0));
            TokenRejection::Corrupt
        } else {
            assert_eq!(session.destroy().await, Ok(true));
            TokenRejection::Unknown
        };
        let refused = SessionError::Rejected(reason);
        assert_eq!(open(&sessions, &token).await.err(), Some(refused));
    }
}

/// Whatever has become of a record, its token neither keeps a user from logging out nor in.
#[tokio::test]
async fn f30_whatever_is_under_a_valid_token_can_be_left_by_logout_and_login() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = sessions(store);
    for login in [false, true] {
        let (session, token) = created(&sessions, Some("jo")).await;
        let key = format!("sess:{}", session.id().expect("an id").as_str());
        for spoiling in spoilings(&key) {
            let what = format!("{:.80}", spoiling.join(" "));
            server.run(&["DEL", &key]);
            let words: Vec<_> = spoiling.iter().map(String::as_str).collect();
            server.run(&words);
            let corrupt = sessions.from_token(token.as_str()).await;
            if login {
                let token = corrupt.login("jo").await.expect(&what);
                open(&sessions, &token).await.expect(&what);
            } else {
                assert_eq!(corrupt.logout().await, Ok(true), "{what}");
            }
            let left = server.run(&["EXISTS", &key]);
            assert_eq!(left, redis::Value::Int(0), "{what}");
        }
    }
}
