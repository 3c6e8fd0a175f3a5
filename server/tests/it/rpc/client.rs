//! Calls methods of the service under test.
#![allow(unreachable_pub)]

use jwt_redis_session::{Keyring, SessionId, Sessions};
use serde_json::{Value, json};

use crate::request::{self, fetch, send};
use crate::service::{SECRET, Service};

/// The status and the body of a response.
pub type Answer = (u16, Value);

/// Calls `method` in version 2 of the wire format.
pub async fn call(service: &Service, method: &str, args: Value) -> Answer {
    let body = json!({ "args": args.to_string() });
    fetch(service.post(&format!("/rpc/{method}")).json(&body)).await
}

/// Calls `method` with the JSON text `args` in version 1, and returns the text of the response.
pub async fn call_v1(service: &Service, method: &str, args: &str) -> String {
    let body = json!({ "name": method, "args": args });
    let response = send(service.post("/rpc").json(&body)).await;
    assert_eq!(response.status(), 200, "{args}");
    response.text().await.expect("a body")
}

/// Calls a method that must succeed, and returns its result.
pub async fn result(service: &Service, method: &str, args: Value) -> Value {
    let (status, mut body) = call(service, method, args).await;
    assert_eq!(status, 200, "{body}");
    body["result"].take()
}

/// Creates a session and returns its token.
pub async fn create(service: &Service, user: &str, session: Value) -> String {
    let args = json!({ "session": session, "userId": user });
    let created = result(service, "create", args).await;
    created["token"].as_str().expect("a token").to_owned()
}

/// Returns the arguments of a call with a token.
pub fn with_token(token: &str, name: &str, value: Value) -> Value {
    let mut args = json!({ "token": token, "sessionVersion": "v1" });
    args[name] = value;
    args
}

/// Returns the arguments of a call for a user.
pub fn of_user(user: &str) -> Value {
    json!({ "userId": user, "sessionVersion": "v1" })
}

/// Returns all fields of a session, or null if it has ended.
pub async fn get_all(service: &Service, token: &str) -> Value {
    result(service, "get", with_token(token, "keys", json!("*"))).await
}

pub async fn update(service: &Service, token: &str, session: Value) -> Answer {
    call(service, "update", with_token(token, "session", session)).await
}

pub async fn destroy(service: &Service, token: &str) -> Answer {
    call(service, "destroy", with_token(token, "keys", json!(null))).await
}

/// Lists the sessions of a user.
pub async fn active(service: &Service, user: &str) -> Vec<Value> {
    let active = result(service, "getActiveSessions", of_user(user)).await;
    active.as_array().expect("a list").clone()
}

/// Returns the response to a call with an error of the caller, in version 2.
pub fn handled(status: u16, error: &str) -> Answer {
    let body = json!({ "error": error, "code": 1000, "handled": true });
    (status, body)
}

pub fn ok() -> Answer {
    (200, json!({ "result": "OK" }))
}

/// Returns the sessions as an app has them that uses the library on the same store.
pub fn library(service: &Service) -> Sessions {
    let keyring = Keyring::hs256(SECRET).expect("a keyring");
    request::library(service, "sessiond:rpc:v1:", keyring)
}

/// Returns the session id in a token.
pub fn id(service: &Service, token: &str) -> SessionId {
    let verified = library(service).verify(token);
    verified.expect("a valid token").id().clone()
}
