//! An API for a single-page application of another origin, which sends the token in a header.
//!
//! `cargo run --example cors`, then in the console of a page from `http://localhost:5173`:
//!
//! ```js
//! const api = "http://localhost:3000";
//! const token = await (await fetch(`${api}/login/jo`, { method: "POST" })).text();
//! const headers = { authorization: `Bearer ${token}` };
//! await (await fetch(`${api}/me`, { headers })).text();
//! (await fetch(`${api}/me`)).headers.get("www-authenticate"); // Exposed by the CORS layer.
//! ```

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};
use tower_http::cors::CorsLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let origin = HeaderValue::from_static("http://localhost:5173");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://localhost:3000");
    Ok(axum::serve(listener, app(sessions, origin)).await?)
}

/// `origin` is that of the pages that may use the API.
pub(crate) fn app(sessions: Sessions, origin: HeaderValue) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        // Scripts can read these, to distinguish an expired session from an outage.
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER])
        // Without it a browser sends a preflight every five seconds.
        .max_age(Duration::from_secs(3600));
    Router::new()
        .route("/login/{name}", post(log_in))
        .route("/me", get(me))
        .route("/logout", post(log_out))
        .layer(JwtRedisSession::new(sessions).headers_only())
        // The outermost layer: it answers preflights, which have no token, and adds its headers to
        // the answers of all other layers, so that scripts can read a 401.
        .layer(cors)
}

/// A real app checks a password here.
async fn log_in(session: Session, Path(name): Path<String>) -> Result<String, SessionError> {
    session.insert("name", &name)?;
    Ok(session.login(name).await?.into_string())
}

async fn me(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.get("name")?.unwrap_or_default())
}

async fn log_out(session: ActiveSession) -> Result<(), SessionError> {
    session.logout().await?;
    Ok(())
}
