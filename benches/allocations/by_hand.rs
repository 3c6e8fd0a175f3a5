//! The routes as a handler without a session library has them: verify, `GET`, parse, `SET`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
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
        key: DecodingKey::from_secret(SECRET).unwrap(),
        validation,
    };
    Router::new()
        .route("/read", get(read))
        .route("/update", get(update))
        .with_state(Arc::new(state))
}

async fn read(state: State<Arc<ByHand>>, headers: HeaderMap) -> String {
    let (_, fields) = state.load(&headers).await;
    fields["theme"].as_str().unwrap().to_owned()
}

async fn update(state: State<Arc<ByHand>>, headers: HeaderMap) -> String {
    let (key, mut fields) = state.load(&headers).await;
    let visits = fields["visits"].as_u64().unwrap() + 1;
    fields.insert("visits".to_owned(), visits.into());
    let value = serde_json::to_vec(&fields).unwrap();
    let mut connection = state.connection.clone();
    let stored = connection.set_ex(key, value, MAX_AGE.as_secs()).await;
    let () = stored.unwrap();
    visits.to_string()
}

impl ByHand {
    /// Returns the key of the session and its fields.
    async fn load(&self, headers: &HeaderMap) -> (String, Map<String, Value>) {
        let token = headers["x-access-token"].to_str().unwrap();
        let token = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let key = format!("sess:{}", token.unwrap().claims.jti);
        let stored: Vec<u8> = self.connection.clone().get(&key).await.unwrap();
        (key, serde_json::from_slice(&stored).unwrap())
    }
}
