//! The data of a session.

use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::Bucket;
use crate::request::{fetch, send, status};
use crate::service::Service;

/// Reads the text of the member `data`, which is the last one.
async fn data(bucket: &Bucket<'_>, id: &str) -> String {
    let text = send(bucket.get(id)).await.text().await.expect("a body");
    let (_, data) = text.split_once(",\"data\":").expect("data");
    data.strip_suffix('}').expect("an end").to_owned()
}

on_every_store!(data_is_returned_unchanged);

async fn data_is_returned_unchanged(service: Service) {
    const JSON: &str = "application/json";
    let bucket = Bucket::new(&service, "shop").await;
    let unusual = r#"{ "b" : 0.10, "a": 1e400, "b": [ "\ud800", "\u0041", "🦀" ] }"#;
    let reserved = r#"{"_jrs":{"owner":"x"},"id":1,"jwt":2,"claims":3,"data":4}"#;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for (content_type, body, expected) in [
        (JSON, "null", "null"),
        (JSON, unusual, unusual),
        (JSON, reserved, reserved),
        (JSON, &deep, &deep),
        ("text/plain", "{\"a\":1}", r#""{\"a\":1}""#),
    ] {
        let request = |method, rest: &str| {
            let request = bucket.request(method, rest).body(body.to_owned());
            request.header("content-type", content_type)
        };
        let created = send(request(Method::PUT, "")).await;
        assert_eq!(created.status(), 201);
        let location = created.headers()["location"].to_str().expect("ASCII");
        let created = location.rsplit('/').next().expect("an id");
        assert_eq!(data(&bucket, created).await, expected);
        let other = bucket.create(&json!("old")).await;
        let post = request(Method::POST, &format!("/{other}"));
        assert_eq!(status(post).await, 200);
        assert_eq!(data(&bucket, &other).await, expected);
    }
}

#[tokio::test]
async fn data_has_a_maximum_size() {
    let service = Service::memory_with(|settings| settings.buckets.max_payload = 5000).await;
    let bucket = Bucket::new(&service, "shop").await;
    // A control character takes six bytes in JSON.
    let largest = "\u{1}".repeat(5000);
    let (code, body) = fetch(bucket.put().body(largest.clone())).await;
    assert_eq!(code, 201);
    let id = body["id"].as_str().expect("an id");
    for (method, rest) in [(Method::PUT, ""), (Method::POST, &*format!("/{id}"))] {
        // A declared length is rejected before the body is read, but after a wrong key.
        for (key, expected) in [(&*bucket.key, 413), ("", 401)] {
            let head = format!(
                "{method} /session/shop{rest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 X-Session-Key: {key}\r\nExpect: 100-continue\r\nContent-Length: 5001\r\n\r\n"
            );
            let response = service.raw(head).await;
            let status = format!("HTTP/1.1 {expected} ");
            assert!(response.starts_with(&status), "{response}");
        }
    }
    assert_eq!(bucket.data(id).await, json!(largest));
}
