//! Two session versions on one Redis.

use jwt_redis_session_server::Settings;
use serde_json::json;

use super::client::{call, create, handled, result};
use crate::service::Service;

#[tokio::test]
async fn versions_are_isolated() {
    let one = Service::redis().await;
    let change = |settings: &mut Settings| settings.rpc.session_version = "v2".to_owned();
    let two = Service::redis_at(&one.server().url(), change).await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    let other = create(&two, "jo", json!({ "a": 2 })).await;
    let args = |token: &str, version: &str| {
        json!({ "token": token, "sessionVersion": version, "keys": "*", "session": {},
            "userId": "jo" })
    };
    // The caller expects the version of the service, of the token, or neither.
    for (version, named) in [("v2", "v1"), ("v1", "v1"), ("v3", "v3")] {
        let error = format!("sessionVersion {named} does not match v2");
        for method in ["get", "update", "destroy"] {
            let answer = call(&two, method, args(&token, version)).await;
            assert_eq!(answer, handled(400, &error), "{method} {version}");
        }
    }
    let answer = call(&two, "destroyAll", args("", "v1")).await;
    assert_eq!(answer, handled(400, "sessionVersion v1 does not match v2"));
    assert_eq!(result(&two, "destroyAll", args("", "v2")).await, 1);
    let get = result(&two, "get", args(&other, "v2")).await;
    assert_eq!(get, json!(null));
    let listed = result(&one, "getActiveSessions", args("", "v1")).await;
    let id = listed[0]["sessionId"].as_str().expect("an id");
    assert!(id.starts_with("v1_jo_"), "{id}");
    let get = result(&one, "get", args(&token, "v1")).await;
    assert_eq!(get, json!({ "a": 1 }));
}
