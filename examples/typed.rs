//! A struct as the session: read and written as a whole, with a counter that loses no visit.
//!
//! `cargo run --example typed`, then:
//!
//! ```sh
//! TOKEN=$(curl -s http://127.0.0.1:3000/login -X POST)
//! curl http://127.0.0.1:3000/visit -H "x-access-token: $TOKEN"
//! curl http://127.0.0.1:3000/theme/dark -H "x-access-token: $TOKEN" -X POST
//! ```

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Profile {
    user: String,
    theme: String,
    /// Sessions from before this field was added do not have it.
    #[serde(default)]
    visits: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/visit", get(visit))
        .route("/theme/{theme}", post(choose))
        .layer(JwtRedisSession::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn log_in(session: Session) -> Result<String, SessionError> {
    session.merge(Profile {
        user: "jo".to_owned(),
        theme: "light".to_owned(),
        visits: 0,
    })?;
    Ok(session.create().await?.into_string())
}

/// `update_with` reads and writes in one step, so concurrent visits are all counted.
async fn visit(session: ActiveSession) -> Result<Json<Profile>, SessionError> {
    let count = |data: &mut jwt_redis_session::SessionData| {
        let mut profile: Profile = data.data()?;
        profile.visits += 1;
        data.merge(&profile)?;
        Ok::<_, SessionError>(profile)
    };
    Ok(Json(session.update_with(count).await?))
}

/// Writes only the theme, so the count of a concurrent visit remains.
async fn choose(
    session: ActiveSession,
    Path(theme): Path<String>,
) -> Result<Json<Profile>, SessionError> {
    session.insert("theme", theme)?;
    session.update().await?;
    Ok(Json(session.data()?))
}
