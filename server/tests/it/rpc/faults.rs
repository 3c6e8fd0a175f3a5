//! Failures of the store.

use jwt_redis_session::store::StoreErrorKind;
use serde_json::json;

use super::client::{call, create, get_all, id, ok};
use crate::request::fetch;
use crate::service::Service;

#[tokio::test]
async fn failures_of_the_store_are_errors_of_the_service() {
    let service = Service::memory().await;
    let healthy = (200, json!({ "status": "awesome" }));
    assert_eq!(fetch(service.get("/health-check")).await, healthy);
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*",
        "session": { "a": 2 }, "userId": "jo" });
    service.faults.fail_with(StoreErrorKind::Connection);
    let methods = ["create", "get", "update", "destroy"];
    for method in methods
        .into_iter()
        .chain(["getActiveSessions", "destroyAll"])
    {
        let error = "the session store is not available";
        let expected = json!({ "error": error, "code": 5000, "handled": false });
        let answer = call(&service, method, args.clone()).await;
        assert_eq!(answer, (503, expected), "{method}");
    }
    assert_eq!(call(&service, "methods", json!({})).await.0, 200);
    let unhealthy = (500, json!({ "status": "cannot reach redis" }));
    assert_eq!(fetch(service.get("/health-check")).await, unhealthy);
    service.faults.heal();
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn foreign_record_is_500_and_can_be_destroyed() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let redis = service.redis.as_ref().expect("Redis");
    let key = format!("sessiond:rpc:v1:{}", id(&service, &token).as_str());
    let args = json!({ "token": token, "sessionVersion": "v1", "session": { "a": 2 } });
    for corrupt in ["[1,2]", "\"hunter2\"", "{bad", "null"] {
        redis.run(&["SET", &key, corrupt]);
        let error = json!({ "error": "internal error", "code": 5000, "handled": false });
        for method in ["get", "update"] {
            let answer = call(&service, method, args.clone()).await;
            assert_eq!(answer, (500, error.clone()), "{method}");
        }
        let kept: String = redis::from_redis_value(redis.run(&["GET", &key])).expect("a text");
        assert_eq!(kept, corrupt);
        assert_eq!(call(&service, "destroy", args.clone()).await, ok());
        assert!(!service.keys().contains(&key));
    }
}
