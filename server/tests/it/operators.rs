//! What operators need.

use crate::service::{Service, json};

on_every_store!(health_is_told);

async fn health_is_told(service: Service) {
    let ok = (200, serde_json::json!({ "status": "ok" }));
    for path in ["/healthz", "/readyz"] {
        let response = service.get(path).send().await.expect("an answer");
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(json(response).await, ok, "{path}");
    }
}
