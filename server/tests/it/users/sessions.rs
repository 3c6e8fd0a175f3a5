//! Sessions are created, shown and ended.

use std::time::Duration;

use serde_json::{Value, json};

use super::{credentials, destroy, is_valid, library, log_in, show};
use crate::buckets::bucket::{HOUR, overwrite, set_ttl, stored, ttl};
use crate::request::{fetch, send};
use crate::service::{Service, json as read};
use crate::support::eventually;

on_every_store!(
    user_ends_all_sessions_with_one,
    usernames_of_any_text_are_kept_apart,
    library_shares_the_sessions,
    use_resets_the_ttl,
);

const WEEK: Duration = Duration::from_secs(7 * 86_400);

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
        let value = stored(&service, &key).await.expect("a record").value;
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

#[tokio::test]
async fn login_returns_a_token() {
    let service = Service::memory().await;
    // The body is parsed whatever its type.
    for content_type in ["application/json", "text/plain", ""] {
        let body = credentials("jo").to_string();
        let request = service.post("/sessions").body(body);
        let response = send(request.header("Content-Type", content_type)).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let (status, body) = read(response).await;
        let token = body["sessionId"].as_str().expect("a token");
        assert_eq!((status, &body), (200, &json!({ "sessionId": token })));
        assert_eq!(token.len(), 43, "256 bits in base64url");
        assert_ne!(log_in(&service, "jo").await, token);
    }
}

#[tokio::test]
async fn invalid_login_is_rejected() {
    let service = Service::memory().await;
    let (empty, long) = (credentials(""), credentials(&"hunter2".repeat(74)));
    let (empty, long) = (empty.to_string(), long.to_string());
    for body in ["hunter2", r#"["jo","hunter2"]"#, &empty, &long] {
        let request = service.post("/sessions").body(body.to_owned());
        let (status, answer) = fetch(request).await;
        assert_eq!(status, 400, "{body}");
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
    }
    assert_eq!(service.records(), 0);
}

/// Returns the key of the record of the only session of `jo`.
async fn record(service: &Service) -> String {
    let sessions = library(service).list("jo").await.expect("a list");
    format!("sessiond:user:{}", sessions[0].id().as_str())
}

async fn use_resets_the_ttl(service: Service) {
    let token = log_in(&service, "jo").await;
    let key = &record(&service).await;
    let created = ttl(&service, key).await;
    assert!(created <= WEEK && created > WEEK - HOUR, "{created:?}");
    set_ttl(&service, key, HOUR).await;
    assert!(is_valid(&service, &token, "jo").await);
    eventually("the TTL is reset", || async {
        (ttl(&service, key).await > WEEK - HOUR).then_some(())
    })
    .await;
}

#[tokio::test]
async fn corrupt_record_is_500() {
    let service = Service::memory().await;
    let token = log_in(&service, "jo").await;
    overwrite(&service, &record(&service).await, b"not a record").await;
    let error = json!({ "error": "internal error" });
    assert_eq!(fetch(show(&service, &token)).await, (500, error));
}
