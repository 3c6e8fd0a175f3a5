//! API keys are created, read and deleted with a master key.

use jwt_redis_session_server::{Secret, Settings};
use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::{Bucket, HOUR, api_key, overwrite, ttl};
use crate::request::{fetch, send, status};
use crate::service::{self, SECRET, Service};

on_every_store!(bucket_has_one_key, corrupt_key_is_500_until_it_is_deleted,);

/// The key of the record of the API key of the bucket `shop`.
const RECORD: &str = "sessiond:api-key:bucket-api-key--shop";

async fn bucket_has_one_key(service: Service) {
    let shop = |method| api_key(&service, method, "shop");
    let none = (
        404,
        json!({ "error": "the bucket has no API key; PUT creates one" }),
    );
    assert_eq!(fetch(shop(Method::GET)).await, none);
    assert_eq!(fetch(shop(Method::DELETE)).await, none);

    let response = send(shop(Method::PUT)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, created) = service::json(response).await;
    let key = created["api_key"].as_str().expect("a key");
    let expected = json!({ "bucket": "shop", "api_key": key });
    assert_eq!((status, &created), (201, &expected));
    assert!(key.len() == 38 && key.starts_with("jrs_"), "{key}");
    assert!(ttl(&service, RECORD).await > HOUR * 24 * 365 * 99);
    assert_eq!(fetch(shop(Method::PUT)).await.0, 409);
    let response = send(shop(Method::GET)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(service::json(response).await, (200, created.clone()));

    let other = Bucket::new(&service, "store").await;
    assert_ne!(other.key, key);
    let deleted = (200, json!({ "bucket": "shop" }));
    assert_eq!(fetch(shop(Method::DELETE)).await, deleted);
    assert_eq!(fetch(shop(Method::GET)).await, none);
    assert_eq!(crate::request::status(other.put()).await, 201);
    assert_ne!(Bucket::new(&service, "shop").await.key, key);
}

async fn corrupt_key_is_500_until_it_is_deleted(service: Service) {
    for value in ["{}", "{", "{\"hash\":1}", "a Redis list"] {
        let bucket = Bucket::new(&service, "shop").await;
        let id = bucket.create(&json!("kept")).await;
        match &service.redis {
            Some(redis) if value == "a Redis list" => {
                redis.run(&["DEL", RECORD]);
                redis.run(&["RPUSH", RECORD, "1"]);
            }
            _ => overwrite(&service, RECORD, value.as_bytes()).await,
        }
        let shop = |method| api_key(&service, method, "shop");
        for (request, expected) in [
            (shop(Method::GET), 500),
            (bucket.put(), 500),
            (bucket.get(&id), 500),
            (shop(Method::PUT), 409),
            (shop(Method::DELETE), 200),
            (shop(Method::DELETE), 404),
            (shop(Method::GET), 404),
            (bucket.put(), 401),
        ] {
            assert_eq!(status(request).await, expected, "{value}");
        }
        let bucket = Bucket::new(&service, "shop").await;
        assert_eq!(bucket.data(&id).await, json!("kept"));
        assert_eq!(status(shop(Method::DELETE)).await, 200);
    }
}

#[tokio::test]
async fn deleted_key_is_rejected_by_every_instance() {
    let here = Service::redis().await;
    let there = Service::redis_at(&here.server().url(), |_| ()).await;
    let bucket = Bucket::new(&here, "shop").await;
    let put = |service: &Service| {
        let put = service.put("/session/shop");
        status(put.header("x-session-key", &bucket.key))
    };
    assert_eq!((put(&here).await, put(&there).await), (201, 201));
    assert_eq!(status(api_key(&here, Method::DELETE, "shop")).await, 200);
    Bucket::new(&here, "shop").await;
    assert_eq!((put(&here).await, put(&there).await), (401, 401));
}

/// The format of records must not change: keys have no end.
#[tokio::test]
async fn stored_key_remains_valid() {
    const KEY: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";
    let record = json!({
        "nonce": "8d3f0c1a5b7e49d2a6c4e0f1b2d3c4a5",
        "hash": "23d7534204b574cb349a906bac6e401a34fcd2fb6ba742c05d20a67f5b364a31",
        "_jrs": { "owner": "buckets", "created": 1_767_225_600 },
    });
    let service = Service::redis().await;
    let redis = service.server();
    let hundred_years = (100_u64 * 365 * 86_400_000).to_string();
    redis.run(&["SET", RECORD, &record.to_string(), "PX", &hundred_years]);
    let put = || service.put("/session/shop").header("x-session-key", KEY);
    assert_eq!(status(put()).await, 201);
    for (method, expected) in [
        // The secret that it was derived from is not configured.
        (Method::GET, 409),
        (Method::PUT, 409),
    ] {
        assert_eq!(status(api_key(&service, method, "shop")).await, expected);
    }
    let delete_with_grace = api_key(&service, Method::DELETE, "shop?grace=1h");
    assert_eq!(status(delete_with_grace).await, 200);
    assert_eq!(status(put()).await, 201);
    let (_, keys) = fetch(api_key(&service, Method::GET, "shop")).await;
    let is_hidden = keys["previous"]["api_key"].is_null() && keys["previous"]["expires"].is_u64();
    assert!(is_hidden, "{keys}");
    Bucket::new(&service, "shop").await;
    assert_eq!(status(put()).await, 201);
    let delete = api_key(&service, Method::DELETE, "shop");
    assert_eq!(status(delete).await, 200);
    assert_eq!(status(put()).await, 401);
}

#[tokio::test]
async fn keys_survive_a_change_of_the_secret() {
    let before = Service::redis().await;
    let bucket = Bucket::new(&before, "shop").await;
    let change = |settings: &mut Settings| {
        let next = "the next signing secret of at least 32 characters";
        settings.tokens.secret = Some(Secret::from(next));
        settings.tokens.previous_secrets = vec![SECRET.into()];
    };
    let after = Service::redis_at(&before.server().url(), change).await;
    let known = json!({ "bucket": "shop", "api_key": bucket.key });
    let answer = fetch(api_key(&after, Method::GET, "shop")).await;
    assert_eq!(answer, (200, known));
}
