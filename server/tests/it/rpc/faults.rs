//! Failures of the store.

use serde_json::json;

use super::client::{call, create, id, ok};
use crate::service::Service;

#[tokio::test]
async fn foreign_record_is_500_and_can_be_destroyed() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let redis = service.server();
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
