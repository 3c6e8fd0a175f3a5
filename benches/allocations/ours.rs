//! The routes with this crate.

use axum::Router;
use axum::routing::get;
use jwt_redis_session::{ActiveSession, JwtRedisSession, SessionError};

use crate::support::World;

pub(crate) fn router(world: &World) -> Router {
    routes().layer(JwtRedisSession::new(world.sessions.clone()))
}

pub(crate) fn lazy_router(world: &World) -> Router {
    routes().layer(JwtRedisSession::new(world.sessions.clone()).lazy())
}

fn routes() -> Router {
    Router::new()
        .route("/read", get(read))
        .route("/update", get(update))
        .route("/unused", get(async || "unused".to_owned()))
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
