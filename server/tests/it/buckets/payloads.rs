//! What may be the data of a session.

use std::time::Duration;

use serde_json::json;

use crate::buckets::bucket::{Bucket, send, status};
use crate::service::Service;

on_every_store!(
    json_is_kept_to_the_letter,
    any_other_body_is_a_text,
    a_body_that_is_not_what_it_says_is_refused,
    the_limit_is_exact,
    a_body_that_says_it_is_too_large_is_not_asked_for,
);

/// The whole answer of a `GET`, up to the data and from there.
async fn data(bucket: &Bucket<'_>, id: &str) -> String {
    let text = send(bucket.get(id)).await.text().await.expect("a body");
    let (_, data) = text.split_once(",\"data\":").expect("data");
    data.strip_suffix('}').expect("an end").to_owned()
}

async fn json_is_kept_to_the_letter(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    for text in [
        "null",
        "false",
        "\"text\"",
        "[]",
        r#"{ "b" : 0.10, "a": 1e400, "b": [ "\ud800", "\u0041" ] }"#,
        "123456789012345678901234567890.5",
        r#"{"_jrs":{"owner":"x"},"id":1,"jwt":2,"claims":3,"data":4}"#,
        "\"Grüße 🦀\"",
    ] {
        for content_type in ["application/json", "Application/JSON;charset=utf-8"] {
            let put = bucket.put().header("content-type", content_type).body(text);
            let body: serde_json::Value = {
                let response = send(put).await;
                assert_eq!(response.status(), 201, "{text}");
                let text = response.text().await.expect("a body");
                let (head, _) = text.split_once(",\"data\":").expect("data");
                serde_json::from_str(&format!("{head}}}")).expect("JSON")
            };
            let id = body["id"].as_str().expect("an id");
            assert_eq!(data(&bucket, id).await, text);
            let post = bucket.request(reqwest::Method::POST, &format!("/{id}"));
            let post = post.header("content-type", content_type).body(text);
            assert_eq!(status(post).await, 200);
            assert_eq!(data(&bucket, id).await, text);
        }
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let put = bucket.put().header("content-type", "application/json");
    assert_eq!(status(put.body(deep)).await, 201);
}

async fn any_other_body_is_a_text(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    for (content_type, body, kept) in [
        (None, "{\"a\":1}", json!("{\"a\":1}")),
        (None, "", json!("")),
        (Some("application/json"), "", json!("")),
        (Some("application/problem+json"), "[1", json!("[1")),
        (Some("application/ld+json"), "[1]", json!("[1]")),
        (Some("text/plain"), "Grüße\n\0", json!("Grüße\n\0")),
        (
            Some("application/x-www-form-urlencoded"),
            "a=1",
            json!("a=1"),
        ),
    ] {
        let mut put = bucket.put().body(body);
        if let Some(content_type) = content_type {
            put = put.header("content-type", content_type);
        }
        let (status, object) = crate::service::json(send(put).await).await;
        assert_eq!((status, &object["data"]), (201, &kept));
        assert_eq!(
            bucket.data(object["id"].as_str().expect("an id")).await,
            kept
        );
    }
}

async fn a_body_that_is_not_what_it_says_is_refused(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    for (content_type, body) in [
        ("application/json", &b"{\"a\":"[..]),
        ("application/json", b"{} {}"),
        ("application/json", b"\"\xff\""),
        ("application/json", b" "),
        ("text/plain", b"\xff"),
    ] {
        let request = |method, rest: &str| {
            let request = bucket.request(method, rest).body(body.to_vec());
            request.header("content-type", content_type)
        };
        let put = send(request(reqwest::Method::PUT, "")).await;
        let (status, error) = crate::service::json(put).await;
        assert_eq!(status, 400);
        assert!(error["error"].is_string());
        let post = request(reqwest::Method::POST, &format!("/{id}"));
        assert_eq!(super::bucket::status(post).await, 400);
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
}

async fn the_limit_is_exact(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let limit = 1 << 20;
    let id = bucket.create(&json!("kept")).await;
    let largest = "\u{1}".repeat(limit);
    let (status, object) =
        crate::service::json(send(bucket.put().body(largest.clone())).await).await;
    assert_eq!(status, 201);
    let big = object["id"].as_str().expect("an id");
    assert_eq!(bucket.data(big).await, json!(largest));
    let json = format!("[\"{}\"]", "x".repeat(limit - 4));
    assert_eq!(json.len(), limit);
    for (body, expected) in [(json.clone(), 201), (json + " ", 413)] {
        let put = bucket.put().header("content-type", "application/json");
        assert_eq!(super::bucket::status(put.body(body)).await, expected);
    }
    let post = |id: &str, length| {
        let request = bucket.request(reqwest::Method::POST, &format!("/{id}"));
        request.body("x".repeat(length))
    };
    assert_eq!(super::bucket::status(post(&id, limit + 1)).await, 413);
    assert_eq!(bucket.data(&id).await, json!("kept"));
    assert_eq!(super::bucket::status(post(&id, limit)).await, 200);
    let unknown = uuid::Uuid::new_v4().to_string();
    assert_eq!(super::bucket::status(post(&unknown, limit + 1)).await, 413);
}

async fn a_body_that_says_it_is_too_large_is_not_asked_for(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let post = format!("POST /session/shop/{id}");
    let ask = async |line: &str, key: &str, length: usize| {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Session-Key: {key}\r\n\
             Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        service.raw(request).await
    };
    for line in ["PUT /session/shop", &post] {
        for length in [(1 << 20) + 1, usize::MAX / 2] {
            let answer = ask(line, &bucket.key, length).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert!(answer.ends_with("\"}"), "{answer}");
            let stranger = ask(line, "", length).await;
            assert!(stranger.starts_with("HTTP/1.1 401 "), "{stranger}");
        }
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
}

#[tokio::test]
async fn the_limit_is_what_the_settings_say() {
    let service = Service::memory_with(|settings| settings.buckets.max_payload = 10).await;
    let bucket = Bucket::new(&service, "shop").await;
    assert_eq!(status(bucket.put().body("0123456789")).await, 201);
    assert_eq!(status(bucket.put().body("0123456789a")).await, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let service = Service::memory_with(|settings| {
        settings.http.body_timeout = Duration::from_millis(50);
    })
    .await;
    let bucket = Bucket::new(&service, "shop").await;
    let request = format!(
        "PUT /session/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Session-Key: {}\r\n\
         Content-Length: 10\r\n\r\nabc",
        bucket.key
    );
    let answer = service.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}
