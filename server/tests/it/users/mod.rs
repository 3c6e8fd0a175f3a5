//! The users API.

mod authorization;
mod sessions;
mod verify;

use jwt_redis_session::{OpaqueTokens, Sessions};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::request::{self, fetch};
use crate::service::Service;

/// Returns the body of a login.
pub(crate) fn credentials(username: &str) -> Value {
    json!({ "username": username, "password": "correct horse battery staple" })
}

/// Logs in and returns the bearer token.
pub(crate) async fn log_in(service: &Service, username: &str) -> String {
    let request = service.post("/sessions").json(&credentials(username));
    let (status, body) = fetch(request).await;
    assert_eq!(status, 200, "{body}");
    body["sessionId"].as_str().expect("a token").to_owned()
}

pub(crate) fn show(service: &Service, token: &str) -> RequestBuilder {
    service.get("/sessions").bearer_auth(token)
}

/// Whether the token is that of a session of `username`.
pub(crate) async fn is_valid(service: &Service, token: &str, username: &str) -> bool {
    match fetch(show(service, token)).await {
        (200, body) => body == json!({ "username": username }),
        (401, _) => false,
        other => panic!("{other:?}"),
    }
}

/// Sends `DELETE /sessions/{path}` with an unchanged path.
pub(crate) async fn destroy(service: &Service, token: &str, path: &str) -> (u16, Value) {
    let request = format!(
        "DELETE /sessions/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    let response = service.raw(request).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// Returns sessions of the library on the store of the service.
fn library(service: &Service) -> Sessions {
    request::library(service, "sessiond:user:", OpaqueTokens::new())
}
