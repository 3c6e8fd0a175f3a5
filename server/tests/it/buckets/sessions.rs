//! What may be done with a session: each row of the table.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::buckets::bucket::{Bucket, HOUR, MONTH, is_month_from_now, send, set_ttl, status, ttl};
use crate::service::{self, Service};

on_every_store!(
    put_creates_a_session,
    get_reads_a_session_and_pushes_its_end_back,
    post_replaces_the_data_and_pushes_the_end_back,
    post_never_creates,
    delete_ends_a_session_once,
    an_id_is_good_in_letters_of_any_case,
    the_settings_are_told_to_everybody,
    r41_a_bucket_never_sees_another_buckets_sessions,
);

async fn put_creates_a_session(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let response = send(bucket.put().json(&json!({ "cart": [17, 42] }))).await;
    let headers = response.headers().clone();
    let (status, body) = service::json(response).await;
    assert_eq!(status, 201);
    assert_eq!(body["bucket"], "shop");
    assert_eq!(body["data"], json!({ "cart": [17, 42] }));
    assert!(is_month_from_now(&body["expires"]), "{body}");
    assert_eq!(body.as_object().expect("an object").len(), 4);
    let id = body["id"].as_str().expect("an id");
    let uuid = Uuid::parse_str(id).expect("a UUID");
    assert_eq!(uuid.get_version_num(), 4);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["location"], format!("/session/shop/{id}"));
    let again = service.get(&format!("/session/shop/{id}?api_key={}", bucket.key));
    let response = send(again).await;
    assert_eq!(response.headers()["etag"], headers["etag"]);
    assert_eq!(service::json(response).await.1["data"], body["data"]);
    assert_ne!(bucket.create(&Value::Null).await, id);
}

async fn get_reads_a_session_and_pushes_its_end_back(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("data")).await;
    let record = bucket.record(&id);
    set_ttl(&service, &record, HOUR).await;
    let response = send(bucket.get(&id)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, body) = service::json(response).await;
    assert!(is_month_from_now(&body["expires"]), "{body}");
    let same = json!({ "id": id, "bucket": "shop", "expires": body["expires"], "data": "data" });
    assert_eq!((status, &body), (200, &same));
    assert!(ttl(&service, &record).await > MONTH - HOUR);
    let unknown = send(bucket.get(&Uuid::new_v4().to_string())).await;
    let missing = (404, json!({ "error": "there is no such session" }));
    assert_eq!(service::json(unknown).await, missing);
}

async fn post_replaces_the_data_and_pushes_the_end_back(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!({ "a": 1 })).await;
    let record = bucket.record(&id);
    set_ttl(&service, &record, HOUR).await;
    let response = send(bucket.post(&id, &json!({ "b": 2 }))).await;
    let (etag, no_store) = (response.headers()["etag"].clone(), "no-store");
    assert_eq!(response.headers()["cache-control"], no_store);
    let (status, body) = service::json(response).await;
    assert!(is_month_from_now(&body["expires"]), "{body}");
    let expires = &body["expires"];
    let same = json!({ "id": id, "bucket": "shop", "expires": expires, "data": { "b": 2 } });
    assert_eq!((status, &body), (200, &same));
    assert!(ttl(&service, &record).await > MONTH - HOUR);
    let response = send(bucket.get(&id)).await;
    assert_eq!(response.headers()["etag"], etag);
    assert_eq!(service::json(response).await.1["data"], json!({ "b": 2 }));
}

async fn post_never_creates(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = Uuid::new_v4().to_string();
    assert_eq!(status(bucket.post(&id, &json!(1))).await, 404);
    assert_eq!(status(bucket.get(&id)).await, 404);
    let ended = bucket.create(&json!(1)).await;
    assert_eq!(status(bucket.delete(&ended)).await, 200);
    assert_eq!(status(bucket.post(&ended, &json!(2))).await, 404);
    assert_eq!(status(bucket.get(&ended)).await, 404);
}

async fn delete_ends_a_session_once(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let (id, other) = (
        bucket.create(&json!(1)).await,
        bucket.create(&json!(2)).await,
    );
    let answer = service::json(send(bucket.delete(&id)).await).await;
    assert_eq!(answer, (200, json!({ "id": id, "bucket": "shop" })));
    assert_eq!(status(bucket.delete(&id)).await, 404);
    assert_eq!(status(bucket.get(&id)).await, 404);
    assert_eq!(
        status(bucket.delete(&Uuid::new_v4().to_string())).await,
        404
    );
    assert_eq!(bucket.data(&other).await, json!(2));
    let ends = (0..20).map(|_| status(bucket.delete(&other)));
    let ends = futures_util::future::join_all(ends).await;
    assert_eq!(ends.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(ends.iter().filter(|status| **status == 404).count(), 19);
}

async fn an_id_is_good_in_letters_of_any_case(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let (status, body) = service::json(send(bucket.get(&id.to_uppercase())).await).await;
    assert_eq!((status, body["id"].as_str()), (200, Some(id.as_str())));
}

async fn the_settings_are_told_to_everybody(service: Service) {
    let settings = json!({ "session_ttl": 2_592_000, "max_payload": 1_048_576 });
    let answer = service::json(send(service.get("/session/settings")).await).await;
    assert_eq!(answer, (200, settings));
}

async fn r41_a_bucket_never_sees_another_buckets_sessions(service: Service) {
    let (one, two) = (
        Bucket::new(&service, "one").await,
        Bucket::new(&service, "two").await,
    );
    let id = one.create(&json!("of one")).await;
    let record = one.record(&id);
    set_ttl(&service, &record, HOUR).await;
    assert_eq!(status(two.get(&id)).await, 404);
    assert_eq!(status(two.post(&id, &json!("of two"))).await, 404);
    assert_eq!(status(two.delete(&id)).await, 404);
    assert!(ttl(&service, &record).await <= HOUR);
    assert_eq!(one.data(&id).await, json!("of one"));
}
