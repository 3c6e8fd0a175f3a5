//! jwt-redis-session on axum, as in its README. Variants: `eager`, the default; `lazy`; `cached`.

use std::time::Duration;

use axum::extract::Query;
use axum::routing::{get, post};
use axum::{Json, Router};
use jwt_redis_session::store::Cache;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, RedisConfig, RedisStore, Session, SessionData,
    SessionError, Sessions,
};
use serde_json::{Value, json};

use super::contract::{Args, SECRET, Settings};

type Result<T> = std::result::Result<T, SessionError>;

pub(super) async fn router(settings: &Settings) -> Router {
    let store = match settings.variant.as_str() {
        "cached" => {
            RedisConfig::new(&settings.redis_url)
                .cache(Cache::default())
                .connect()
                .await
        }
        _ => RedisStore::connect(&settings.redis_url).await,
    };
    let keyring = Keyring::hs256(SECRET).expect("a keyring");
    let sessions = Sessions::builder(store.expect("connect to Redis"), keyring)
        .max_age(Duration::from_secs(settings.max_age.into()))
        .build();
    let layer = JwtRedisSession::new(sessions.expect("sessions"));
    let app = Router::new()
        .route("/login", post(login))
        .route("/read", get(read))
        .route("/field", get(field))
        .route("/set", post(set))
        .route("/update", post(update))
        .route("/add", post(add))
        .route("/add-atomically", post(add_atomically))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/logout-all", post(logout_all))
        .route("/list", get(list))
        .route("/none", get(async || "none"));
    match settings.variant.as_str() {
        "lazy" => app.layer(layer.lazy()),
        _ => app.layer(layer),
    }
}

async fn login(session: Session, Query(args): Query<Args>) -> Result<String> {
    Ok(session.login(args.user).await?.into_string())
}

async fn read(session: ActiveSession) -> Json<Value> {
    let mut fields = session.to_json();
    fields["user"] = json!(session.owner());
    Json(fields)
}

async fn field(session: ActiveSession) -> Result<String> {
    Ok(session.get("a")?.unwrap_or_default())
}

async fn set(session: ActiveSession, Query(args): Query<Args>) -> Result<()> {
    args.sleep().await;
    session.insert(args.k, args.v)?;
    session.update().await
}

async fn update(session: ActiveSession) -> Result<()> {
    let count: u64 = session.get("count")?.unwrap_or(0);
    session.insert("count", count + 1)?;
    session.update().await
}

async fn add(session: ActiveSession, Query(args): Query<Args>) -> Result<()> {
    let count: u64 = session.get("count")?.unwrap_or(0);
    args.sleep().await;
    session.insert("count", count + 1)?;
    session.update().await
}

async fn add_atomically(session: ActiveSession, Query(args): Query<Args>) -> Result<()> {
    args.sleep().await;
    let add = |data: &mut SessionData| -> Result<()> {
        let count: u64 = data.get("count")?.unwrap_or(0);
        data.insert("count", count + 1)
    };
    session.update_with(add).await
}

async fn rotate(session: ActiveSession, Query(args): Query<Args>) -> Result<String> {
    args.sleep().await;
    Ok(session.rotate().await?.into_string())
}

async fn logout(session: ActiveSession) -> Result<()> {
    session.logout().await?;
    Ok(())
}

async fn logout_all(session: ActiveSession) -> Result<()> {
    session.destroy_all().await?;
    Ok(())
}

async fn list(session: ActiveSession) -> Result<Json<Vec<String>>> {
    let entries = session.list().await?;
    Ok(Json(
        entries.iter().map(|entry| entry.id().to_string()).collect(),
    ))
}
