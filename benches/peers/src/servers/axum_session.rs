//! axum_session with its pool for Redis. Variants: `documented`, the defaults, with 60 minutes in the
//! memory of the process; `best`, without this memory and without its check of a loaded session, with
//! signed cookies, and with a logout that first looks at the session.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_session::{Key, SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::{SessionRedisPool, SessionRedisSession as Session};
use redis_pool::RedisPool;
use serde_json::{Map, Value};
use tower_sessions::cookie::time::Duration;

use super::contract::{Args, FIELDS, SECRET, Settings, present};

type Answer<T> = Result<T, StatusCode>;

pub(super) async fn router(settings: &Settings) -> Router {
    let client = redis::Client::open(settings.redis_url.as_str()).expect("a URL");
    let pool = SessionRedisPool::from(RedisPool::from(client));
    let store = SessionStore::new(Some(pool), config(settings)).await;
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
        .layer(SessionLayer::new(store.expect("connect to Redis")))
        .with_state(settings.is("best"))
}

fn config(settings: &Settings) -> SessionConfig {
    let lifetime = Duration::seconds(settings.max_age.into());
    let config = SessionConfig::default().with_lifetime(lifetime);
    if !settings.is("best") {
        return config;
    }
    let config = config.with_memory_lifetime(Duration::ZERO);
    let config = config.with_clear_check_on_load(false);
    config.with_key(Key::from(SECRET))
}

fn user(session: &Session) -> Answer<String> {
    session.get("user").ok_or(StatusCode::UNAUTHORIZED)
}

async fn login(session: Session, Query(args): Query<Args>) {
    if args.renew > 0 {
        session.renew();
    }
    session.set("user", args.user);
}

async fn read(session: Session) -> Answer<Json<Map<String, Value>>> {
    user(&session)?;
    Ok(Json(present(FIELDS.map(|name| session.get(name)))))
}

async fn field(session: Session) -> Answer<String> {
    session.get("a").ok_or(StatusCode::UNAUTHORIZED)
}

async fn set(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session)?;
    args.sleep().await;
    session.set(&args.k, args.v);
    Ok(())
}

async fn update(session: Session) -> Answer<()> {
    user(&session)?;
    let count: u64 = session.get("count").unwrap_or(0);
    session.set("count", count + 1);
    Ok(())
}

async fn add(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session)?;
    let count: u64 = session.get("count").unwrap_or(0);
    args.sleep().await;
    session.set("count", count + 1);
    Ok(())
}

async fn rotate(session: Session, Query(args): Query<Args>) -> Answer<()> {
    user(&session)?;
    args.sleep().await;
    session.renew();
    Ok(())
}

async fn logout(State(looks_first): State<bool>, session: Session) -> Answer<()> {
    if looks_first {
        user(&session)?;
    }
    session.destroy();
    Ok(())
}
