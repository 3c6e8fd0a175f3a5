//! The smallest app: login, greeting, logout.
//!
//! `cargo run --example minimal`, then:
//!
//! ```sh
//! TOKEN=$(curl -s 'http://127.0.0.1:3000/login/jo' -X POST)
//! curl http://127.0.0.1:3000/ -H "x-access-token: $TOKEN"
//! curl http://127.0.0.1:3000/logout -H "x-access-token: $TOKEN" -X POST
//! ```

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In production: a random secret (`openssl rand -base64 32`) and a `RedisStore`.
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let app = Router::new()
        .route("/", get(greet))
        .route("/login/{name}", post(log_in))
        .route("/logout", post(log_out))
        .layer(JwtRedisSession::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// A real app checks a password here.
async fn log_in(session: Session, Path(name): Path<String>) -> Result<String, SessionError> {
    session.insert("name", &name)?;
    Ok(session.login(name).await?.into_string())
}

/// Not called without an active session: the extractor answers 401.
async fn greet(session: ActiveSession) -> Result<String, SessionError> {
    let name: Option<String> = session.get("name")?;
    Ok(format!("Hello {}!\n", name.unwrap_or_default()))
}

async fn log_out(session: ActiveSession) -> Result<&'static str, SessionError> {
    session.destroy().await?;
    Ok("Bye!\n")
}
