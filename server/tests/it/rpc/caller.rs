//! How these tests call.
#![allow(unreachable_pub)]

use std::time::Duration;

use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{Keyring, RedisConfig, SessionId, Sessions};
use serde_json::{Value, json};

use crate::service::{SECRET, Service, json as answer};

/// An answer: its status and its body.
pub type Answer = (u16, Value);

/// Calls `method` with one argument, by the second generation.
pub async fn call(service: &Service, method: &str, argument: Value) -> Answer {
    let body = json!({ "args": argument.to_string() });
    let request = service.post(&format!("/rpc/{method}")).json(&body);
    answer(request.send().await.expect("an answer")).await
}

/// Calls `method` with the JSON text `args`, by the first generation, and returns the text of
/// the answer, which must be 200.
pub async fn call_raw(service: &Service, method: &str, args: &str) -> String {
    let body = json!({ "name": method, "args": args });
    let response = service.post("/rpc").json(&body).send().await;
    let response = response.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    assert_eq!(status, 200, "{text}");
    text
}

/// Creates a session and returns its token.
pub async fn create(service: &Service, user: &str, session: Value) -> String {
    let (status, body) = call(
        service,
        "create",
        json!({ "session": session, "userId": user }),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    body["result"]["token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// All fields of a session; null if it has ended.
pub async fn get_all(service: &Service, token: &str) -> Value {
    let argument = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
    let (status, body) = call(service, "get", argument).await;
    assert_eq!(status, 200, "{body}");
    body["result"].clone()
}

pub async fn update(service: &Service, token: &str, session: Value) -> Answer {
    let argument = json!({ "token": token, "sessionVersion": "v1", "session": session });
    call(service, "update", argument).await
}

pub async fn destroy(service: &Service, token: &str) -> Answer {
    call(
        service,
        "destroy",
        json!({ "token": token, "sessionVersion": "v1" }),
    )
    .await
}

/// The user's sessions, by `getActiveSessions`.
pub async fn active(service: &Service, user: &str) -> Vec<Value> {
    let argument = json!({ "userId": user, "sessionVersion": "v1" });
    let (status, body) = call(service, "getActiveSessions", argument).await;
    assert_eq!(status, 200, "{body}");
    body["result"].as_array().expect("a list").clone()
}

/// What a handled error is in the second generation.
pub fn handled(status: u16, error: &str) -> Answer {
    (
        status,
        json!({ "error": error, "code": 1000, "handled": true }),
    )
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "so that the tests can write `ok(json!(…))`"
)]
pub fn ok(result: Value) -> Answer {
    (200, json!({ "result": result }))
}

/// The sessions of `version` as an app has them that uses the library on the same store.
pub fn core(service: &Service, version: &str) -> Sessions {
    let store: SharedStore = match (&service.memory, &service.redis) {
        (Some(memory), _) => memory.clone().into(),
        (None, Some(redis)) => RedisConfig::new(redis.url())
            .lazy()
            .expect("a store")
            .into(),
        (None, None) => panic!("the service has no store of its own"),
    };
    Sessions::builder(store, Keyring::hs256(SECRET).expect("a key ring"))
        .keyspace(format!("sessiond:rpc:{version}:"))
        .max_age(Duration::from_secs(31 * 86_400))
        .build()
        .expect("sessions")
}

/// The id that a token names.
pub fn id(service: &Service, token: &str) -> SessionId {
    let verified = core(service, "v1").verify(token);
    verified.expect("a good token").id().clone()
}
