//! What happens when the store fails.

use jwt_redis_session::store::StoreErrorKind;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::buckets::bucket::{Bucket, overwrite, send, status, stored};
use crate::service::{self, MASTER_KEY, Service};
use crate::support::eventually;

pub(super) async fn assert_unavailable(response: Response, what: &str) {
    assert!(response.headers().contains_key("retry-after"), "{what}");
    let answer = service::json(response).await;
    let unavailable = json!({ "error": "the session store is not available" });
    assert_eq!(answer, (503, unavailable), "{what}");
}

/// Every request of this door that needs the store.
pub(super) fn requests(bucket: &Bucket<'_>, id: &str) -> Vec<(&'static str, RequestBuilder)> {
    let key = |method| {
        let request = bucket.service.request(method, "/api-key/shop");
        request.header("x-session-key", MASTER_KEY)
    };
    vec![
        ("PUT /session", bucket.put()),
        ("GET /session", bucket.get(id)),
        ("POST /session", bucket.post(id, &json!("changed"))),
        ("DELETE /session", bucket.delete(id)),
        ("PUT /api-key", key(Method::PUT)),
        ("GET /api-key", key(Method::GET)),
        ("DELETE /api-key", key(Method::DELETE)),
    ]
}

#[tokio::test]
async fn whatever_the_store_says_is_503_and_nothing_is_lost() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    for kind in [
        StoreErrorKind::Connection,
        StoreErrorKind::Timeout,
        StoreErrorKind::ReadOnly,
        StoreErrorKind::Full,
        StoreErrorKind::Loading,
    ] {
        service.faults.fail_with(kind);
        for (what, request) in requests(&bucket, &id) {
            assert_unavailable(send(request).await, what).await;
        }
        let settings = service.get("/session/settings");
        assert_eq!(status(settings).await, 200);
        service.faults.heal();
        assert_eq!(bucket.data(&id).await, json!("kept"));
    }
}

/// A key that cannot be checked is not wrong, and lets nobody in.
#[tokio::test]
async fn a_key_that_cannot_be_checked_lets_nobody_in() {
    let service = Service::memory().await;
    let memory = service.memory.clone().expect("memory");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let wrong = Bucket::new(&service, "other").await.key;
    let path = format!("/session/shop/{id}");
    for (method, path) in [
        (Method::PUT, "/session/shop"),
        (Method::GET, &path),
        (Method::POST, &path),
        (Method::DELETE, &path),
    ] {
        for key in [&wrong, &bucket.key] {
            let count = memory.len();
            service.faults.fail_next(StoreErrorKind::Connection, 1);
            let request = service.request(method.clone(), path).body("changed");
            let response = send(request.header("x-session-key", key)).await;
            assert_unavailable(response, &format!("{method}")).await;
            assert_eq!(memory.len(), count);
        }
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
}

#[tokio::test]
async fn r38_a_key_of_another_form_is_refused_without_asking_the_store() {
    let service = Service::memory().await;
    let key = Bucket::new(&service, "shop").await.key;
    let slip = format!("{}x", &key[..key.len() - 1]);
    service.faults.fail_with(StoreErrorKind::Connection);
    let put = |key: &str| {
        let request = service.put("/session/shop");
        status(request.header("x-session-key", key))
    };
    for wrong in ["", "x", &slip, &key[1..], &format!("{key}x"), MASTER_KEY] {
        assert_eq!(put(wrong).await, 401, "{wrong}");
    }
    assert_eq!(put(&key).await, 503);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = service.request(method, "/api-key/shop");
        assert_eq!(status(request.header("x-session-key", &key)).await, 401);
    }
}

/// A request whose key has been checked, and whose body is still to come.
pub(super) async fn halfway(bucket: &Bucket<'_>, line: &str) -> TcpStream {
    let mut socket = TcpStream::connect(bucket.service.address)
        .await
        .expect("connect");
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Session-Key: {}\r\n\
         Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        bucket.key
    );
    socket.write_all(head.as_bytes()).await.expect("send");
    let mut answer = [0; 25];
    socket.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket
}

