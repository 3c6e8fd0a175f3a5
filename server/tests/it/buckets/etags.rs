//! How a client avoids overwriting what another wrote.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::buckets::bucket::{Bucket, HOUR, send, set_ttl, status, ttl};
use crate::service::Service;

on_every_store!(
    a_post_for_another_version_writes_nothing,
    the_version_is_told_by_every_answer_and_follows_the_data,
    of_concurrent_posts_for_one_version_exactly_one_wins,
    without_if_match_the_last_writer_wins,
    a_delete_for_one_version_is_refused,
);

async fn etag(bucket: &Bucket<'_>, id: &str) -> HeaderValue {
    send(bucket.get(id)).await.headers()["etag"].clone()
}

async fn a_post_for_another_version_writes_nothing(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let seen = etag(&bucket, &id).await;
    let seen = seen.to_str().expect("ASCII");
    assert_eq!(status(bucket.post(&id, &json!(2))).await, 200);
    set_ttl(&service, &bucket.record(&id), HOUR).await;
    let now = etag_of_two(&bucket).await;
    for stale in [
        seen,
        "\"\"",
        "",
        "2",
        "\"*\"",
        &format!("W/{now}"),
        &now[1..],
    ] {
        let post = bucket.post(&id, &json!(3)).header("if-match", stale);
        let (status, body) = crate::service::json(send(post).await).await;
        assert_eq!(status, 412, "{stale}");
        assert!(body["error"].is_string());
    }
    assert!(ttl(&service, &bucket.record(&id)).await <= HOUR);
    assert_eq!(bucket.data(&id).await, json!(2));
    for (good, data) in [
        (now.clone(), 2),
        (format!("{seen} , {now}"), 2),
        ("*".to_owned(), 4),
    ] {
        let post = bucket.post(&id, &json!(data)).header("if-match", &good);
        assert_eq!(status(post).await, 200, "{good}");
    }
    assert_eq!(bucket.data(&id).await, json!(4));
    let unknown = uuid::Uuid::new_v4().to_string();
    let post = bucket.post(&unknown, &json!(1)).header("if-match", "*");
    assert_eq!(status(post).await, 404);
}

/// The version of data that is `2`.
async fn etag_of_two(bucket: &Bucket<'_>) -> String {
    let other = bucket.create(&json!(2)).await;
    let etag = etag(bucket, &other).await;
    etag.to_str().expect("ASCII").to_owned()
}

async fn the_version_is_told_by_every_answer_and_follows_the_data(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let created = send(bucket.put().json(&json!({ "a": 1 }))).await;
    let first = created.headers()["etag"].clone();
    let body = crate::service::json(created).await.1;
    let id = body["id"].as_str().expect("an id").to_owned();
    assert_eq!(etag(&bucket, &id).await, first);
    let posted = send(bucket.post(&id, &json!({ "a": 2 }))).await;
    let second = posted.headers()["etag"].clone();
    assert_eq!(etag(&bucket, &id).await, second);
    assert_ne!(first, second);
    let quoted = second.to_str().expect("ASCII");
    assert!(
        quoted.len() == 34 && quoted.starts_with('"') && quoted.ends_with('"'),
        "{quoted}"
    );
    let back = send(bucket.post(&id, &json!({ "a": 1 }))).await;
    assert_eq!(back.headers()["etag"], first);
}

async fn of_concurrent_posts_for_one_version_exactly_one_wins(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("before")).await;
    for _ in 0..5 {
        let seen = etag(&bucket, &id).await;
        let before = bucket.data(&id).await;
        let posts = (0..20).map(|number| {
            let data = json!([before, number]);
            status(bucket.post(&id, &data).header("if-match", &seen))
        });
        let statuses = futures_util::future::join_all(posts).await;
        let winner = statuses.iter().position(|status| *status == 200);
        let refused = statuses.iter().filter(|status| **status == 412).count();
        assert_eq!(refused, 19, "{statuses:?}");
        let winner = winner.expect("one wins");
        assert_eq!(bucket.data(&id).await, json!([before, winner]));
        assert_eq!(status(bucket.post(&id, &json!("before"))).await, 200);
    }
}

/// With each of them done one after another, in whatever order: no try of one is lost without
/// another one having been done.
async fn without_if_match_the_last_writer_wins(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&Value::Null).await;
    let data: Vec<_> = (0..100).map(Value::from).collect();
    let posts = data.iter().map(|data| async {
        let posted = send(bucket.post(&id, data)).await;
        crate::service::json(posted).await
    });
    let answers = futures_util::future::join_all(posts).await;
    for ((status, body), data) in answers.iter().zip(&data) {
        assert_eq!((*status, &body["data"]), (200, data), "{body}");
    }
    assert!(data.contains(&bucket.data(&id).await));
}

async fn a_delete_for_one_version_is_refused(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let now = etag(&bucket, &id).await;
    for condition in [now.as_bytes(), b"\"other\"", b"W/\"other\"", b"", b"1"] {
        let delete = bucket.delete(&id).header("if-match", condition);
        let (status, body) = crate::service::json(send(delete).await).await;
        assert_eq!(status, 400, "{condition:?}");
        let text = body["error"].as_str().expect("a text");
        assert!(text.contains("If-Match") && text.contains("POST"), "{text}");
    }
    assert_eq!(bucket.data(&id).await, json!(1));
    let path = format!("/session/shop/{id}");
    let stranger = service.delete(&path).header("if-match", now);
    assert_eq!(status(stranger).await, 401);
    // Whatever version it is of.
    for expected in [200, 404] {
        let delete = bucket.delete(&id).header("if-match", "*");
        assert_eq!(status(delete).await, expected);
    }
}
