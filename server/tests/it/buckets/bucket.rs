//! A bucket of the service under test.

use std::time::Duration;

use jwt_redis_session::store::{CompareOutcome, NewRecord, StoredRecord};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::request::{fetch, store};
use crate::service::{MASTER_KEY, Service};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// A bucket of the service under test, and its API key.
pub(crate) struct Bucket<'a> {
    pub(crate) service: &'a Service,
    pub(crate) name: &'static str,
    pub(crate) key: String,
}

impl<'a> Bucket<'a> {
    /// Creates an API key for the bucket `name`.
    pub(crate) async fn new(service: &'a Service, name: &'static str) -> Self {
        let (status, body) = fetch(api_key(service, Method::PUT, name)).await;
        assert_eq!(status, 201, "{body}");
        let key = body["api_key"].as_str().expect("a key").to_owned();
        Self { service, name, key }
    }

    /// Builds a request with the API key to `/session/{bucket}` and `rest`.
    pub(crate) fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        let path = format!("/session/{}{rest}", self.name);
        let request = self.service.request(method, &path);
        request.header("x-session-key", &self.key)
    }

    pub(crate) fn get(&self, id: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("/{id}"))
    }

    pub(crate) fn post(&self, id: &str, data: &Value) -> RequestBuilder {
        self.request(Method::POST, &format!("/{id}")).json(data)
    }

    pub(crate) fn delete(&self, id: &str) -> RequestBuilder {
        self.request(Method::DELETE, &format!("/{id}"))
    }

    pub(crate) fn put(&self) -> RequestBuilder {
        self.request(Method::PUT, "")
    }

    /// Creates a session and returns its id.
    pub(crate) async fn create(&self, data: &Value) -> String {
        let (status, body) = fetch(self.put().json(data)).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// Reads the data of an existing session.
    pub(crate) async fn data(&self, id: &str) -> Value {
        let (status, mut body) = fetch(self.get(id)).await;
        assert_eq!(status, 200, "{body}");
        body["data"].take()
    }

    /// Returns the key of a session's record in the store.
    pub(crate) fn record(&self, id: &str) -> String {
        format!("sessiond:bucket:{}-{id}", self.name)
    }
}

/// Builds a request with the master key to `/api-key/{bucket}`.
pub(crate) fn api_key(service: &Service, method: Method, bucket: &str) -> RequestBuilder {
    let request = service.request(method, &format!("/api-key/{bucket}"));
    request.header("x-session-key", MASTER_KEY)
}

pub(crate) async fn stored(service: &Service, key: &str) -> Option<StoredRecord> {
    store(service).load(key).await.expect("a response")
}

/// Overwrites the record `key` with `value`.
pub(crate) async fn overwrite(service: &Service, key: &str, value: &[u8]) {
    let before = stored(service, key).await.expect("a record");
    let record = NewRecord::new(key, value, HOUR);
    let written = store(service).compare_and_set(&before.value, record).await;
    assert_eq!(written, Ok(CompareOutcome::Applied));
}

pub(crate) async fn ttl(service: &Service, key: &str) -> Duration {
    let stored = stored(service, key).await.expect("a record");
    stored.ttl.expect("a TTL")
}

pub(crate) async fn set_ttl(service: &Service, key: &str, ttl: Duration) {
    assert_eq!(store(service).set_ttl(key, ttl).await, Ok(true));
}
