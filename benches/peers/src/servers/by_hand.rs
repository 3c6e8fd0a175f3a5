//! Sessions written by hand for one application: jsonwebtoken, and one shared connection to Redis.
//! Variants: `redis`, one `GET` for each request; `map`, which keeps sessions in the process, so
//! other processes can neither change nor end them. Neither prevents lost updates.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisError};
use serde::{Deserialize, Serialize};

use super::contract::{Args, SECRET, Settings};

type Answer<T> = Result<T, StatusCode>;

struct ByHand {
    redis: MultiplexedConnection,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    max_age: u64,
    map: Option<RwLock<HashMap<String, Fields>>>,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    jti: String,
    iat: u64,
}

/// The key of the request's session in Redis. An extractor, because that of `HeaderMap` would copy
/// all headers.
struct Key(String);

/// The session of this application.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Fields {
    user: String,
    a: String,
    b: String,
    count: u64,
}

pub(super) async fn router(settings: &Settings) -> Router {
    let client = redis::Client::open(settings.redis_url.as_str()).expect("a URL");
    let redis = client.get_multiplexed_async_connection().await;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    let state = ByHand {
        redis: redis.expect("connect to Redis"),
        encoding: EncodingKey::from_secret(SECRET).expect("a key"),
        decoding: DecodingKey::from_secret(SECRET).expect("a key"),
        validation,
        max_age: settings.max_age.into(),
        map: settings.is("map").then(RwLock::default),
    };
    Router::new()
        .route("/login", post(login))
        .route("/field", get(field))
        .route("/set", post(set))
        .route("/update", post(update))
        .route("/none", get(async || "none"))
        .with_state(Arc::new(state))
}

async fn login(state: State<Arc<ByHand>>, Query(args): Query<Args>) -> Answer<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let claims = Claims {
        jti: rand::random::<u128>().to_string(),
        iat: now.expect("after 1970").as_secs(),
    };
    let token = jsonwebtoken::encode(&Header::default(), &claims, &state.encoding);
    let fields = Fields {
        user: args.user,
        ..Fields::default()
    };
    state.save(key(&claims), fields).await?;
    token.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn field(state: State<Arc<ByHand>>, Key(key): Key) -> Answer<String> {
    Ok(state.load(&key).await?.a)
}

async fn set(state: State<Arc<ByHand>>, Key(key): Key, Query(args): Query<Args>) -> Answer<()> {
    let mut fields = state.load(&key).await?;
    match args.k.as_str() {
        "a" => fields.a = args.v,
        _ => fields.b = args.v,
    }
    state.save(key, fields).await
}

async fn update(state: State<Arc<ByHand>>, Key(key): Key) -> Answer<()> {
    let mut fields = state.load(&key).await?;
    fields.count += 1;
    state.save(key, fields).await
}

fn key(claims: &Claims) -> String {
    format!("sess:{}", claims.jti)
}

fn unavailable(_: RedisError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

impl FromRequestParts<Arc<ByHand>> for Key {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<ByHand>) -> Answer<Self> {
        let key = state.verify(&parts.headers);
        key.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl ByHand {
    async fn load(&self, key: &str) -> Answer<Fields> {
        if let Some(fields) = self.remembered(key) {
            return Ok(fields);
        }
        let stored: Option<Vec<u8>> = self.redis.clone().get(key).await.map_err(unavailable)?;
        let fields = stored.and_then(|stored| serde_json::from_slice(&stored).ok());
        fields.ok_or(StatusCode::UNAUTHORIZED)
    }

    fn verify(&self, headers: &HeaderMap) -> Option<String> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let token = header.strip_prefix("Bearer ")?;
        let token = jsonwebtoken::decode(token, &self.decoding, &self.validation).ok()?;
        Some(key(&token.claims))
    }

    fn remembered(&self, key: &str) -> Option<Fields> {
        let map = self.map.as_ref()?.read().expect("no panic");
        map.get(key).cloned()
    }

    async fn save(&self, key: String, fields: Fields) -> Answer<()> {
        let value = serde_json::to_vec(&fields).expect("JSON");
        let saved = self.redis.clone().set_ex(&key, value, self.max_age).await;
        let () = saved.map_err(unavailable)?;
        if let Some(map) = &self.map {
            map.write().expect("no panic").insert(key, fields);
        }
        Ok(())
    }
}
