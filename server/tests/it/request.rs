//! Sends requests to the service under test, and accesses its store.
#![allow(unreachable_pub)]

use std::time::Duration;

use jwt_redis_session::store::SharedStore;
use jwt_redis_session::token::TokenFormat;
use jwt_redis_session::{RedisConfig, Sessions};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::service::{Service, json};

pub async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("a response")
}

pub async fn status(request: RequestBuilder) -> u16 {
    send(request).await.status().as_u16()
}

/// Sends a request and returns the status and the JSON body of the response.
pub async fn fetch(request: RequestBuilder) -> (u16, Value) {
    json(send(request).await).await
}

/// Returns the store of the service, to access it directly.
pub fn store(service: &Service) -> SharedStore {
    if let Some(memory) = &service.memory {
        return memory.clone().into();
    }
    let config = RedisConfig::new(service.server().url());
    config.lazy().expect("a store").into()
}

/// Returns sessions of the library on the store of the service.
pub fn library(service: &Service, keyspace: &str, tokens: impl Into<TokenFormat>) -> Sessions {
    Sessions::builder(store(service), tokens)
        .keyspace(keyspace)
        .max_age(Duration::from_secs(7 * 86_400))
        .build()
        .expect("sessions")
}
