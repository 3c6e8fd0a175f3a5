//! What happens when Redis dies, hangs, is full, refuses or loses its answers.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::buckets::bucket::{Bucket, send, status};
use crate::buckets::faults::{assert_unavailable, halfway, requests};
use crate::service::{self, MASTER_KEY, Service};
use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

/// F1 and F2: Redis is killed, hangs, comes back.
#[tokio::test]
async fn f1_a_redis_that_dies_is_503_and_serves_again_when_it_is_back() {
    let mut service = Service::redis().await;
    let mut redis = service.redis.take().expect("Redis");
    service.redis = None;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    redis.run(&["SAVE"]);
    redis.pause();
    for (what, request) in requests(&bucket, &id) {
        let start = std::time::Instant::now();
        assert_unavailable(send(request).await, what).await;
        assert!(start.elapsed() < Duration::from_secs(3), "{what}");
    }
    redis.resume();
    redis.kill();
    for (what, request) in requests(&bucket, &id) {
        let start = std::time::Instant::now();
        assert_unavailable(send(request).await, what).await;
        assert!(start.elapsed() < Duration::from_secs(3), "{what}");
    }
    redis.restart();
    eventually("it serves again", || async {
        (status(bucket.put()).await == 201).then_some(())
    })
    .await;
}

/// Who reads does not notice, and who ends a session makes room.
#[tokio::test]
async fn f11_a_full_redis_is_503_for_writers() {
    let service = Service::redis().await;
    let redis = service.redis.as_ref().expect("Redis");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let keys = service.keys();
    redis.run(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let new_key = service
        .put("/api-key/other")
        .header("x-session-key", MASTER_KEY);
    assert_unavailable(send(new_key).await, "PUT /api-key").await;
    assert_unavailable(send(bucket.put()).await, "PUT").await;
    assert_unavailable(send(bucket.post(&id, &json!(2))).await, "POST").await;
    assert_eq!(bucket.data(&id).await, json!("kept"));
    assert_eq!(service.keys(), keys);
    assert_eq!(status(bucket.delete(&id)).await, 200);
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(status(bucket.put()).await, 201);
}

/// R29: what could not be taken away is not said to be.
#[tokio::test]
async fn f15_an_end_that_redis_refuses_is_503_and_the_session_and_the_key_live() {
    let service = Service::redis().await;
    let redis = service.redis.as_ref().expect("Redis");
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let revoke = || {
        let revoke = service.delete("/api-key/shop");
        revoke.header("x-session-key", MASTER_KEY)
    };
    assert_unavailable(send(bucket.delete(&id)).await, "DELETE /session").await;
    assert_unavailable(send(revoke()).await, "DELETE /api-key").await;
    assert_eq!(bucket.data(&id).await, json!("kept"));
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(status(bucket.delete(&id)).await, 200);
    assert_eq!(status(revoke()).await, 200);
    assert_eq!(status(bucket.put()).await, 401);
}

/// R25: a session is announced only when the store has said that it is there.
#[tokio::test]
async fn r25_a_write_without_an_acknowledgement_is_never_a_success() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let service = Service::redis_at(&proxy.url(), |_| ()).await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    for _ in 0..3 {
        proxy.cut_replies_after(Some(0));
        for (what, request) in requests(&bucket, &id) {
            assert_unavailable(send(request).await, what).await;
        }
        proxy.cut_replies_after(None);
        eventually("it serves again", || async {
            (status(bucket.put()).await == 201).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn f27_a_graceful_shutdown_loses_no_acknowledged_write() {
    let redis = RedisServer::start();
    let mut service = Service::redis_at(&redis.url(), |_| ()).await;
    let address = service.address;
    let bucket = Bucket::new(&service, "shop").await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(halfway(&bucket, "PUT /session/shop").await);
    }
    let key = bucket.key;
    let stopping = tokio::spawn(async move { service.stop().await });
    eventually("nobody is let in any more", || async {
        TcpStream::connect(address).await.err()
    })
    .await;
    let after = Service::redis_at(&redis.url(), |_| ()).await;
    for mut socket in sockets {
        socket.write_all(b"data").await.expect("send");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let path = format!("/session/shop/{}", body["id"].as_str().expect("an id"));
        let get = after.get(&path).header("x-session-key", &key);
        assert_eq!(service::json(send(get).await).await.1["data"], "data");
    }
    stopping.await.expect("it stops");
}
