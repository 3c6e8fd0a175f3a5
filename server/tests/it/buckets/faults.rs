//! Failures of the store.

use jwt_redis_session::store::StoreErrorKind;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::buckets::bucket::{Bucket, overwrite, stored};
use crate::request::{fetch, status};
use crate::service::{MASTER_KEY, Service};

on_every_store!(foreign_record_is_500_and_kept);

#[tokio::test]
async fn key_that_cannot_be_checked_grants_nothing() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let records = service.records();
    for request in [
        bucket.put(),
        bucket.get(&id),
        bucket.post(&id, &json!("changed")),
        bucket.delete(&id),
    ] {
        // Only the first operation fails: loading the key.
        service.faults.fail_next(StoreErrorKind::Connection, 1);
        assert_eq!(status(request).await, 503);
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
    assert_eq!(service.records(), records);
}

#[tokio::test]
async fn malformed_key_is_rejected_without_the_store() {
    let service = Service::memory().await;
    let key = &Bucket::new(&service, "shop").await.key;
    let mistyped = format!("{}x", &key[..key.len() - 1]);
    let longer = format!("{key}x");
    service.faults.fail_with(StoreErrorKind::Connection);
    for (path, key, expected) in [
        ("/session/shop", "", 401),
        ("/session/shop", &*mistyped, 401),
        ("/session/shop", &key[1..], 401),
        ("/session/shop", &longer, 401),
        ("/session/shop", MASTER_KEY, 401),
        ("/session/shop", key, 503),
        ("/api-key/shop", key, 401),
        ("/api-key/shop", MASTER_KEY, 503),
    ] {
        let request = service.put(path).header("x-session-key", key);
        assert_eq!(status(request).await, expected, "{path} {key}");
    }
}

#[tokio::test]
async fn session_that_ends_during_an_upload_is_not_recreated() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let mut socket = TcpStream::connect(service.address).await.expect("connect");
    let head = format!(
        "POST /session/shop/{id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         X-Session-Key: {}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        bucket.key
    );
    socket.write_all(head.as_bytes()).await.expect("send");
    // The service requests the body after it has loaded the session.
    let mut interim = [0; 25];
    socket.read_exact(&mut interim).await.expect("a response");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(status(bucket.delete(&id)).await, 200);
    socket.write_all(b"data").await.expect("send");
    let mut answer = String::new();
    socket
        .read_to_string(&mut answer)
        .await
        .expect("a response");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(!service.keys().contains(&bucket.record(&id)));
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