#[tokio::test]
async fn a_store_that_dies_between_the_check_and_the_write_is_503() {
    let service = Service::memory().await;
    let memory = service.memory.clone().expect("memory");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let (count, post) = (memory.len(), format!("POST /session/shop/{id}"));
    for line in ["PUT /session/shop", &post] {
        let mut socket = halfway(&bucket, line).await;
        service.faults.fail_with(StoreErrorKind::Connection);
        socket.write_all(b"data").await.expect("send");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: "), "{answer}");
        service.faults.heal();
    }
    assert_eq!(memory.len(), count);
    assert_eq!(bucket.data(&id).await, json!("kept"));
}

#[tokio::test]
async fn a_session_that_ends_between_the_check_and_the_write_is_not_revived() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let mut socket = halfway(&bucket, &format!("POST /session/shop/{id}")).await;
    assert_eq!(status(bucket.delete(&id)).await, 200);
    socket.write_all(b"data").await.expect("send");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(!service.keys().contains(&bucket.record(&id)));
}

/// A client that leaves after its whole request may or may not have been heard; a later request
/// finds one of the two, and never half of it.
#[tokio::test]
async fn a_client_that_leaves_breaks_nothing() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("before")).await;
    for round in 0..50 {
        let mut socket = halfway(&bucket, &format!("POST /session/shop/{id}")).await;
        socket.write_all(&b"data"[..round % 5]).await.expect("send");
        drop(socket);
        let data = bucket.data(&id).await;
        assert!([json!("before"), json!("data")].contains(&data), "{data}");
    }
    assert_eq!(status(bucket.post(&id, &json!("after"))).await, 200);
    assert_eq!(status(bucket.delete(&id)).await, 200);
}

/// The write took place, its answer is lost: the client is told that it is not known.
#[tokio::test]
async fn a_lost_reply_is_never_a_success() {
    let service = Service::memory().await;
    let memory = service.memory.clone().expect("memory");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    service.faults.lose_replies(1);
    assert_unavailable(send(bucket.post(&id, &json!(2))).await, "POST").await;
    assert!([json!(1), json!(2)].contains(&bucket.data(&id).await));
    assert_eq!(status(bucket.post(&id, &json!(3))).await, 200);

    let before = memory.len();
    service.faults.lose_replies(1);
    assert_unavailable(send(bucket.put()).await, "PUT").await;
    eventually("the session that nobody knows is taken back", || async {
        (memory.len() == before).then_some(())
    })
    .await;

    service.faults.lose_replies(1);
    assert_unavailable(send(bucket.delete(&id)).await, "DELETE").await;
    let again = status(bucket.delete(&id)).await;
    assert!([200, 404].contains(&again), "{again}");
    assert_eq!(status(bucket.get(&id)).await, 404);
}

/// A creation whose answer was lost blocks no bucket: the key can be told, or made anew.
#[tokio::test]
async fn a_lost_reply_leaves_no_key_that_cannot_be_known() {
    let service = Service::memory().await;
    let master = |method| {
        let request = service.request(method, "/api-key/shop");
        request.header("x-session-key", MASTER_KEY)
    };
    for lost in 1..4 {
        service.faults.lose_replies(lost);
        let first = status(master(Method::PUT)).await;
        service.faults.heal();
        assert!([201, 503].contains(&first), "{first}");
        let put = status(master(Method::PUT)).await;
        assert!([201, 409].contains(&put), "{put}");
        // What could not be acknowledged may still be about to be taken back.
        let told = eventually("a key", || async {
            let (status, body) = service::json(send(master(Method::GET)).await).await;
            let key = body["api_key"].as_str().map(str::to_owned);
            if status == 404 {
                send(master(Method::PUT)).await;
            }
            key
        })
        .await;
        let put = service.put("/session/shop").header("x-session-key", told);
        assert_eq!(status(put).await, 201);
        assert_eq!(status(master(Method::DELETE)).await, 200);
        assert_eq!(status(master(Method::GET)).await, 404);
    }
}

/// The record of a key or of a session is not ours: an error inside, and it is left alone.
async fn a_record_that_is_not_ours_is_an_error_inside(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let record = bucket.record(&id);
    for value in [&b"[]"[..], b"{", b"{\"other\":1}"] {
        overwrite(&service, &record, value).await;
        let (status, body) = service::json(send(bucket.get(&id)).await).await;
        assert_eq!((status, body), (500, json!({ "error": "internal error" })));
        let now = stored(&service, &record).await.expect("a record").value;
        assert_eq!(&now[..], value);
    }
}

on_every_store!(a_record_that_is_not_ours_is_an_error_inside);
