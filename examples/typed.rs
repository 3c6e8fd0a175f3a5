//! A struct as the session: extracted by handlers, with a counter that loses no visit.
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
use jwt_redis_session::typed::{Mismatch, Typed, TypedData};
use jwt_redis_session::{
    JwtRedisSession, Keyring, MemoryStore, Session, SessionData, SessionError, Sessions,
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

impl TypedData for Profile {
    /// What serde cannot bridge ends in a new login.
    fn mismatch(_: &SessionData, _: &SessionError) -> Mismatch<Self> {
        Mismatch::Drop
    }
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

/// `update` reads and writes in one step, so concurrent visits are all counted.
async fn visit(mut profile: Typed<Profile>) -> Result<Json<Profile>, SessionError> {
    profile.update(|profile| profile.visits += 1).await?;
    Ok(Json(profile.into_inner()))
}

/// Writes only the theme, so the count of a concurrent visit remains.
async fn choose(
    mut profile: Typed<Profile>,
    Path(theme): Path<String>,
) -> Result<Json<Profile>, SessionError> {
    profile
        .update(|profile| profile.theme.clone_from(&theme))
        .await?;
    Ok(Json(profile.into_inner()))
}
