//! Names that nobody should send.

use jwt_redis_session::MemoryStore;
use serde_json::json;

use crate::buckets::bucket::Bucket;
use crate::service::{MASTER_KEY, Service};

on_every_store!(r40_no_name_reaches_the_store_or_breaks_the_service);

/// The status and the body of a raw answer.
fn read(answer: &str) -> (u16, &str) {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (
        status.unwrap_or_else(|| panic!("no status: {answer}")),
        body,
    )
}

const BAD: [&str; 22] = [
    "a%2Fb",
    "%2F",
    "%00",
    "a%00",
    "..",
    "%2e%2e",
    "%2E%2e%2F",
    "a%0d%0aX:1",
    "%0D%0A",
    "a%20b",
    "%c3%a4",
    "%ff",
    "%",
    "%zz",
    "a:b",
    "*",
    "{x}",
    "~",
    "a.b",
    "%25",
    "\\",
    "a;b",
];

/// Every place of a path where a bad name can be.
fn places(name: &str, id: &str) -> [(&'static str, String); 11] {
    [
        ("PUT", format!("/session/{name}")),
        ("GET", format!("/session/{name}/{id}")),
        ("POST", format!("/session/{name}/{id}")),
        ("DELETE", format!("/session/{name}/{id}")),
        ("GET", format!("/session/shop/{name}")),
        ("POST", format!("/session/shop/{name}")),
        ("DELETE", format!("/session/shop/{name}")),
        ("DELETE", format!("/session/shop/{id}{name}")),
        ("PUT", format!("/api-key/{name}")),
        ("GET", format!("/api-key/{name}")),
        ("DELETE", format!("/api-key/{name}")),
    ]
}

async fn r40_no_name_reaches_the_store_or_breaks_the_service(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("untouched")).await;
    let names = service.redis.as_ref().map(|_| service.keys());
    let count = service.memory.as_ref().map(MemoryStore::len);
    let long = "a".repeat(10_000);
    let bad = [&BAD[..], &[&long]].concat();
    for (method, path) in bad.iter().flat_map(|name| places(name, &id)) {
        let shown = &path[..path.len().min(60)];
        for key in ["", MASTER_KEY, &bucket.key] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 X-Session-Key: {key}\r\nContent-Length: 3\r\n\r\nabc"
            );
            let answer = service.raw(request).await;
            let (status, body) = read(&answer);
            assert!((400..500).contains(&status), "{method} {shown}: {answer}");
            let error: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            assert!(error["error"].is_string(), "{method} {shown}: {answer}");
        }
    }
    assert_eq!(service.redis.as_ref().map(|_| service.keys()), names);
    assert_eq!(service.memory.as_ref().map(MemoryStore::len), count);
    assert_eq!(bucket.data(&id).await, json!("untouched"));
}
