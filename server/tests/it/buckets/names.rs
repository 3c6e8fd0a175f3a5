//! Invalid names in paths.

use serde_json::{Value, json};

use crate::buckets::bucket::Bucket;
use crate::service::{MASTER_KEY, Service};

const INVALID: &str = "a%2Fb %2F %00 a%00 .. %2e%2e %2E%2e%2F a%0d%0aX:1 a%20b %c3%a4 %ff % %zz \
    a:b * {x} ~ a.b %25 \\ a;b";

#[tokio::test]
async fn invalid_names_are_rejected_and_change_nothing() {
    let service = Service::memory().await;
    let memory = service.memory.clone().expect("memory");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("unchanged")).await;
    let count = memory.len();
    let long = "a".repeat(10_000);
    for name in INVALID.split(' ').chain([&*long]) {
        for (method, path) in [
            ("PUT", format!("/session/{name}")),
            ("GET", format!("/session/{name}/{id}")),
            ("GET", format!("/session/shop/{name}")),
            ("POST", format!("/session/shop/{name}")),
            ("DELETE", format!("/session/shop/{id}{name}")),
            ("PUT", format!("/api-key/{name}")),
            ("DELETE", format!("/api-key/{name}")),
        ] {
            for key in [MASTER_KEY, &bucket.key] {
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                     X-Session-Key: {key}\r\nContent-Length: 3\r\n\r\nabc"
                );
                let response = service.raw(request).await;
                let what = format!("{method} {name:.60}: {response}");
                assert!(response.starts_with("HTTP/1.1 4"), "{what}");
                let (_, body) = response.split_once("\r\n\r\n").expect("a body");
                let body: Value = serde_json::from_str(body).unwrap_or_default();
                assert!(body["error"].is_string(), "{what}");
            }
        }
    }
    assert_eq!(memory.len(), count);
    assert_eq!(bucket.data(&id).await, json!("unchanged"));
}
