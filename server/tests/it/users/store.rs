//! What stands in Redis, for how long, and what a client is told without it.

use std::time::Duration;

use futures_util::StreamExt as _;
use jwt_redis_session::OpaqueTokens;

use super::core::core;
use super::{credentials, destroy, is_session_of, log_in, show};
use crate::service::Service;
use crate::support::redis_server::RedisServer;

const WEEK: i64 = 7 * 86_400_000;

#[tokio::test]
async fn the_store_holds_neither_token_nor_password() {
    let service = Service::redis().await;
    let token = log_in(&service, "jo").await;
    assert!(is_session_of(&service, &token, "jo").await);
    let redis = service.redis.as_ref().expect("a Redis");
    let mut everything = service.keys();
    for key in service.keys() {
        let dump = redis.run(&["DUMP", &key]);
        let bytes: Vec<u8> = redis::from_redis_value(dump).expect("a dump");
        everything.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let everything = everything.concat();
    assert!(everything.contains("jo"), "the test reads what is stored");
    for secret in [&*token, "correct horse battery staple"] {
        assert!(!everything.contains(secret));
    }
}

#[tokio::test]
async fn a_session_lives_a_week_after_its_last_use() {
    let service = Service::redis().await;
    let token = log_in(&service, "jo").await;
    let redis = service.redis.as_ref().expect("a Redis");
    let key = record(&service);
    let left = || redis::from_redis_value::<i64>(redis.run(&["PTTL", &key])).expect("a number");
    assert!((WEEK - 10_000..=WEEK).contains(&left()));
    redis.run(&["PEXPIRE", &key, "60000"]);
    assert!(is_session_of(&service, &token, "jo").await);
    let pushed_back = async {
        while left() < WEEK - 10_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(5), pushed_back).await;
    waited.expect("a use pushes the end back");
    redis.run(&["PEXPIRE", &key, "1"]);
    while left() >= 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!is_session_of(&service, &token, "jo").await);
}

#[tokio::test]
async fn without_redis_nobody_is_told_that_the_session_does_not_exist() {
    let mut redis = RedisServer::start();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let token = log_in(&service, "jo").await;
    redis.pause();
    let create = service.post("/sessions").json(&credentials("jo"));
    let show = service.get("/sessions").bearer_auth(&token);
    let delete = service.delete("/sessions/jo").bearer_auth(&token);
    for request in [create, show, delete] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        let text = answer.text().await.expect("a body");
        assert_eq!(text, r#"{"error":"the session store is not available"}"#);
    }
    redis.resume();
    let back = async { while self::show(&service, &token).await.status() == 503 {} };
    let waited = tokio::time::timeout(Duration::from_secs(5), back).await;
    waited.expect("Redis is back");
    assert!(is_session_of(&service, &token, "jo").await);
    redis.kill();
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_a_fault_of_the_service() {
    let service = Service::redis().await;
    let token = log_in(&service, "jo").await;
    let redis = service.redis.as_ref().expect("a Redis");
    redis.run(&["SET", &record(&service), "PRIVATE no record"]);
    let answer = show(&service, &token).await;
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.expect("a body");
    assert_eq!(text, r#"{"error":"internal error"}"#);
}

/// The name of the only record.
fn record(service: &Service) -> String {
    let keys = service.keys();
    let records = |key: &&String| {
        let id = key.strip_prefix("sessiond:user:");
        id.is_some_and(|id| id.len() == 43 && !id.contains(':'))
    };
    let found: Vec<_> = keys.iter().filter(records).collect();
    assert_eq!(found.len(), 1, "{keys:?}");
    found[0].clone()
}

#[tokio::test]
async fn any_number_of_sessions_ends_by_one_request() {
    const MANY: usize = 20_000;
    let service = Service::redis().await;
    let sessions = core(&service, "sessiond:user:", OpaqueTokens::new()).await;
    let logins = futures_util::stream::iter(0..MANY).map(|_| async {
        let session = sessions.new_session();
        session.set_owner("jo").unwrap();
        session.create().await.expect("created")
    });
    let tokens: Vec<_> = logins.buffer_unordered(200).collect().await;
    let bearer = log_in(&service, "jo").await;
    let answer = destroy(&service, &bearer, "jo").await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    for token in [&tokens[0], &tokens[MANY - 1]] {
        assert!(!is_session_of(&service, token.as_str(), "jo").await);
    }
    assert!(service.keys().is_empty(), "nothing is left");
}
