//! What a Redis in trouble, and a client that breaks off, leave behind.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::caller::{active, call, create, destroy, get_all, ok, update};
use crate::service::Service;
use crate::support::redis_server::RedisServer;

fn down() -> (u16, Value) {
    let text = "the session store is not available";
    (
        503,
        json!({ "error": text, "code": 5000, "handled": false }),
    )
}

#[tokio::test]
async fn f1_the_service_starts_without_redis_and_works_once_it_is_there() {
    let mut redis = RedisServer::start();
    redis.kill();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let argument = json!({ "session": {}, "userId": "jo" });
    assert_eq!(call(&service, "create", argument.clone()).await, down());
    redis.restart();
    for _ in 0..100 {
        if call(&service, "create", argument.clone()).await.0 == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service does not find its Redis");
}

#[tokio::test]
async fn f3_a_redis_that_hangs_is_503_within_the_deadline_and_works_again() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let redis = service.redis.as_ref().expect("a Redis");
    redis.pause();
    let argument = json!({ "token": token, "sessionVersion": "v1", "userId": "jo", "session": {} });
    for method in ["create", "get", "update", "destroyAll"] {
        let start = Instant::now();
        assert_eq!(
            call(&service, method, argument.clone()).await,
            down(),
            "{method}"
        );
        assert!(start.elapsed() < Duration::from_secs(4), "{method}");
    }
    redis.resume();
    for _ in 0..100 {
        if create_once(&service).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service does not go on");
}

async fn create_once(service: &Service) -> bool {
    let argument = json!({ "session": {}, "userId": "al" });
    call(service, "create", argument).await.0 == 200
}

#[tokio::test]
async fn f11_a_full_redis_refuses_what_grows_and_half_writes_nothing() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let other = create(&service, "jo", json!({ "b": 1 })).await;
    let redis = service.redis.as_ref().expect("a Redis");
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let argument = json!({ "session": {}, "userId": "al" });
    assert_eq!(call(&service, "create", argument).await, down());
    assert_eq!(update(&service, &token, json!({ "a": 2 })).await, down());
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(destroy(&service, &other).await, ok(json!("OK")));
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(active(&service, "al").await.is_empty());
    assert_eq!(active(&service, "jo").await.len(), 1);
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn f15_a_redis_that_refuses_to_write_has_destroyed_nothing_and_says_so() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let redis = service.redis.as_ref().expect("a Redis");
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_eq!(destroy(&service, &token).await, down());
    let argument = json!({ "userId": "jo", "sessionVersion": "v1" });
    assert_eq!(call(&service, "destroyAll", argument).await, down());
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(destroy(&service, &token).await, ok(json!("OK")));
    assert_eq!(get_all(&service, &token).await, Value::Null);
}

#[tokio::test]
async fn f25_a_client_that_breaks_off_leaves_sessions_that_are_whole() {
    let service = Service::redis().await;
    let token = create(&service, "jo", json!({ "n": 0 })).await;
    for step in 0..60_u64 {
        let new = json!({ "session": { "n": step }, "userId": "jo" });
        let change = json!({
            "token": token, "sessionVersion": "v1", "session": { format!("k{step}"): step } });
        for (method, argument) in [("create", new), ("update", change)] {
            break_off(&service, method, argument, Duration::from_micros(step * 50)).await;
        }
        if step % 20 == 19 {
            let all = json!({ "userId": "al", "sessionVersion": "v1" });
            break_off(
                &service,
                "destroyAll",
                all,
                Duration::from_micros(step * 20),
            )
            .await;
        }
    }
    // What was under way comes to its end.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listed = active(&service, "jo").await;
    let records = service.keys().len() - 1;
    assert_eq!(
        listed.len(),
        records,
        "every record is listed, and the other way round"
    );
    let session = get_all(&service, &token).await;
    for (name, value) in session.as_object().expect("an object") {
        assert!(name == "n" || *name == format!("k{value}"), "{session}");
    }
    let argument = json!({ "userId": "jo", "sessionVersion": "v1" });
    assert_eq!(
        call(&service, "destroyAll", argument).await,
        ok(json!(records))
    );
    assert_eq!(service.keys(), [""; 0]);
}

/// Sends a call and closes the connection after a while, without waiting for the answer.
async fn break_off(service: &Service, method: &str, argument: Value, after: Duration) {
    let body = json!({ "args": argument.to_string() }).to_string();
    let (host, length) = (service.address, body.len());
    let head = format!("POST /rpc/{method} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}");
    let mut socket = TcpStream::connect(host).await.expect("connect");
    let request = format!("{head}\r\n\r\n{body}");
    socket.write_all(request.as_bytes()).await.expect("send");
    tokio::time::sleep(after).await;
}
