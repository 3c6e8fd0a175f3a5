//! Values under the key of a session that are no session, as Redis stores them.

use jwt_redis_session::{SessionState, TokenRejection};

use super::{connect, created, id, listed, open, sessions};
use crate::support::redis_server::RedisServer;

/// Commands whose second word is the key. Each leaves something that is no session.
const COMMANDS: [&[&str]; 8] = [
    &["SET", "", "{bad", "KEEPTTL"],
    // Not UTF-8.
    &["SETBIT", "", "0", "1"],
    &["SET", "", ""],
    &["RPUSH", "", "x"],
    &["HSET", "", "a", "1"],
    &["ZADD", "", "1", "x"],
    &["SADD", "", "x"],
    &["XADD", "", "*", "a", "1"],
];

#[tokio::test]
async fn corrupt_record_is_kept_until_it_is_replaced_or_ended() {
    let server = RedisServer::start();
    let sessions = sessions(connect(&server.url()).await);
    for (command, is_login) in COMMANDS.iter().flat_map(|&it| [(it, false), (it, true)]) {
        let (session, token) = created(&sessions, "jo").await;
        let key = format!("sess:{}", id(&session));
        server.run(&["DEL", &key]);
        server.run(&[&[command[0], &key], &command[2..]].concat());
        let held = server.run(&["DUMP", &key]);

        session.insert("b", 2).expect("a number");
        for outcome in [
            session.update().await,
            session.reload().await,
            session.rotate().await.map(drop),
        ] {
            assert!(outcome.is_err(), "{command:?}");
        }
        if is_login {
            assert_eq!(sessions.destroy_all("jo").await, Ok(0), "{command:?}");
        } else {
            assert!(listed(&sessions, "jo").await.is_empty(), "{command:?}");
        }
        let corrupt = sessions.from_token(token.as_str()).await;
        let expected = SessionState::Rejected(TokenRejection::Corrupt);
        assert_eq!(corrupt.state(), expected, "{command:?}");
        assert_eq!(server.run(&["DUMP", &key]), held, "{command:?}");

        if is_login {
            let token = corrupt.login("al").await.expect("it replaces the value");
            open(&sessions, &token).await.expect("a new session");
        } else {
            assert_eq!(corrupt.logout().await, Ok(true), "{command:?}");
        }
        let left = server.run(&["EXISTS", &key]);
        assert_eq!(left, redis::Value::Int(0), "{command:?}");
    }
}
