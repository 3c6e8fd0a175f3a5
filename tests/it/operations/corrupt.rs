//! Values under the key of a session that are no session, as Redis stores them.

use jwt_redis_session::RedisStore;

use super::*;
use crate::support::redis_server::RedisServer;

/// Commands for the key `K`. Each leaves something that is no session.
const COMMANDS: [&str; 8] = [
    "SET K {bad",
    // Not UTF-8.
    "SETBIT K 0 1",
    "SET K ",
    "RPUSH K x",
    "HSET K a 1",
    "ZADD K 1 x",
    "SADD K x",
    "XADD K * a 1",
];

#[tokio::test]
async fn corrupt_record_is_kept_until_it_is_replaced_or_ended() {
    let server = RedisServer::start();
    let sessions = sessions(RedisStore::connect(&server.url()).await.unwrap());
    for (command, is_login) in COMMANDS.iter().flat_map(|&it| [(it, false), (it, true)]) {
        let (session, token) = created(&sessions, Some("jo")).await;
        let (id, key) = (id(&session), key(&session));
        server.run(&["DEL", &key]);
        let words = command
            .split(' ')
            .map(|it| if it == "K" { &key } else { it });
        server.run(&words.collect::<Vec<_>>());
        let held = server.run(&["DUMP", &key]);
        let failed = run("update", &session).await;
        assert_eq!(failed, Err(SessionError::Corrupt), "{command}");
        if is_login {
            assert_eq!(sessions.destroy_all("jo").await, Ok(0), "{command}");
        } else {
            assert!(listed(&sessions, "jo").await.is_empty(), "{command}");
        }
        let corrupt = sessions.from_token(token.as_str()).await;
        let expected = SessionState::Rejected(TokenRejection::Corrupt);
        assert_eq!(corrupt.state(), expected, "{command}");
        if !command.starts_with("SET") {
            let by_id = sessions.destroy(&id).await;
            assert_eq!(by_id, Err(SessionError::Corrupt), "{command}");
        }
        assert_eq!(server.run(&["DUMP", &key]), held, "{command}");
        if is_login {
            let token = corrupt.login("al").await.expect("it replaces the value");
            open(&sessions, &token).await.expect("a new session");
        } else {
            assert_eq!(corrupt.logout().await, Ok(true), "{command}");
        }
        let left = server.run(&["EXISTS", &key]);
        assert_eq!(left, redis::Value::Int(0), "{command}");
    }
}
