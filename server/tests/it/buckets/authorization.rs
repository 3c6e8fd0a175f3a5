//! Each route rejects every key but the right one.

use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::{Bucket, HOUR, api_key, set_ttl, stored, ttl};
use crate::request::{send, status};
use crate::service::{self, MASTER_KEY, Service};

on_every_store!(wrong_keys_are_rejected_and_change_nothing);

/// A key of valid format, which belongs to no bucket.
const UNKNOWN_KEY: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";

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
                let error = json!({ "error": "the API key is missing or wrong" });
                assert_eq!(body, error, "{what}");
            }
        }
    }
}

async fn wrong_keys_are_rejected_and_change_nothing(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let other = Bucket::new(&service, "other").await;
    let deleted = Bucket::new(&service, "deleted").await.key;
    let delete = api_key(&service, Method::DELETE, "deleted");
    assert_eq!(status(delete).await, 200);
    let id = bucket.create(&json!("unchanged")).await;
    let (record, key) = (bucket.record(&id), "sessiond:api-key:bucket-api-key--shop");
    set_ttl(&service, &record, HOUR).await;
    let values = async || {
        let records = [stored(&service, &record).await, stored(&service, key).await];
        records.map(|record| record.expect("a record").value)
    };
    let before = values().await;
    let names = service.redis.as_ref().map(|_| service.keys());

    let (start, last) = bucket.key.split_at(bucket.key.len() - 1);
    let mistyped = format!("{start}{}", if last == "x" { "y" } else { "x" });
    let wrong = [
        "",
        "wrong",
        start,
        &mistyped,
        UNKNOWN_KEY,
        &other.key,
        &deleted,
    ];
    let session = format!("/session/shop/{id}");
    assert_rejected(&service, &bucket.key, &session, &wrong).await;
    // Two different keys, of which one is right.
    let query = format!("{session}?api_key={}", bucket.key);
    let both = service.get(&query).header("x-session-key", MASTER_KEY);
    assert_eq!(status(both).await, 401);

    assert!(ttl(&service, &record).await <= HOUR);
    assert_eq!(values().await, before);
    assert_eq!(service.redis.as_ref().map(|_| service.keys()), names);
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
    let head = "PUT /session/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Length: 2000000\r\n\r\n";
    let answer = service.raw(head).await;
    let expected = "HTTP/1.1 401 ";
    assert!(answer.starts_with(expected), "before the body: {answer}");
    let post = |body: Vec<u8>| bucket.request(Method::POST, "/no-uuid").body(body);
    assert_eq!(status(post(vec![b'x'; (1 << 20) + 1])).await, 413);
    assert_eq!(status(post(vec![0xff])).await, 400);
    assert_eq!(status(bucket.get("no-uuid")).await, 404);
    assert_eq!(status(bucket.delete("no-uuid")).await, 404);
}
