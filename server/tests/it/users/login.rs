//! Logins create sessions.

use serde_json::json;

use super::{credentials, log_in};
use crate::request::{fetch, send};
use crate::service::{Service, json as read};

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
    for body in [
        "hunter2",
        r#"["jo","hunter2"]"#,
        r#"{"username":"hunter2"}"#,
    ] {
        let (status, answer) = fetch(service.post("/sessions").body(body)).await;
        assert_eq!(status, 400, "{body}");
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
    }
    assert_eq!(service.records(), 0);
}
