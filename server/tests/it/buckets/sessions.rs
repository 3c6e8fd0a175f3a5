//! Creating, reading, replacing and ending sessions of a bucket.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::buckets::bucket::{Bucket, HOUR, MONTH, overwrite, set_ttl, stored, ttl};
use crate::request::{fetch, send, status};
use crate::service::{self, Service};

on_every_store!(
    put_creates_a_session,
    use_resets_the_ttl,
    ended_session_is_gone,
    buckets_are_isolated,
    foreign_record_is_500_and_kept,
    data_is_returned_unchanged,
);

fn assert_expires_in_a_month(body: &Value) {
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    let expires = body["expires"].as_u64().expect("seconds");
    assert!(expires.abs_diff((now + MONTH).as_secs()) <= 2, "{body}");
}

async fn put_creates_a_session(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let response = send(bucket.put().json(&json!({ "cart": [17, 42] }))).await;
    let headers = response.headers().clone();
    let (status, body) = service::json(response).await;
    let id = body["id"].as_str().expect("an id");
    let expected = json!({ "id": id, "bucket": "shop", "expires": body["expires"],
        "data": { "cart": [17, 42] } });
    assert_eq!((status, &body), (201, &expected));
    assert_expires_in_a_month(&body);
    assert_eq!(Uuid::parse_str(id).map(|id| id.get_version_num()), Ok(4));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("location", &format!("/session/shop/{id}")),
    ] {
        assert_eq!(headers[name], value);
    }
    let stored = stored(&service, &bucket.record(id)).await;
    let record: Value = serde_json::from_slice(&stored.expect("a record").value).expect("JSON");
    assert_eq!(record["data"], body["data"]);
    assert!(record["_jrs"][0].is_i64(), "the time of creation");
    assert_eq!(record["_jrs"][1], Value::Null, "the owner");
    assert_ne!(bucket.create(&Value::Null).await, id);
    // Ids are accepted in upper case too.
    let (status, body) = fetch(bucket.get(&id.to_uppercase())).await;
    assert_eq!((status, body["id"].as_str()), (200, Some(id)));
}

async fn use_resets_the_ttl(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!({ "a": 1 })).await;
    let record = bucket.record(&id);
    for (request, data) in [
        (bucket.get(&id), json!({ "a": 1 })),
        (bucket.post(&id, &json!({ "b": 2 })), json!({ "b": 2 })),
        (bucket.get(&id), json!({ "b": 2 })),
    ] {
        set_ttl(&service, &record, HOUR).await;
        let response = send(request).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let (status, body) = service::json(response).await;
        assert_expires_in_a_month(&body);
        let expected =
            json!({ "id": id, "bucket": "shop", "expires": body["expires"], "data": data });
        assert_eq!((status, &body), (200, &expected));
        assert!(ttl(&service, &record).await > MONTH - HOUR);
    }
    let settings = json!({ "session_ttl": 2_592_000, "max_payload": 1_048_576 });
    let answer = fetch(service.get("/session/settings")).await;
    assert_eq!(answer, (200, settings));
}

async fn ended_session_is_gone(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let other = bucket.create(&json!(2)).await;
    let ended = (200, json!({ "id": id, "bucket": "shop" }));
    assert_eq!(fetch(bucket.delete(&id)).await, ended);
    for id in [id, Uuid::new_v4().to_string()] {
        for request in [
            bucket.post(&id, &json!(2)),
            bucket.get(&id),
            bucket.delete(&id),
        ] {
            let missing = (
                404,
                json!({ "error": "there is no such session; create one" }),
            );
            assert_eq!(fetch(request).await, missing);
        }
    }
    assert_eq!(bucket.data(&other).await, json!(2));
    let mut statuses = join_all((0..20).map(|_| status(bucket.delete(&other)))).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[404; 19][..]));
}

async fn buckets_are_isolated(service: Service) {
    let one = Bucket::new(&service, "one").await;
    let two = Bucket::new(&service, "two").await;
    let id = one.create(&json!("of one")).await;
    let record = one.record(&id);
    set_ttl(&service, &record, HOUR).await;
    let post = two.post(&id, &json!("of two"));
    for request in [two.get(&id), post, two.delete(&id)] {
        assert_eq!(status(request).await, 404);
    }
    assert!(ttl(&service, &record).await <= HOUR);
    assert_eq!(one.data(&id).await, json!("of one"));
}

async fn foreign_record_is_500_and_kept(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let record = bucket.record(&id);
    for value in [&b"[]"[..], b"{", b"{\"other\":1}"] {
        overwrite(&service, &record, value).await;
        let error = (500, json!({ "error": "internal error" }));
        assert_eq!(fetch(bucket.get(&id)).await, error);
        let kept = stored(&service, &record).await.expect("a record").value;
        assert_eq!(&kept[..], value);
    }
}

/// Reads the text of the member `data`, which is the last one.
async fn data(bucket: &Bucket<'_>, id: &str) -> String {
    let text = send(bucket.get(id)).await.text().await.expect("a body");
    let (_, data) = text.split_once(",\"data\":").expect("data");
    data.strip_suffix('}').expect("an end").to_owned()
}

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
async fn control_characters_take_six_bytes_in_json() {
    let service = Service::memory_with(|settings| settings.buckets.max_payload = 5000).await;
    let largest = "\u{1}".repeat(5000);
    let put = Bucket::new(&service, "shop").await.put();
    let (status, body) = fetch(put.body(largest.clone())).await;
    assert_eq!((status, &body["data"]), (201, &json!(largest)));
}
