//! A changed password ends all other sessions of the user, and this one gets a new token.
//!
//! `cargo run --example logout_everywhere`, then:
//!
//! ```sh
//! URL=http://127.0.0.1:3000
//! PHONE=$(curl -s $URL/login/jo -X POST)
//! LAPTOP=$(curl -s $URL/login/jo -X POST)
//! curl $URL/devices -H "x-access-token: $PHONE" # 2
//! LAPTOP=$(curl -s $URL/password -H "x-access-token: $LAPTOP" -X POST)
//! curl $URL/devices -H "x-access-token: $LAPTOP" # 1
//! curl $URL/devices -H "x-access-token: $PHONE" # the token is not valid
//! curl $URL/logout-everywhere -H "x-access-token: $LAPTOP" -X POST
//! ```

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};

async fn log_in(session: Session, Path(user): Path<String>) -> Result<String, SessionError> {
    // "Everywhere" means all sessions with the same owner.
    Ok(session.login(user).await?.into_string())
}

async fn devices(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.list().await?.len().to_string())
}

/// Stores the new password first, so that the old one opens no more sessions, then ends the
/// sessions that it has opened. If a step fails, all of them may be repeated.
async fn change_password(session: ActiveSession) -> Result<String, SessionError> {
    // Store the hash of the new password here.
    session.destroy_others().await?;
    Ok(session.rotate().await?.into_string())
}

async fn log_out_everywhere(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.destroy_all().await?.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let app = Router::new()
        .route("/login/{user}", post(log_in))
        .route("/devices", get(devices))
        .route("/password", post(change_password))
        .route("/logout-everywhere", post(log_out_everywhere))
        .layer(JwtRedisSession::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
