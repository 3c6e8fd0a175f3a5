//! tower-sessions with its store on Redis. Variants: `documented`, the pool of the README of the
//! store; `best`, with a reconnect policy, a timeout of commands, and `with_always_save`, with which
//! reads extend the session; `cached`, as `documented` with the cache of "Layered caching".

use std::time::Duration;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value};
use tower_sessions::cookie::time;
use tower_sessions::session::Error;
use tower_sessions::{CachingSessionStore, Expiry, Session, SessionManagerLayer, SessionStore};
use tower_sessions_moka_store::MokaStore;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::*;

use super::contract::{Args, FIELDS, Settings, present};

type Answer<T> = Result<T, StatusCode>;

pub(super) async fn router(settings: &Settings) -> Router {
    let config = Config::from_url(&settings.redis_url).expect("a URL");
    let (performance, policy) = if settings.is("best") {
        best()
    } else {
        (None, None)
    };
    let pool = Pool::new(config, performance, None, policy, 6).expect("a pool");
    pool.connect();
    pool.wait_for_connect().await.expect("connect to Redis");
    let store = RedisStore::new(pool);
    if settings.is("cached") {
        let cache = MokaStore::new(Some(10_000));
        return with_store(CachingSessionStore::new(cache, store), settings);
    }
    with_store(store, settings)
}

fn with_store<S: SessionStore + Clone>(store: S, settings: &Settings) -> Router {
    let max_age = time::Duration::seconds(settings.max_age.into());
    let layer = SessionManagerLayer::new(store)
        .with_secure(false)
        .with_always_save(settings.is("best"))
        .with_expiry(Expiry::OnInactivity(max_age));
    Router::new()
        .route("/login", post(login))
        .route("/read", get(read))
        .route("/field", get(field))
        .route("/set", post(set))
        .route("/update", post(update))
        .route("/add", post(add))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/none", get(async || "none"))
        .layer(layer)
}

fn best() -> (Option<PerformanceConfig>, Option<ReconnectPolicy>) {
    let performance = PerformanceConfig {
        default_command_timeout: Duration::from_secs(2),
        ..PerformanceConfig::default()
    };
    (
        Some(performance),
        Some(ReconnectPolicy::new_constant(0, 200)),
    )
}

fn failed(_: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn user(session: &Session) -> Answer<String> {
    let user = session.get("user").await.map_err(failed)?;
    user.ok_or(StatusCode::UNAUTHORIZED)
}

async fn login(session: Session, Query(args): Query<Args>) -> Answer<()> {
    if args.renew > 0 {
        session.cycle_id().await.map_err(failed)?;
    }
    session.insert("user", args.user).await.map_err(failed)
}

async fn read(session: Session) -> Answer<Json<Map<String, Value>>> {
    user(&session).await?;
    let mut values = FIELDS.map(|_| None);
    for (name, value) in FIELDS.iter().zip(&mut values) {
        *value = session.get_value(name).await.map_err(failed)?;
    }
    Ok(Json(present(values)))
}

async fn field(session: Session) -> Answer<String> {
    let field = session.get("a").await.map_err(failed)?;
    field.ok_or(StatusCode::UNAUTHORIZED)
}

async fn set(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session).await?;
    args.sleep().await;
    session.insert(&args.k, args.v).await.map_err(failed)?;
    if args.explicit > 0 {
        session.save().await.map_err(failed)?;
    }
    Ok(())
}

async fn update(session: Session) -> Answer<()> {
    user(&session).await?;
    let count: Option<u64> = session.get("count").await.map_err(failed)?;
    let count = count.unwrap_or(0) + 1;
    session.insert("count", count).await.map_err(failed)
}

async fn add(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session).await?;
    let count: Option<u64> = session.get("count").await.map_err(failed)?;
    args.sleep().await;
    let count = count.unwrap_or(0) + 1;
    session.insert("count", count).await.map_err(failed)
}

async fn rotate(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session).await?;
    args.sleep().await;
    session.cycle_id().await.map_err(failed)
}

async fn logout(session: Session) -> Answer<()> {
    session.flush().await.map_err(failed)
}
