//! How buckets come to their keys: each row of the table.

use jwt_redis_session_server::Secret;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::buckets::bucket::{Bucket, overwrite, send, status, store, stored};
use crate::service::{self, MASTER_KEY, SECRET, Service};

on_every_store!(
    a_bucket_is_given_one_key_and_told_it,
    r43_of_fifty_parallel_puts_exactly_one_gives_a_key,
    r43_a_deleted_key_is_refused_from_the_next_request_on,
    the_sessions_of_a_bucket_outlive_its_key,
    each_master_key_opens_api_key,
    a_corrupt_key_is_an_error_inside_until_it_is_deleted,
);

/// The name of the key's record of the bucket `shop`.
const RECORD: &str = "sessiond:api-key:bucket-api-key--shop";

fn master(service: &Service, method: Method, bucket: &str) -> RequestBuilder {
    let request = service.request(method, &format!("/api-key/{bucket}"));
    request.header("x-session-key", MASTER_KEY)
}

async fn a_bucket_is_given_one_key_and_told_it(service: Service) {
    let missing = send(master(&service, Method::GET, "shop")).await;
    let missing = service::json(missing).await;
    assert_eq!(
        missing,
        (404, json!({ "error": "the bucket has no API key" }))
    );
    assert_eq!(status(master(&service, Method::DELETE, "shop")).await, 404);

    let response = send(master(&service, Method::PUT, "shop")).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, made) = service::json(response).await;
    let key = made["api_key"].as_str().expect("a key");
    assert_eq!(
        (status, &made),
        (201, &json!({ "bucket": "shop", "api_key": key }))
    );
    assert!(key.len() == 38 && key.starts_with("jrs_"), "{key}");

    let again = service::json(send(master(&service, Method::PUT, "shop")).await).await;
    assert_eq!(again.0, 409, "{}", again.1);
    let told = send(master(&service, Method::GET, "shop")).await;
    assert_eq!(told.headers()["cache-control"], "no-store");
    assert_eq!(service::json(told).await, (200, made.clone()));

    let other = service::json(send(master(&service, Method::PUT, "store")).await).await;
    assert_ne!(other.1["api_key"], made["api_key"]);
    let deleted = service::json(send(master(&service, Method::DELETE, "shop")).await).await;
    assert_eq!(deleted, (200, json!({ "bucket": "shop" })));
    assert_eq!(
        super::bucket::status(master(&service, Method::GET, "shop")).await,
        404
    );
    assert_eq!(
        super::bucket::status(master(&service, Method::GET, "store")).await,
        200
    );
    let new = service::json(send(master(&service, Method::PUT, "shop")).await).await;
    assert_eq!(new.0, 201);
    assert_ne!(new.1["api_key"], made["api_key"]);
}

async fn r43_of_fifty_parallel_puts_exactly_one_gives_a_key(service: Service) {
    let puts = (0..50).map(|_| async {
        let response = send(master(&service, Method::PUT, "shop")).await;
        service::json(response).await
    });
    let answers = futures_util::future::join_all(puts).await;
    let count = |expected| {
        answers
            .iter()
            .filter(|(status, _)| *status == expected)
            .count()
    };
    assert_eq!((count(201), count(409)), (1, 49));
    let given = answers.iter().find(|(status, _)| *status == 201);
    let told = service::json(send(master(&service, Method::GET, "shop")).await).await;
    assert_eq!(Some(&told.1), given.map(|(_, body)| body));
}

async fn r43_a_deleted_key_is_refused_from_the_next_request_on(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    assert_eq!(status(bucket.get(&id)).await, 200);
    assert_eq!(status(master(&service, Method::DELETE, "shop")).await, 200);
    assert_eq!(status(bucket.get(&id)).await, 401);
    assert_eq!(status(bucket.post(&id, &json!(2))).await, 401);
    assert_eq!(status(bucket.delete(&id)).await, 401);
    assert_eq!(status(bucket.put()).await, 401);
    let new = Bucket::new(&service, "shop").await;
    assert_eq!(status(bucket.get(&id)).await, 401);
    assert_eq!(new.data(&id).await, json!(1));
}

