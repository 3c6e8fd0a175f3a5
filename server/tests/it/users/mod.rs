//! The third door: username and bearer.

mod core;
mod names;
mod races;
mod refusals;
mod settings;
mod store;
mod table;

use reqwest::Response;
use serde_json::{Value, json};

use crate::service::Service;

/// A login, of which the password is checked by nobody.
fn credentials(username: &str) -> Value {
    json!({ "username": username, "password": "correct horse battery staple" })
}

/// Logs in and returns the bearer token.
async fn log_in(service: &Service, username: &str) -> String {
    let request = service.post("/sessions").json(&credentials(username));
    let (status, body) = crate::service::json(request.send().await.expect("an answer")).await;
    assert_eq!(status, 200, "{body}");
    body["sessionId"].as_str().expect("a session id").to_owned()
}

async fn show(service: &Service, token: &str) -> Response {
    let request = service.get("/sessions").bearer_auth(token);
    request.send().await.expect("an answer")
}

/// Whether the token gives the session of `username`; anything but yes or no is a failure.
async fn is_session_of(service: &Service, token: &str, username: &str) -> bool {
    match crate::service::json(show(service, token).await).await {
        (200, body) => body == json!({ "username": username }),
        (401, _) => false,
        other => panic!("{other:?}"),
    }
}

/// `DELETE /sessions/{path}`, with the path as it is.
async fn destroy(service: &Service, token: &str, path: &str) -> (u16, Value) {
    let answer = service
        .raw(format!(
            "DELETE /sessions/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        ))
        .await;
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let status = status.unwrap_or_else(|| panic!("no status: {answer}"));
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Each byte as `%XX`.
fn encode(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
