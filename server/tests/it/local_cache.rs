//! `store.cache_max_staleness`: what is served from memory, and for how long.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::buckets::bucket::{Bucket, api_key};
use crate::request::status;
use crate::service::Service;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

async fn start(redis: &RedisServer, max_staleness: Duration) -> Service {
    Service::redis_at(&redis.url(), |settings| {
        settings.store.cache_max_staleness = Some(max_staleness);
    })
    .await
}

#[tokio::test]
async fn a_hot_session_is_read_without_redis() {
    let redis = RedisServer::start();
    let service = start(&redis, Duration::from_secs(20)).await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!([17])).await;
    // A read may extend the session, which needs Redis, once a second.
    eventually("a read from memory", async || {
        for _ in 0..2 {
            assert_eq!(status(bucket.get(&id)).await, 200);
        }
        redis.pause();
        let read = status(bucket.get(&id)).await;
        redis.resume();
        (read == 200).then_some(())
    })
    .await;
}

/// Repeats `read` until it has another status than 200, which it returns with the time of the
/// last request before.
async fn until_rejected(read: impl Fn() -> RequestBuilder) -> (u16, Instant) {
    let mut last = Instant::now();
    loop {
        let sent = Instant::now();
        match status(read()).await {
            200 => last = sent,
            rejected => return (rejected, last),
        }
    }
}

#[tokio::test]
async fn other_instances_stop_within_the_bound() {
    const BOUND: Duration = Duration::from_millis(250);
    let redis = RedisServer::start();
    let (service, other) = (start(&redis, BOUND).await, start(&redis, BOUND).await);
    let bucket = Bucket::new(&service, "shop").await;
    let [id, kept] = [
        bucket.create(&json!(1)).await,
        bucket.create(&json!(2)).await,
    ];
    let there = Bucket {
        service: &other,
        name: bucket.name,
        key: bucket.key.clone(),
    };
    let revoke = || api_key(&other, Method::DELETE, "shop");
    for (id, end, expected) in [(&id, there.delete(&id), 404), (&kept, revoke(), 401)] {
        for _ in 0..3 {
            assert_eq!(status(bucket.get(id)).await, 200);
        }
        assert_eq!(status(end).await, 200);
        let acknowledged = Instant::now();
        let (found, last) = until_rejected(|| bucket.get(id)).await;
        assert_eq!(found, expected);
        assert!(last.saturating_duration_since(acknowledged) < BOUND);
    }
}
