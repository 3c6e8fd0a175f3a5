//! Values under the key of a session that are no session.

use jwt_redis_session::{RedisStore, SessionError, Sessions, TokenRejection};

use super::application::Application;
use super::{created, id, open, sessions};
use crate::support::redis_server::RedisServer;

const CORRUPT: SessionError = SessionError::Rejected(TokenRejection::Corrupt);

async fn prepared() -> (RedisServer, Sessions) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    (server, sessions(store))
}

/// Commands whose second word is the key; each leaves something that is no session.
fn commands() -> Vec<Vec<String>> {
    let megabytes = format!(r#"{{"a":"{}"}}"#, "x".repeat(2 << 20));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let values = [
        "[1,2]",
        r#""str""#,
        "5",
        "null",
        "{bad",
        "",
        "{}x",
        "\u{feff}{}",
    ];
    let values = values.into_iter().chain([&*megabytes, &*deep]);
    let set = values.map(|value| vec!["SET", "", value, "KEEPTTL"]);
    // Values that are not UTF-8, or of another type. BITFIELD sets bytes.
    let others = [
        vec!["SETBIT", "", "0", "1"],
        vec![
            "BITFIELD", "", "SET", "u8", "0", "123", "SET", "u8", "8", "255",
        ],
        vec!["RPUSH", "", "x"],
        vec!["HSET", "", "a", "1"],
        vec!["ZADD", "", "1", "x"],
        vec!["SADD", "", "x"],
        vec!["XADD", "", "*", "a", "1"],
    ];
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    set.chain(others).map(owned).collect()
}

/// Replaces the value under `key`, and returns a name of the new one.
fn spoil(server: &RedisServer, key: &str, command: &[String]) -> String {
    server.run(&["DEL", key]);
    let mut words: Vec<_> = command.iter().map(String::as_str).collect();
    words[1] = key;
    server.run(&words);
    format!("{:.80}", words.join(" "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupt_record_is_rejected_and_not_changed() {
    let (server, sessions) = prepared().await;
    let app = Application::start(sessions.clone()).await;
    let (session, token) = created(&sessions, "jo").await;
    let key = format!("sess:{}", id(&session));
    for command in commands() {
        let what = spoil(&server, &key, &command);
        let held = server.run(&["DUMP", &key]);
        assert_eq!(open(&sessions, &token).await.err(), Some(CORRUPT), "{what}");
        let state = app.ok("/state", token.as_str()).await;
        assert_eq!(state, "Rejected(Corrupt)", "{what}");
        let answer = app.post("/read", token.as_str()).await;
        assert_eq!(answer.status(), 401, "{what}");
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
        let listed = sessions.list("jo").await.expect("redis answers");
        assert!(listed.is_empty(), "{what}");
        assert_eq!(server.run(&["DUMP", &key]), held, "changed: {what}");
    }
    let (_, fresh) = created(&sessions, "jo").await;
    app.ok("/read", fresh.as_str()).await;
}

/// `destroy_all` does not delete what does not name the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupt_record_is_ended_by_its_handle_alone() {
    let (server, sessions) = prepared().await;
    let (session, token) = created(&sessions, "jo").await;
    let key = format!("sess:{}", id(&session));
    spoil(&server, &key, &["LPUSH", "", "x"].map(str::to_owned));
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    assert_eq!(open(&sessions, &token).await.err(), Some(CORRUPT));
    assert_eq!(session.destroy().await, Ok(true));
    let unknown = SessionError::Rejected(TokenRejection::Unknown);
    assert_eq!(open(&sessions, &token).await.err(), Some(unknown));
}

#[tokio::test]
async fn a_corrupt_record_prevents_neither_logout_nor_login() {
    let (server, sessions) = prepared().await;
    let (session, token) = created(&sessions, "jo").await;
    let key = format!("sess:{}", id(&session));
    for command in commands() {
        for is_login in [false, true] {
            let what = spoil(&server, &key, &command);
            let corrupt = sessions.from_token(token.as_str()).await;
            if is_login {
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
