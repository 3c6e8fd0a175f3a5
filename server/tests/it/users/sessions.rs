//! Sessions are shown and ended.

use serde_json::{Value, json};

use super::{destroy, is_valid, library, log_in, show};
use crate::request::{fetch, send, store};
use crate::service::{Service, json as read};
use crate::support::eventually;

on_every_store!(
    user_ends_all_sessions_with_one,
    usernames_of_any_text_are_kept_apart,
    library_shares_the_sessions,
);

const WEEK: i64 = 7 * 86_400_000;

async fn user_ends_all_sessions_with_one(service: Service) {
    let tokens = [log_in(&service, "jo").await, log_in(&service, "jo").await];
    let other = log_in(&service, "al").await;
    let delete = || service.delete("/sessions/jo").bearer_auth(&tokens[1]);
    for request in [show(&service, &tokens[0]), delete()] {
        let response = send(request).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(read(response).await, (200, json!({ "username": "jo" })));
    }
    let new = log_in(&service, "jo").await;
    for token in &tokens {
        assert!(!is_valid(&service, token, "jo").await);
    }
    let error = json!({ "error": "Session does not exist." });
    assert_eq!(fetch(delete()).await, (401, error));
    assert!(is_valid(&service, &new, "jo").await);
    assert!(is_valid(&service, &other, "al").await);
}

async fn usernames_of_any_text_are_kept_apart(service: Service) {
    let long = "x".repeat(512);
    let names = [
        "a", "a:b", "*", "..", "a/b", "a%2Fb", "%00", "+", "é", "e\u{301}", "A", "a\r\nb", " ",
        &long,
    ];
    let mut tokens = Vec::new();
    for name in names {
        tokens.push((name, log_in(&service, name).await));
    }
    for (name, token) in tokens {
        assert!(is_valid(&service, &token, name).await, "{name:?}");
        let path: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = destroy(&service, &token, &path).await;
        assert_eq!(answer, (200, json!({ "username": name })), "{name:?}");
    }
}

async fn library_shares_the_sessions(service: Service) {
    let library = library(&service);
    let by_api = log_in(&service, "jo").await;
    let session = library.open(&by_api).await.expect("a session");
    assert_eq!(session.owner().as_deref(), Some("jo"));
    assert_eq!(session.to_json(), json!({}));
    let session = library.new_session();
    session.set_owner("jo").expect("an owner");
    let by_library = session.create().await.expect("a token");
    assert!(is_valid(&service, by_library.as_str(), "jo").await);
    for entry in library.list("jo").await.expect("a list") {
        let key = format!("sessiond:user:{}", entry.id().as_str());
        let record = store(&service).load(&key).await.expect("a response");
        let value = record.expect("a record").value;
        let record: Value = serde_json::from_slice(&value).expect("JSON");
        let created = &record["_jrs"]["created"];
        let expected = json!({ "_jrs": { "owner": "jo", "created": created } });
        assert_eq!(record, expected);
        // Tokens cannot be derived from the contents of the store.
        assert!(!is_valid(&service, entry.id().as_str(), "jo").await);
    }
    assert_eq!(library.destroy_all("jo").await, Ok(2));
    assert!(!is_valid(&service, &by_api, "jo").await);
    assert!(!is_valid(&service, by_library.as_str(), "jo").await);
}

/// Returns the key of the only record in Redis.
fn record(service: &Service) -> String {
    let keys = service.keys();
    let records: Vec<_> = keys.iter().filter(|key| !key.contains(":owner:")).collect();
    assert_eq!(records.len(), 1, "{keys:?}");
    records[0].clone()
}

#[tokio::test]
async fn session_ends_a_week_after_its_last_use() {
    let service = Service::redis().await;
    let token = log_in(&service, "jo").await;
    let redis = service.server();
    let key = record(&service);
    let ttl = || ::redis::from_redis_value::<i64>(redis.run(&["PTTL", &key])).expect("a number");
    assert!((WEEK - 10_000..=WEEK).contains(&ttl()));
    redis.run(&["PEXPIRE", &key, "60000"]);
    assert!(is_valid(&service, &token, "jo").await);
    eventually("the TTL is reset", || async {
        (ttl() > WEEK - 10_000).then_some(())
    })
    .await;
    redis.run(&["PEXPIRE", &key, "1"]);
    eventually("expired", || async { (ttl() < 0).then_some(()) }).await;
    assert!(!is_valid(&service, &token, "jo").await);
}

#[tokio::test]
async fn corrupt_record_is_500() {
    let service = Service::redis().await;
    let token = log_in(&service, "jo").await;
    let redis = service.server();
    redis.run(&["SET", &record(&service), "not a record"]);
    let error = json!({ "error": "internal error" });
    assert_eq!(fetch(show(&service, &token)).await, (500, error));
}
