//! Logins create sessions.

use serde_json::json;

use super::{credentials, destroy, is_valid, log_in};
use crate::request::{fetch, send, status};
use crate::service::{MASTER_KEY, Service, json as read};

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
    let login = r#"{"username":"jo","password":""}"#;
    let padded = |len: usize| format!("{}{login}", " ".repeat(len - login.len()));
    for (body, expected) in [
        ("hunter2".to_owned(), 400),
        (json!(["jo", "hunter2"]).to_string(), 400),
        (json!({ "username": "jo", "password": 5 }).to_string(), 400),
        (credentials("").to_string(), 400),
        (credentials(&"a".repeat(513)).to_string(), 400),
        (padded((64 << 10) + 1), 413),
    ] {
        let (status, answer) = fetch(service.post("/sessions").body(body.clone())).await;
        assert_eq!(status, expected, "{body:.60}");
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
    }
    assert!(
        service
            .memory
            .as_ref()
            .is_some_and(|memory| memory.is_empty())
    );
    assert_eq!(
        status(service.post("/sessions").body(padded(64 << 10))).await,
        200
    );
    for (request, allowed) in [
        (service.put("/sessions"), vec!["GET", "HEAD", "POST"]),
        (service.get("/sessions/jo"), vec!["DELETE"]),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), 405);
        let allow = response.headers()["allow"].to_str().expect("ASCII");
        let mut methods: Vec<_> = allow.split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods, allowed);
    }
}

#[tokio::test]
async fn login_needs_the_secret_if_it_is_set() {
    const USERS_SECRET: &str = "a secret of the login service, 32 bytes";
    let service = Service::memory_with(|settings| {
        settings.users.secret = Some(USERS_SECRET.into());
    })
    .await;
    let login = || service.post("/sessions").json(&credentials("jo"));
    for request in [
        login(),
        login().header("X-Sessiond-Secret", ""),
        login().header("X-Sessiond-Secret", MASTER_KEY),
        login().bearer_auth(USERS_SECRET),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "SharedSecret");
    }
    assert!(
        service
            .memory
            .as_ref()
            .is_some_and(|memory| memory.is_empty())
    );
    let (status, body) = fetch(login().header("X-Sessiond-Secret", USERS_SECRET)).await;
    assert_eq!(status, 200);
    let token = body["sessionId"].as_str().expect("a token");
    assert!(is_valid(&service, token, "jo").await);
    assert_eq!(destroy(&service, token, "jo").await.0, 200);
}

#[tokio::test]
async fn disabled_api_is_404() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let request = service.post("/sessions").json(&credentials("jo"));
    assert_eq!(status(request).await, 404);
}