async fn the_sessions_of_a_bucket_outlive_its_key(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    assert_eq!(status(master(&service, Method::DELETE, "shop")).await, 200);
    let bucket = Bucket::new(&service, "shop").await;
    assert_eq!(bucket.data(&id).await, json!(1));
}

async fn each_master_key_opens_api_key(service: Service) {
    let query = MASTER_KEY.replace(' ', "%20");
    let put = service.put(&format!("/api-key/one?api_key={query}"));
    assert_eq!(status(put).await, 201);
    let query = MASTER_KEY.replace(' ', "+");
    let get = service.get(&format!("/api-key/one?api_key={query}"));
    assert_eq!(status(get.header("x-api-key", MASTER_KEY)).await, 200);
}

async fn a_corrupt_key_is_an_error_inside_until_it_is_deleted(service: Service) {
    for value in ["[1,2]", "{}", "{", "", "{\"hash\":1}", "{\"nonce\":\"n\"}"] {
        let bucket = Bucket::new(&service, "shop").await;
        let id = bucket.create(&json!("kept")).await;
        overwrite(&service, RECORD, value.as_bytes()).await;
        is_corrupt_until_it_is_deleted(&bucket).await;
        let bucket = Bucket::new(&service, "shop").await;
        assert_eq!(bucket.data(&id).await, json!("kept"));
        assert_eq!(status(master(&service, Method::DELETE, "shop")).await, 200);
    }
}

/// The record is the one that was written before keys had no token.
#[tokio::test]
async fn a_stored_key_goes_on_working() {
    const KEY: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";
    let record = json!({
        "nonce": "8d3f0c1a5b7e49d2a6c4e0f1b2d3c4a5",
        "hash": "23d7534204b574cb349a906bac6e401a34fcd2fb6ba742c05d20a67f5b364a31",
        "_jrs": { "owner": "buckets", "created": 1_767_225_600 },
    });
    let service = Service::redis().await;
    let redis = service.redis.as_ref().expect("Redis");
    let hundred_years = (100_u64 * 365 * 86_400_000).to_string();
    redis.run(&["SET", RECORD, &record.to_string(), "PX", &hundred_years]);
    let put = |key: &str| status(service.put("/session/shop").header("x-session-key", key));
    assert_eq!(put(KEY).await, 201);
    // Its secret is not one of this service.
    assert_eq!(status(master(&service, Method::GET, "shop")).await, 409);
    assert_eq!(status(master(&service, Method::PUT, "shop")).await, 409);
    assert_eq!(status(master(&service, Method::DELETE, "shop")).await, 200);
    assert_eq!(put(KEY).await, 401);
}

/// What Redis holds there may not even be a text.
#[tokio::test]
async fn a_list_in_the_place_of_a_key_is_an_error_inside_until_it_is_deleted() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let redis = service.redis.as_ref().expect("Redis");
    redis.run(&["DEL", RECORD]);
    redis.run(&["RPUSH", RECORD, "1"]);
    is_corrupt_until_it_is_deleted(&bucket).await;
    assert!(!service.keys().contains(&RECORD.to_owned()));
    Bucket::new(&service, "shop").await;
}

async fn is_corrupt_until_it_is_deleted(bucket: &Bucket<'_>) {
    let service = bucket.service;
    let broken = (500, json!({ "error": "internal error" }));
    for request in [master(service, Method::GET, "shop"), bucket.put()] {
        assert_eq!(service::json(send(request).await).await, broken);
    }
    assert_eq!(status(master(service, Method::PUT, "shop")).await, 409);
    let deleted = service::json(send(master(service, Method::DELETE, "shop")).await).await;
    assert_eq!(deleted, (200, json!({ "bucket": "shop" })));
    assert_eq!(status(master(service, Method::DELETE, "shop")).await, 404);
    assert_eq!(status(master(service, Method::GET, "shop")).await, 404);
    assert_eq!(status(bucket.put()).await, 401);
}

