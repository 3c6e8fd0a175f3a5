//! The secret of the door.

use jwt_redis_session_server::Secret;
use serde_json::json;

use crate::service::{Service, json as answer};

const RPC_SECRET: &str = "a secret of the door, of 32 characters";

const METHODS: [&str; 7] = [
    "create",
    "get",
    "update",
    "destroy",
    "destroyAll",
    "methods",
    "none",
];

#[tokio::test]
async fn with_a_secret_every_call_must_carry_it() {
    let set = |settings: &mut jwt_redis_session_server::Settings| {
        settings.rpc.secret = Some(Secret::from(RPC_SECRET));
    };
    let service = Service::redis_with(set).await;
    let body = json!({ "name": "create", "args": r#"{"session":{},"userId":"jo"}"# });
    for method in METHODS {
        for secret in [None, Some("wrong"), Some("")] {
            let text = "the header X-Sessiond-Secret is missing or wrong";
            let expected = json!({ "error": text, "code": 1000, "handled": true });
            let mut request = service.post(&format!("/rpc/{method}")).json(&body);
            if let Some(secret) = secret {
                request = request.header("x-sessiond-secret", secret);
            }
            let response = request.send().await.expect("an answer");
            assert!(response.headers().contains_key("www-authenticate"));
            assert_eq!(answer(response).await, (401, expected), "{method}");
        }
    }
    let refused = service
        .post("/rpc")
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let text = "the header X-Sessiond-Secret is missing or wrong";
    assert_eq!(answer(refused).await, (401, json!({ "error": text })));
    assert_eq!(service.keys(), [""; 0]);
    let request = service.post("/rpc").header("x-sessiond-secret", RPC_SECRET);
    let admitted = request.json(&body).send().await.expect("an answer");
    assert_eq!(admitted.status(), 200);
    let health = service
        .get("/health-check")
        .send()
        .await
        .expect("an answer");
    assert_eq!(health.status(), 200);
}
