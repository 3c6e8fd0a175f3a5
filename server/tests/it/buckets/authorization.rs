//! Each route rejects every key but the right one.

use jwt_redis_session::store::{NewRecord, StoreErrorKind};
use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::{Bucket, HOUR, api_key, set_ttl, ttl};
use crate::request::{send, status, store};
use crate::service::{self, MASTER_KEY, Service};

/// A key of valid format, which belongs to no bucket.
const UNKNOWN_KEY: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";

/// Returns the error of a route that rejects a key.
fn wrong_key(path: &str) -> &'static str {
    if path.starts_with("/session/") {
        "the API key is missing or wrong; send the key of this bucket in the header X-SESSION-KEY"
    } else {
        "the master key is missing or wrong; send it in the header X-SESSION-KEY"
    }
}

/// Sends a request with each wrong key to each route.
async fn assert_rejected(service: &Service, bucket_key: &str, session: &str, keys: &[&str]) {
    let unknown = format!("/session/shop/{}", uuid::Uuid::new_v4());
    for (method, path, key_of_other_routes) in [
        (Method::PUT, "/session/shop", MASTER_KEY),
        (Method::GET, session, MASTER_KEY),
        (Method::HEAD, session, MASTER_KEY),
        (Method::POST, session, MASTER_KEY),
        (Method::DELETE, session, MASTER_KEY),
        (Method::GET, &unknown, MASTER_KEY),
        (Method::DELETE, "/session/shop/no-uuid", MASTER_KEY),
        (Method::PUT, "/session/keyless", MASTER_KEY),
        (Method::PUT, "/api-key/shop", bucket_key),
        (Method::PUT, "/api-key/new", bucket_key),
        (Method::GET, "/api-key/shop", bucket_key),
        (Method::DELETE, "/api-key/shop", bucket_key),
        (Method::DELETE, "/api-key/keyless", bucket_key),
    ] {
        let keys = keys.iter().copied().chain([key_of_other_routes]).map(Some);
        for key in keys.chain([None]) {
            let mut request = service.request(method.clone(), path).body("changed");
            if let Some(key) = key {
                request = request.header("x-session-key", key);
            }
            let response = send(request).await;
            let what = format!("{method} {path} {key:?}");
            assert_eq!(response.status(), 401, "{what}");
            let challenge = &response.headers()["www-authenticate"];
            assert_eq!(challenge, "ApiKey realm=\"sessiond\"", "{what}");
            if method != Method::HEAD {
                let body = service::json(response).await.1;
                let error = wrong_key(path);
                assert_eq!(body, json!({ "error": error }), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn wrong_keys_are_rejected_and_change_nothing() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let other = Bucket::new(&service, "other").await;
    let deleted = Bucket::new(&service, "deleted").await.key;
    let delete = api_key(&service, Method::DELETE, "deleted");
    assert_eq!(status(delete).await, 200);
    let id = bucket.create(&json!("unchanged")).await;
    let record = bucket.record(&id);
    set_ttl(&service, &record, HOUR).await;
    let records = service.records();

    let (start, last) = bucket.key.split_at(bucket.key.len() - 1);
    let mistyped = format!("{start}{}", if last == "x" { "y" } else { "x" });
    let (unknown, other) = (UNKNOWN_KEY, &*other.key);
    let wrong = ["", "wrong", start, &mistyped, unknown, other, &deleted];
    let session = format!("/session/shop/{id}");
    assert_rejected(&service, &bucket.key, &session, &wrong).await;
    // Two different keys, of which one is right.
    let query = format!("{session}?api_key={}", bucket.key);
    let both = service.get(&query).header("x-session-key", MASTER_KEY);
    assert_eq!(status(both).await, 401);

    assert!(ttl(&service, &record).await <= HOUR);
    assert_eq!(service.records(), records);
    assert_eq!(bucket.data(&id).await, json!("unchanged"));
}

#[tokio::test]
async fn errors_have_an_order() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let wrong_method = service.request(Method::PATCH, "/session/bad.name/no-uuid");
    assert_eq!(status(wrong_method).await, 405);
    for request in [
        service.get("/session/bad.name/no-uuid"),
        service.post("/session/settings/no-uuid"),
        service.put("/session/bad.name"),
        service.put("/api-key/bad.name"),
        service.delete("/api-key/settings"),
        service.delete("/session/a%2Fb/no-uuid"),
        service.put("/session/%ff"),
        service.put("/api-key/a%00"),
    ] {
        assert_eq!(status(request).await, 400);
    }
    for (key, expected) in [("wrong", "HTTP/1.1 401 "), (&*bucket.key, "HTTP/1.1 413 ")] {
        let head = format!(
            "PUT /session/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             X-Session-Key: {key}\r\nContent-Length: 2000000\r\n\r\n"
        );
        let answer = service.raw(&head).await;
        assert!(answer.starts_with(expected), "before the body: {answer}");
    }
    let post = |body: Vec<u8>| bucket.request(Method::POST, "/no-uuid").body(body);
    assert_eq!(status(post(vec![b'x'; (1 << 20) + 1])).await, 413);
    assert_eq!(status(post(vec![0xff])).await, 400);
    let nil = bucket.record(&uuid::Uuid::nil().to_string());
    let record = NewRecord::new(&nil, b"{\"data\":1}", HOUR);
    assert_eq!(store(&service).insert(record).await, Ok(true));
    assert_eq!(status(bucket.get("no-uuid")).await, 404);
    assert_eq!(status(bucket.delete("no-uuid")).await, 404);
}

#[tokio::test]
async fn key_that_cannot_be_checked_grants_nothing() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let records = service.records();
    for request in [
        bucket.put(),
        bucket.get(&id),
        bucket.post(&id, &json!("changed")),
        bucket.delete(&id),
    ] {
        // Only the first operation fails: loading the key.
        service.faults.fail_next(StoreErrorKind::Connection, 1);
        assert_eq!(status(request).await, 503);
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
    assert_eq!(service.records(), records);
}

#[tokio::test]
async fn malformed_key_is_rejected_without_the_store() {
    let service = Service::memory().await;
    let key = &Bucket::new(&service, "shop").await.key;
    let mistyped = format!("{}x", &key[..key.len() - 1]);
    let longer = format!("{key}x");
    service.faults.fail_with(StoreErrorKind::Connection);
    for (path, key, expected) in [
        ("/session/shop", "", 401),
        ("/session/shop", &*mistyped, 401),
        ("/session/shop", &key[1..], 401),
        ("/session/shop", &longer, 401),
        ("/session/shop", MASTER_KEY, 401),
        ("/session/shop", key, 503),
        ("/api-key/shop", key, 401),
        ("/api-key/shop", MASTER_KEY, 503),
    ] {
        let request = service.put(path).header("x-session-key", key);
        assert_eq!(status(request).await, expected, "{path} {key}");
    }
}
