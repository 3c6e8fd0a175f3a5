//! The routes as a handler without a session library has them: verify, `GET`, parse, `SET`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::{MAX_AGE, SECRET};

struct ByHand {
    connection: MultiplexedConnection,
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
}

pub(crate) async fn router(url: &str) -> Router {
    let client = redis::Client::open(url).unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    let state = ByHand {
        connection: client.get_multiplexed_async_connection().await.unwrap(),
        key: DecodingKey::from_secret(SECRET),
        validation,
    };
    Router::new()
        .route("/read", get(read))
        .route("/update", get(update))
        .with_state(Arc::new(state))
}

async fn read(state: State<Arc<ByHand>>, request: Request) -> Result<String, StatusCode> {
    let (_, fields) = state.load(request.headers()).await?;
    let theme = fields.get("theme").and_then(Value::as_str);
    Ok(theme.unwrap_or_default().to_owned())
}

async fn update(state: State<Arc<ByHand>>, request: Request) -> Result<String, StatusCode> {
    let (key, mut fields) = state.load(request.headers()).await?;
    let visits = fields.get("visits").and_then(Value::as_u64).unwrap_or(0) + 1;
    fields.insert("visits".to_owned(), visits.into());
    let value = serde_json::to_vec(&fields).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut connection = state.connection.clone();
    let stored = connection.set_ex(key, value, MAX_AGE.as_secs()).await;
    let () = stored.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(visits.to_string())
}

impl ByHand {
    /// Returns the key of the session and its fields.
    async fn load(&self, headers: &HeaderMap) -> Result<(String, Map<String, Value>), StatusCode> {
        let token = headers.get("x-access-token");
        let token = token.and_then(|value| value.to_str().ok());
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        let token = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let claims = token.map_err(|_| StatusCode::UNAUTHORIZED)?.claims;
        let key = format!("sess:{}", claims.jti);
        let stored = self.connection.clone().get(&key).await;
        let stored: Option<Vec<u8>> = stored.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        let stored = stored.ok_or(StatusCode::UNAUTHORIZED)?;
        let fields = serde_json::from_slice(&stored);
        Ok((key, fields.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?))
    }
}
