//! Creating, reading, replacing and ending sessions of a bucket.

use futures_util::future::join_all;
use jwt_redis_session::{Keyring, SessionId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::buckets::bucket::{Bucket, HOUR, MONTH, set_ttl, stored, ttl};
use crate::request::{fetch, library, send, status};
use crate::service::{self, SECRET, Service};

on_every_store!(
    put_creates_a_session,
    use_resets_the_ttl,
    post_never_creates_a_session,
    delete_ends_a_session_once,
    buckets_are_isolated,
    library_shares_the_sessions,
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

async fn post_never_creates_a_session(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let ended = bucket.create(&json!(1)).await;
    assert_eq!(status(bucket.delete(&ended)).await, 200);
    for id in [ended, Uuid::new_v4().to_string()] {
        for request in [bucket.post(&id, &json!(2)), bucket.get(&id)] {
            let missing = (404, json!({ "error": "there is no such session" }));
            assert_eq!(fetch(request).await, missing);
        }
    }
}

async fn delete_ends_a_session_once(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let other = bucket.create(&json!(2)).await;
    let ended = (200, json!({ "id": id, "bucket": "shop" }));
    assert_eq!(fetch(bucket.delete(&id)).await, ended);
    assert_eq!(status(bucket.delete(&id)).await, 404);
    assert_eq!(status(bucket.get(&id)).await, 404);
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

async fn library_shares_the_sessions(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let keyring = Keyring::hs256(SECRET).expect("a keyring");
    let library = library(&service, "sessiond:bucket:", keyring);
    let by_library = Uuid::new_v4().to_string();
    let id = SessionId::parse(format!("shop-{by_library}")).expect("an id");
    let session = library.new_session();
    session.insert("data", "old").expect("data");
    session.create().id(id.clone()).await.expect("create");
    assert_eq!(bucket.data(&by_library).await, "old");
    assert_eq!(status(bucket.post(&by_library, &json!("new"))).await, 200);
    let session = library.get_without_touch(&id).await.expect("a session");
    assert_eq!(session.to_json(), json!({ "data": "new" }));
    assert_eq!(session.owner(), None);
    assert_eq!(status(bucket.delete(&by_library)).await, 200);
    let left = stored(&service, &bucket.record(&by_library)).await;
    assert!(left.is_none());
}
