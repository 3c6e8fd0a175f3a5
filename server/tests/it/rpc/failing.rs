//! When Redis is away.

use std::time::Duration;

use serde_json::{Value, json};

use super::caller::{call, create};
use crate::service::{Service, json as answer};

on_every_store!(the_health_check_is_awesome);

async fn the_health_check_is_awesome(service: Service) {
    let response = service
        .get("/health-check")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        answer(response).await,
        (200, json!({ "status": "awesome" }))
    );
}

async fn health(service: &Service) -> (u16, Value) {
    answer(
        service
            .get("/health-check")
            .send()
            .await
            .expect("an answer"),
    )
    .await
}

/// The methods that need the store.
const METHODS: [&str; 6] = [
    "create",
    "get",
    "update",
    "destroy",
    "getActiveSessions",
    "destroyAll",
];

#[tokio::test]
async fn an_outage_is_503_and_never_an_absent_session_and_it_ends_by_itself() {
    let mut service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    service.redis.as_mut().expect("a Redis").kill();
    let argument = json!({ "token": token, "sessionVersion": "v1", "keys": "*",
        "session": { "a": 2 }, "userId": "jo" });
    let text = "the session store is not available";
    let down = json!({ "error": text, "code": 5000, "handled": false });
    for method in METHODS {
        let body = call(&service, method, argument.clone()).await;
        assert_eq!(body, (503, down.clone()), "{method}");
        let body = json!({ "name": method, "args": argument.to_string() });
        let response = service
            .post("/rpc")
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(
            answer(response).await,
            (503, json!({ "error": text })),
            "{method}"
        );
    }
    assert_eq!(call(&service, "methods", json!({})).await.0, 200);
    let sick = json!({ "status": "cannot reach redis" });
    assert_eq!(health(&service).await, (500, sick));

    service.redis.as_mut().expect("a Redis").restart();
    for _ in 0..100 {
        if health(&service).await.0 == 200 {
            create(&service, "jo", json!({ "a": 1 })).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service does not come back");
}

#[tokio::test]
async fn a_record_that_is_no_session_is_not_shown_and_can_be_destroyed() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let redis = service.redis.as_ref().expect("a Redis");
    let key = format!(
        "sessiond:rpc:v1:{}",
        super::caller::id(&service, &token).as_str()
    );
    for corrupt in ["[1,2]", "\"hunter2\"", "{bad", "null"] {
        redis.run(&["SET", &key, corrupt]);
        let argument = json!({ "token": token, "sessionVersion": "v1", "keys": "*",
            "session": { "a": 2 } });
        let internal = json!({ "error": "internal error", "code": 5000, "handled": false });
        for method in ["get", "update"] {
            let answer = call(&service, method, argument.clone()).await;
            assert_eq!(answer, (500, internal.clone()), "{method}");
        }
        let kept: String = ::redis::from_redis_value(redis.run(&["GET", &key])).expect("a text");
        assert_eq!(kept, corrupt);
        let answer = call(&service, "destroy", argument).await;
        assert_eq!(answer, (200, json!({ "result": "OK" })));
        let exists: u8 = ::redis::from_redis_value(redis.run(&["EXISTS", &key])).expect("a count");
        assert_eq!(exists, 0);
    }
}
