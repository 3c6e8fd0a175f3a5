//! A bucket of a service under test, with its key.

use std::time::Duration;

use jwt_redis_session::RedisConfig;
use jwt_redis_session::store::{CompareOutcome, NewRecord, SharedStore, StoredRecord};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::service::{MASTER_KEY, Service, json};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// A bucket of a service under test, with its key.
pub(super) struct Bucket<'a> {
    pub(super) service: &'a Service,
    pub(super) name: String,
    pub(super) key: String,
}

impl<'a> Bucket<'a> {
    /// Gives the bucket `name` a key.
    pub(super) async fn new(service: &'a Service, name: &str) -> Self {
        let request = service.put(&format!("/api-key/{name}"));
        let (status, body) = json(send(request.header("x-session-key", MASTER_KEY)).await).await;
        assert_eq!(status, 201, "{body}");
        let key = body["api_key"].as_str().expect("a key").to_owned();
        let name = name.to_owned();
        Self { service, name, key }
    }

    /// A request with the key of the bucket, to `/session/{bucket}` and what follows.
    pub(super) fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        let path = format!("/session/{}{rest}", self.name);
        let request = self.service.request(method, &path);
        request.header("x-session-key", &self.key)
    }

    pub(super) fn get(&self, id: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("/{id}"))
    }

    pub(super) fn post(&self, id: &str, data: &Value) -> RequestBuilder {
        self.request(Method::POST, &format!("/{id}")).json(data)
    }

    pub(super) fn delete(&self, id: &str) -> RequestBuilder {
        self.request(Method::DELETE, &format!("/{id}"))
    }

    pub(super) fn put(&self) -> RequestBuilder {
        self.request(Method::PUT, "")
    }

    /// Creates a session and returns its id.
    pub(super) async fn create(&self, data: &Value) -> String {
        let (status, body) = json(send(self.put().json(data)).await).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// The data of a session that is there.
    pub(super) async fn data(&self, id: &str) -> Value {
        let (status, mut body) = json(send(self.get(id)).await).await;
        assert_eq!(status, 200, "{body}");
        body["data"].take()
    }

    /// The name of a session's record in the store.
    pub(super) fn record(&self, id: &str) -> String {
        format!("sessiond:bucket:{}-{id}", self.name)
    }
}

pub(super) async fn send(request: RequestBuilder) -> reqwest::Response {
    request.send().await.expect("an answer")
}

pub(super) async fn status(request: RequestBuilder) -> u16 {
    send(request).await.status().as_u16()
}

/// The store of a service under test, to look behind its back.
pub(super) fn store(service: &Service) -> SharedStore {
    if let Some(memory) = &service.memory {
        return memory.clone().into();
    }
    let redis = service.redis.as_ref().expect("memory or Redis");
    RedisConfig::new(redis.url())
        .lazy()
        .expect("a store")
        .into()
}

/// What the store holds under `key`.
pub(super) async fn stored(service: &Service, key: &str) -> Option<StoredRecord> {
    store(service).load(key).await.expect("an answer")
}

/// Writes `value` over the record `key`, whatever it holds.
pub(super) async fn overwrite(service: &Service, key: &str, value: &[u8]) {
    let before = stored(service, key).await.expect("a record");
    let record = NewRecord::new(key, value, Duration::from_secs(60));
    let written = store(service).compare_and_set(&before.value, record).await;
    assert_eq!(written, Ok(CompareOutcome::Applied));
}

/// How long the record `key` has to live.
pub(super) async fn ttl(service: &Service, key: &str) -> Duration {
    let stored = stored(service, key).await.expect("a record");
    stored.ttl.expect("an end")
}

/// Lets the record `key` live for `ttl`.
pub(super) async fn set_ttl(service: &Service, key: &str, ttl: Duration) {
    assert_eq!(store(service).set_ttl(key, ttl).await, Ok(true));
}

/// The end of a whole life from now, in Unix seconds, as far as one can tell.
pub(super) fn is_month_from_now(expires: &Value) -> bool {
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    let expires = expires.as_u64().expect("seconds");
    expires.abs_diff((now + MONTH).as_secs()) <= 2
}
