//! The same routes without a session, with one by hand, and with this crate.

use axum::Router;
use axum::routing::get;
use jwt_redis_session::{ActiveSession, JwtRedisSession, SessionError};

pub(crate) fn bare() -> Router {
    Router::new()
        .route("/read", get(async || "dark".to_owned()))
        .route("/update", get(async || "43".to_owned()))
        .route("/unused", get(async || "unused".to_owned()))
}

pub(crate) fn with(layer: JwtRedisSession) -> Router {
    Router::new()
        .route("/read", get(read))
        .route("/update", get(update))
        .route("/unused", get(async || "unused".to_owned()))
        .layer(layer)
}

async fn read(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.get("theme")?.unwrap_or_default())
}

async fn update(session: ActiveSession) -> Result<String, SessionError> {
    let visits = session.get("visits")?.unwrap_or(0_u64) + 1;
    session.insert("visits", visits)?;
    session.update().await?;
    Ok(visits.to_string())
}
