//! Two session versions on one Redis.

use serde_json::json;

use super::client::{call, create, handled};
use crate::service::Service;

#[tokio::test]
async fn versions_are_isolated() {
    let one = Service::redis().await;
    let url = one.redis.as_ref().expect("Redis").url();
    let two = Service::redis_at(&url, |settings| {
        settings.rpc.session_version = "v2".to_owned();
    })
    .await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    let other = create(&two, "al", json!({ "a": 2 })).await;
    let with = |token: &str, version: &str| json!({ "token": token, "sessionVersion": version, "keys": "*", "session": {} });
    let of = |user: &str, version: &str| json!({ "userId": user, "sessionVersion": version });
    // The caller expects the version of the service, of the token, or neither.
    for version in ["v2", "v1", "v3"] {
        let named = if version == "v2" { "v1" } else { version };
        let error = format!("sessionVersion {named} does not match v2");
        for method in ["get", "update", "destroy"] {
            let answer = call(&two, method, with(&token, version)).await;
            assert_eq!(answer, handled(400, &error), "{method} {version}");
        }
    }
    for (method, none) in [("getActiveSessions", json!([])), ("destroyAll", json!(0))] {
        let answer = call(&two, method, of("jo", "v2")).await;
        assert_eq!(answer, (200, json!({ "result": none })), "{method}");
        let answer = call(&two, method, of("jo", "v1")).await;
        let error = "sessionVersion v1 does not match v2";
        assert_eq!(answer, handled(400, error), "{method}");
    }
    for (service, token, version, user, data) in
        [(&one, &token, "v1", "jo", 1), (&two, &other, "v2", "al", 2)]
    {
        let (_, body) = call(service, "getActiveSessions", of(user, version)).await;
        let id = body["result"][0]["sessionId"].as_str().expect("an id");
        assert!(id.starts_with(&format!("{version}_{user}_")), "{id}");
        for (method, expected) in [
            ("get", json!({ "a": data })),
            ("update", json!("OK")),
            ("destroy", json!("OK")),
        ] {
            let answer = call(service, method, with(token, version)).await;
            assert_eq!(answer, (200, json!({ "result": expected })), "{method}");
        }
    }
}
