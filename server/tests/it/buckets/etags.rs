//! `ETag` and `If-Match` prevent lost updates.

use futures_util::future::join_all;
use serde_json::json;

use crate::buckets::bucket::{Bucket, HOUR, set_ttl, ttl};
use crate::request::{fetch, send, status};
use crate::service::Service;

on_every_store!(
    etag_identifies_the_data,
    post_needs_a_version_in_if_match,
    one_of_concurrent_posts_of_a_version_succeeds,
    delete_with_a_version_is_rejected,
);

async fn etag(bucket: &Bucket<'_>, id: &str) -> String {
    let response = send(bucket.get(id)).await;
    let etag = response.headers()["etag"].to_str();
    etag.expect("ASCII").to_owned()
}

async fn etag_identifies_the_data(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let created = send(bucket.put().json(&json!({ "a": 1 }))).await;
    let first = created.headers()["etag"].clone();
    let body = crate::service::json(created).await.1;
    let id = body["id"].as_str().expect("an id");
    assert_eq!(etag(&bucket, id).await, first);
    let changed = send(bucket.post(id, &json!({ "a": 2 }))).await;
    let second = changed.headers()["etag"].to_str().expect("ASCII");
    assert_eq!(etag(&bucket, id).await, second);
    assert_ne!(first, second);
    assert!(second.len() == 34 && second.starts_with('"'), "{second}");
    let restored = send(bucket.post(id, &json!({ "a": 1 }))).await;
    assert_eq!(restored.headers()["etag"], first);
}

async fn post_needs_a_version_in_if_match(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let old = etag(&bucket, &id).await;
    assert_eq!(status(bucket.post(&id, &json!(2))).await, 200);
    set_ttl(&service, &bucket.record(&id), HOUR).await;
    // Reading the session itself would reset its TTL. Equal data has an equal tag.
    let other = bucket.create(&json!(2)).await;
    let current = etag(&bucket, &other).await;
    let post = |data: u8, if_match: &str| {
        let request = bucket.post(&id, &json!(data));
        fetch(request.header("if-match", if_match))
    };
    let weak = format!("W/{current}");
    for stale in [
        &*old,
        "\"\"",
        "",
        "2",
        "\"*\"",
        &current[1..],
        &current[..33],
    ] {
        let (status, body) = post(3, stale).await;
        assert_eq!(status, 412, "{stale}: {body}");
    }
    assert!(ttl(&service, &bucket.record(&id)).await <= HOUR);
    assert_eq!(bucket.data(&id).await, json!(2));
    let list = format!("{old} , {current}");
    // As nginx and Apache change the tag of a response that they compress.
    let suffixed = ["-gzip", "--gzip", ";gzip", "-br"];
    let suffixed = suffixed.map(|suffix| current.replacen("\"", "", 1).replace('"', suffix));
    let suffixed = suffixed.map(|tag| format!("\"{tag}\""));
    let accepted = [&current, &list, &weak].into_iter().chain(&suffixed);
    for (if_match, data) in accepted.map(|tag| (&**tag, 2)).chain([("*", 4)]) {
        assert_eq!(post(data, if_match).await.0, 200, "{if_match}");
        assert_eq!(bucket.data(&id).await, json!(data));
    }
    let unknown = uuid::Uuid::new_v4().to_string();
    let post = bucket.post(&unknown, &json!(1)).header("if-match", "*");
    assert_eq!(status(post).await, 404);
}

async fn one_of_concurrent_posts_of_a_version_succeeds(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("before")).await;
    let etag = etag(&bucket, &id).await;
    // With `*` all succeed, and the last one counts.
    for (if_match, rejected) in [(&*etag, 99), ("*", 0)] {
        let posts = (0..100).map(|number| {
            let post = bucket.post(&id, &json!(number));
            status(post.header("if-match", if_match))
        });
        let statuses = join_all(posts).await;
        let count = |code| statuses.iter().filter(|status| **status == code).count();
        assert_eq!((count(200), count(412)), (100 - rejected, rejected));
        let stored = bucket.data(&id).await.as_u64().expect("a number");
        assert_eq!(statuses[stored as usize], 200);
    }
}

async fn delete_with_a_version_is_rejected(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let current = etag(&bucket, &id).await;
    for if_match in [&*current, "\"other\"", "W/\"other\"", "", "1"] {
        let delete = bucket.delete(&id).header("if-match", if_match);
        let (status, body) = fetch(delete).await;
        assert_eq!(status, 400, "{if_match}: {body}");
    }
    assert_eq!(bucket.data(&id).await, json!(1));
    let delete = service.delete(&format!("/session/shop/{id}"));
    assert_eq!(status(delete.header("if-match", current)).await, 401);
    for expected in [200, 404] {
        let delete = bucket.delete(&id).header("if-match", "*");
        assert_eq!(status(delete).await, expected);
    }
}
