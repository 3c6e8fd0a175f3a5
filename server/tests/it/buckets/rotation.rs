//! API keys are rotated without an interruption.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::buckets::bucket::{Bucket, api_key, overwrite, stored};
use crate::request::{fetch, status};
use crate::service::Service;

on_every_store!(
    both_keys_are_valid_until_the_grace_ends,
    a_repeated_deletion_never_extends_the_grace,
    a_bucket_whose_grace_has_ended_has_no_key,
    one_of_concurrent_creations_succeeds,
    a_wrong_grace_deletes_nothing,
);

/// The key of the record of the API keys of the bucket `shop`.
const RECORD: &str = "sessiond:api-key:bucket-api-key--shop";

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

fn shop(service: &Service, method: Method) -> RequestBuilder {
    api_key(service, method, "shop")
}

fn delete_with_grace(service: &Service, grace: &str) -> RequestBuilder {
    api_key(service, Method::DELETE, &format!("shop?grace={grace}"))
}

/// Creates a session with `key` and returns the status.
async fn create(service: &Service, key: &str) -> u16 {
    status(service.put("/session/shop").header("x-session-key", key)).await
}

/// Lets the grace of the deleted key end.
async fn end_grace(service: &Service) {
    let record = stored(service, RECORD).await.expect("a record").value;
    let mut record: Value = serde_json::from_slice(&record).expect("JSON");
    record["previous"]["end"] = now().into();
    overwrite(service, RECORD, record.to_string().as_bytes()).await;
}

async fn both_keys_are_valid_until_the_grace_ends(service: Service) {
    let old = Bucket::new(&service, "shop").await.key;
    let (code, deleted) = fetch(delete_with_grace(&service, "1h")).await;
    let end = deleted["expires"].as_u64().expect("a time");
    assert_eq!((code, &deleted["bucket"]), (200, &json!("shop")));
    assert!(end.abs_diff(now() + 3600) < 5, "{end}");
    assert_eq!(create(&service, &old).await, 201);
    let previous = json!({ "api_key": old, "expires": end });
    let only_old = json!({ "bucket": "shop", "api_key": null, "previous": previous });
    let get = || fetch(shop(&service, Method::GET));
    assert_eq!(get().await, (200, only_old));

    let new = Bucket::new(&service, "shop").await.key;
    assert_ne!(new, old);
    let both = json!({ "bucket": "shop", "api_key": new, "previous": previous });
    assert_eq!(get().await, (200, both));
    for key in [&old, &new] {
        assert_eq!(create(&service, key).await, 201);
    }
    assert_eq!(status(shop(&service, Method::PUT)).await, 409);
    assert_eq!(
        status(delete_with_grace(&service, "1h")).await,
        409,
        "a third key"
    );

    end_grace(&service).await;
    assert_eq!(create(&service, &old).await, 401);
    assert_eq!(create(&service, &new).await, 201);
    let only_new = json!({ "bucket": "shop", "api_key": new });
    assert_eq!(get().await, (200, only_new));

    assert_eq!(status(delete_with_grace(&service, "1h")).await, 200);
    let newest = Bucket::new(&service, "shop").await.key;
    assert_eq!(create(&service, &old).await, 401);
    let deleted = (200, json!({ "bucket": "shop" }));
    assert_eq!(fetch(shop(&service, Method::DELETE)).await, deleted);
    for key in [&new, &newest] {
        assert_eq!(create(&service, key).await, 401, "without a grace");
    }
}

async fn a_repeated_deletion_never_extends_the_grace(service: Service) {
    let key = Bucket::new(&service, "shop").await.key;
    let mut ends = Vec::new();
    for grace in ["1h", "2h", "1m", "1h"] {
        let (code, deleted) = fetch(delete_with_grace(&service, grace)).await;
        assert_eq!(code, 200);
        ends.push(deleted["expires"].as_u64().expect("a time"));
    }
    assert_eq!((ends[0], ends[2]), (ends[1], ends[3]));
    assert!(ends[2].abs_diff(now() + 60) < 5, "{ends:?}");
    assert_eq!(create(&service, &key).await, 201);
}

async fn a_bucket_whose_grace_has_ended_has_no_key(service: Service) {
    let old = Bucket::new(&service, "shop").await.key;
    assert_eq!(status(delete_with_grace(&service, "1h")).await, 200);
    end_grace(&service).await;
    assert_eq!(create(&service, &old).await, 401);
    assert_eq!(status(shop(&service, Method::GET)).await, 404);
    assert_eq!(status(delete_with_grace(&service, "1h")).await, 404);
    let new = Bucket::new(&service, "shop").await.key;
    assert_eq!(create(&service, &old).await, 401);
    assert_eq!(create(&service, &new).await, 201);
    let only_new = json!({ "bucket": "shop", "api_key": new });
    assert_eq!(fetch(shop(&service, Method::GET)).await, (200, only_new));
}

async fn one_of_concurrent_creations_succeeds(service: Service) {
    Bucket::new(&service, "shop").await;
    assert_eq!(status(delete_with_grace(&service, "1h")).await, 200);
    let creations = (0..20).map(|_| status(shop(&service, Method::PUT)));
    let mut statuses = join_all(creations).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert_eq!(statuses[1..], [409; 19]);
}

async fn a_wrong_grace_deletes_nothing(service: Service) {
    let key = Bucket::new(&service, "shop").await.key;
    let error = "grace must be one duration from 1s to 7days, such as `?grace=1h`";
    for grace in ["", "0s", "8days", "60", "soon"] {
        let answer = fetch(delete_with_grace(&service, grace)).await;
        assert_eq!(answer, (400, json!({ "error": error })), "{grace}");
    }
    let only = json!({ "bucket": "shop", "api_key": key });
    assert_eq!(fetch(shop(&service, Method::GET)).await, (200, only));
}

#[tokio::test]
async fn a_rotation_holds_on_every_instance() {
    let here = Service::redis().await;
    let there = Service::redis_at(&here.server().url(), |_| ()).await;
    let old = Bucket::new(&here, "shop").await.key;
    assert_eq!(status(delete_with_grace(&there, "1h")).await, 200);
    let rounds = join_all([&here, &there].map(|service| status(shop(service, Method::PUT))));
    let mut statuses = rounds.await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let keys = fetch(shop(&there, Method::GET)).await.1;
    let new = keys["api_key"].as_str().expect("a key");
    for service in [&here, &there] {
        assert_eq!(create(service, &old).await, 201);
        assert_eq!(create(service, new).await, 201);
    }
    assert_eq!(status(shop(&here, Method::DELETE)).await, 200);
    assert_eq!(create(&there, &old).await, 401);
    assert_eq!(create(&there, new).await, 401);
}

/// Deletes with a grace, creates, and deletes while requests with one of the keys arrive.
#[tokio::test]
async fn no_request_is_rejected_during_a_rotation() {
    let here = Service::redis().await;
    let there = Service::redis_at(&here.server().url(), |_| ()).await;
    let mut key = Bucket::new(&here, "shop").await.key;
    for service in [&here, &there, &here] {
        let requests = async {
            let mut statuses = Vec::new();
            for _ in 0..30 {
                statuses.push(create(&there, &key).await);
            }
            statuses
        };
        let rotation = async {
            assert_eq!(status(delete_with_grace(service, "1h")).await, 200);
            Bucket::new(service, "shop").await.key
        };
        let (statuses, new) = tokio::join!(requests, rotation);
        assert_eq!(statuses, [201; 30]);
        key = new;
        end_grace(&here).await;
    }
}