#[tokio::test]
async fn of_several_master_keys_each_is_good() {
    let other = "another master key of at least 32 characters";
    let service = Service::memory_with(|settings| {
        settings.buckets.master_keys.push(Secret::from(other));
    })
    .await;
    for key in [MASTER_KEY, other] {
        let get = service.get("/api-key/shop").header("x-session-key", key);
        assert_eq!(status(get).await, 404);
    }
    let none = Service::memory_with(|settings| {
        settings.admin.enabled = false;
        settings.buckets.master_keys.clear();
    })
    .await;
    for key in [MASTER_KEY, ""] {
        let get = none.get("/api-key/shop").header("x-session-key", key);
        assert_eq!(status(get).await, 401);
    }
}

#[tokio::test]
async fn r38_the_store_holds_no_key() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    bucket.create(&json!(1)).await;
    let keys = service.keys();
    assert!(keys.contains(&RECORD.to_owned()), "{keys:?}");
    let redis = service.redis.as_ref().expect("Redis");
    for key in keys {
        let dump = format!("{:?}", redis.run(&["DUMP", &key]));
        assert!(
            !dump.contains(&bucket.key[4..]) && !dump.contains("jrs_"),
            "{key}"
        );
    }
    let record = stored(&service, RECORD).await;
    let record = String::from_utf8(record.expect("a record").value.to_vec()).expect("UTF-8");
    assert!(
        record.contains("\"nonce\"") && record.contains("\"hash\""),
        "{record}"
    );
    assert!(!record.contains(&bucket.key), "{record}");
    drop(store(&service));
}

#[tokio::test]
async fn r43_a_key_deleted_at_one_instance_is_refused_at_every_other() {
    let here = Service::redis().await;
    let url = here.redis.as_ref().expect("Redis").url();
    let there = Service::redis_at(&url, |_| ()).await;
    let bucket = Bucket::new(&here, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let get = || {
        let get = there.get(&format!("/session/shop/{id}"));
        status(get.header("x-session-key", &bucket.key))
    };
    for _ in 0..3 {
        assert_eq!(get().await, 200);
    }
    assert_eq!(status(master(&here, Method::DELETE, "shop")).await, 200);
    assert_eq!(get().await, 401);
}

/// A rotation of `tokens.secret` keeps the keys, and as long as the old secret is configured they
/// can be told.
#[tokio::test]
async fn keys_outlive_the_secret_they_were_made_with() {
    let before = Service::redis().await;
    let url = before.redis.as_ref().expect("Redis").url();
    let bucket = Bucket::new(&before, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let next = "the next signing secret of at least 32 characters";

    let rotated = Service::redis_at(&url, |settings| {
        settings.tokens.secret = Some(Secret::from(next));
        settings.tokens.previous_secrets = vec![Secret::from(SECRET)];
    })
    .await;
    let told = service::json(send(master(&rotated, Method::GET, "shop")).await).await;
    assert_eq!(
        told,
        (200, json!({ "bucket": "shop", "api_key": bucket.key }))
    );

    let forgotten = Service::redis_at(&url, |settings| {
        settings.tokens.secret = Some(Secret::from(next));
    })
    .await;
    let (status, body) = service::json(send(master(&forgotten, Method::GET, "shop")).await).await;
    assert_eq!(status, 409);
    let text = body["error"].as_str().expect("a text");
    assert!(text.contains("DELETE and PUT"), "{text}");
    let get = forgotten.get(&format!("/session/shop/{id}"));
    let get = get.header("x-session-key", &bucket.key);
    assert_eq!(super::bucket::status(get).await, 200);
    assert_eq!(
        super::bucket::status(master(&forgotten, Method::DELETE, "shop")).await,
        200
    );
    assert_eq!(
        super::bucket::status(master(&forgotten, Method::PUT, "shop")).await,
        201
    );
    assert_eq!(
        super::bucket::status(master(&forgotten, Method::GET, "shop")).await,
        200
    );
}
