//! Failures of Redis and disconnecting clients.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::buckets::bucket::Bucket;
use crate::request;
use crate::rpc::client::active;
use crate::service::Service;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually};
use crate::users::{is_valid, log_in};

/// The store's deadline is 1 s; the rest is for a busy machine.
const MAX_RESPONSE: Duration = Duration::from_secs(3);

async fn status(request: RequestBuilder) -> u16 {
    let start = Instant::now();
    let status = request::status(request).await;
    assert!(start.elapsed() < MAX_RESPONSE, "{:?}", start.elapsed());
    status
}

async fn ready(service: &Service) {
    let is_ready = async || (status(service.get("/readyz")).await == 200).then_some(());
    eventually("ready", is_ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_starts_without_redis() {
    let mut redis = RedisServer::start();
    redis.kill();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    assert_eq!(status(service.get("/readyz")).await, 503);
    assert_eq!(status(service.get("/healthz")).await, 200);
    redis.restart();
    ready(&service).await;
    Bucket::new(&service, "shop").await.create(&json!(1)).await;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    Hangs,
    /// A setting of Redis that is 1 instead of 0.
    Setting(&'static str),
}

impl Fault {
    fn set(self, redis: &mut RedisServer, is_on: bool) {
        match (self, is_on) {
            (Self::Killed, true) => redis.kill(),
            (Self::Killed, false) => redis.restart(),
            (Self::Hangs, true) => redis.pause(),
            (Self::Hangs, false) => redis.resume(),
            (Self::Setting(name), _) => {
                redis.run(&["CONFIG", "SET", name, if is_on { "1" } else { "0" }]);
            }
        }
    }
}

/// What Redis cannot do is 503 in time, never success and never "no such session".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_redis_is_503_until_it_recovers() {
    let faults = [
        (Fault::Killed, 503, 503),
        (Fault::Hangs, 503, 503),
        (Fault::Setting("maxmemory"), 200, 200),
        (Fault::Setting("min-replicas-to-write"), 200, 503),
    ];
    join_all(faults.map(|(fault, read, end)| assert_unavailable(fault, read, end))).await;
}

async fn assert_unavailable(fault: Fault, read: u16, end: u16) {
    let mut redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    fault.set(&mut redis, true);
    for (request, expected) in [
        (bucket.put(), 503),
        (bucket.post(&id, &json!(2)), 503),
        (bucket.get(&id), read),
        (bucket.delete(&id), end),
    ] {
        assert_eq!(status(request).await, expected, "{fault:?}");
    }
    fault.set(&mut redis, false);
    ready(&service).await;
    if end == 503 {
        let ended = status(bucket.delete(&id)).await;
        // An end that timed out may have taken place.
        let has_ended = ended == 404 && fault == Fault::Hangs;
        assert!(ended == 200 || has_ended, "{fault:?}");
    }
    assert_eq!(status(bucket.get(&id)).await, 404, "{fault:?}");
    assert_eq!(status(bucket.put()).await, 201, "{fault:?}");
}

/// Sends requests and disconnects from each after 0 to 50 ms, while a round trip to Redis takes
/// 6 ms. Returns when the service has finished them.
async fn disconnect(proxy: &Proxy, requests: impl Iterator<Item = RequestBuilder>) {
    proxy.delay(Duration::from_millis(3));
    join_all(requests.zip(0..).map(async |(request, millis)| {
        let _ = tokio::time::timeout(Duration::from_millis(millis), request.send()).await;
    }))
    .await;
    proxy.delay(Duration::ZERO);
    eventually("idle", || async {
        let before = alive_tasks();
        tokio::time::sleep(Duration::from_millis(30)).await;
        (alive_tasks() == before).then_some(())
    })
    .await;
    assert_eq!(proxy.accepted(), 1, "the connection to Redis survives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_disconnected_clients_are_done_completely_or_not_at_all() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let service = Service::redis_at(&proxy.url(), |_| ()).await;
    ready(&service).await;
    let owners: Vec<_> = (0..50).map(|number| format!("o{number}")).collect();

    let creates = owners.iter().map(|owner| {
        let args = json!({ "session": {}, "userId": owner });
        let body = json!({ "args": args.to_string() });
        service.post("/rpc/create").json(&body)
    });
    disconnect(&proxy, creates).await;
    let mut listed = 0;
    for owner in &owners {
        listed += active(&service, owner).await.len();
    }
    let keys = redis.run(&["KEYS", "sessiond:rpc:v1:*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("keys");
    let records = keys.iter().filter(|key| !key.contains(":owner:"));
    assert_eq!(records.count(), listed, "every session has an owner");

    let mut tokens = Vec::new();
    for owner in &owners {
        tokens.push([log_in(&service, owner).await, log_in(&service, owner).await]);
    }
    let end = |(owner, [first, _]): (&String, &[String; 2])| {
        let end = service.delete(&format!("/sessions/{owner}"));
        end.bearer_auth(first)
    };
    disconnect(&proxy, owners.iter().zip(&tokens).map(end)).await;
    for (owner, [first, second]) in owners.iter().zip(&tokens) {
        let is_left = is_valid(&service, first, owner).await;
        assert_eq!(is_valid(&service, second, owner).await, is_left);
    }
}
