//! Two versions side by side on one Redis.

use serde_json::{Value, json};

use super::caller::{Answer, call, create, handled, ok};
use crate::service::Service;

/// Two services on one Redis, of the versions `v1` and `v2`.
async fn both() -> (Service, Service) {
    let one = Service::redis().await;
    let url = one.redis.as_ref().expect("a Redis").url();
    let version = |settings: &mut jwt_redis_session_server::Settings| {
        settings.rpc.session_version = "v2".to_owned();
    };
    (one, Service::redis_at(&url, version).await)
}

async fn get(service: &Service, token: &str, version: &str) -> Answer {
    let argument = json!({ "token": token, "sessionVersion": version, "keys": "*" });
    call(service, "get", argument).await
}

#[tokio::test]
async fn both_versions_work_side_by_side() {
    let (one, two) = both().await;
    for (service, version) in [(&one, "v1"), (&two, "v2")] {
        let token = create(service, "jo", json!({ "version": version })).await;
        let argument = json!({ "token": token, "sessionVersion": version, "session": { "n": 1 } });
        assert_eq!(call(service, "update", argument).await, ok(json!("OK")));
        let expected = json!({ "version": version, "n": 1 });
        assert_eq!(get(service, &token, version).await, ok(expected));
        let argument = json!({ "userId": "jo", "sessionVersion": version });
        let (_, body) = call(service, "getActiveSessions", argument).await;
        let listed = body["result"].as_array().expect("a list");
        assert_eq!(listed.len(), 1);
        let id = listed[0]["sessionId"].as_str().expect("a text");
        assert!(id.starts_with(&format!("{version}_jo_")));
        let argument = json!({ "token": token, "sessionVersion": version });
        assert_eq!(call(service, "destroy", argument).await, ok(json!("OK")));
    }
}

/// What each method that takes a token is called with.
fn calls(token: &str, version: &str) -> [(&'static str, Value); 3] {
    let argument = json!({ "token": token, "sessionVersion": version });
    let with = |name: &str, value: Value| {
        let mut argument = argument.clone();
        argument[name] = value;
        argument
    };
    [
        ("get", with("keys", json!("*"))),
        ("update", with("session", json!({ "a": 2 }))),
        ("destroy", argument.clone()),
    ]
}

#[tokio::test]
async fn a_token_of_one_version_is_no_token_of_the_other() {
    let (one, two) = both().await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    // The caller names the version of the service, of the token, or of neither.
    for (version, text) in [
        ("v2", "sessionVersion v1 does not match v2"),
        ("v1", "sessionVersion v1 does not match v2"),
        ("v3", "sessionVersion v3 does not match v2"),
    ] {
        for (method, argument) in calls(&token, version) {
            let answer = call(&two, method, argument).await;
            assert_eq!(answer, handled(400, text), "{method} {version}");
        }
    }
    assert_eq!(get(&one, &token, "v1").await, ok(json!({ "a": 1 })));
}

#[tokio::test]
async fn a_user_of_one_version_is_another_user_in_the_other() {
    let (one, two) = both().await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    let other = create(&two, "al", json!({ "a": 2 })).await;
    for (method, none) in [("getActiveSessions", json!([])), ("destroyAll", json!(0))] {
        let argument = json!({ "userId": "jo", "sessionVersion": "v2" });
        assert_eq!(
            call(&two, method, argument).await,
            ok(none.clone()),
            "{method}"
        );
        let argument = json!({ "userId": "jo", "sessionVersion": "v1" });
        let text = "sessionVersion v1 does not match v2";
        assert_eq!(
            call(&two, method, argument).await,
            handled(400, text),
            "{method}"
        );
    }
    assert_eq!(get(&one, &token, "v1").await, ok(json!({ "a": 1 })));
    assert_eq!(get(&two, &other, "v2").await, ok(json!({ "a": 2 })));
}

#[tokio::test]
async fn a_version_that_is_told_back_is_short_and_harmless() {
    let service = Service::memory().await;
    let token = create(&service, "jo", json!({})).await;
    let text = |version: &str| format!("sessionVersion {version} does not match v1");
    for (version, told) in [
        (json!("a\r\nb\u{1b}[31m"), text("a??b?[31m")),
        (json!("x".repeat(10_000)), text(&"x".repeat(64))),
        (json!(2), text("2")),
        (json!("V1"), text("V1")),
        (json!("v1 "), text("v1?")),
    ] {
        let argument = json!({ "token": token, "sessionVersion": version });
        assert_eq!(
            call(&service, "destroy", argument).await,
            handled(400, &told)
        );
    }
    assert_eq!(get(&service, &token, "v1").await, ok(json!({})));
}
