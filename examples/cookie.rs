//! An app for browsers: a login form, a protected form and a logout. The layer sets and clears the
//! cookie; no handler touches it.
//!
//! `cargo run --example cookie --features cookie`, then open `http://localhost:3000` in Chromium.
//! Browsers that accept `Secure` cookies over TLS only need `SessionCookie::insecure` here.

use axum::Router;
use axum::extract::Form;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionCookie, SessionError,
    Sessions,
};
use serde::Deserialize;
use tower_http::csrf::CsrfLayer;

type Error = Box<dyn std::error::Error>;

const LOGIN: &str = r#"<form action="/login" method="post">
  <input name="username" placeholder="User" required> <button>Log in</button>
</form>"#;

const COUNTER: &str = r#"
<form action="/count" method="post"><button>Count</button></form>
<form action="/logout" method="post"><button>Log out</button></form>"#;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // In production: a random secret (`openssl rand -base64 32`) and a `RedisStore`.
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://localhost:3000");
    Ok(axum::serve(listener, app(sessions)?).await?)
}

pub(crate) fn app(sessions: Sessions) -> Result<Router, Error> {
    // `CsrfLayer` answers 403 to POST requests of other origins, the login included. Otherwise
    // another site could log a user into the attacker's session.
    let layers = JwtRedisSession::new(sessions)
        .headers_only()
        .cookie(SessionCookie::new("session"), CsrfLayer::new())?;
    Ok(Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/count", post(count))
        .route("/logout", post(log_out))
        .layer(layers))
}

/// A GET route changes nothing: `CsrfLayer` lets GET requests of other sites pass.
async fn home(session: Option<ActiveSession>) -> Result<Html<String>, SessionError> {
    let Some(session) = session else {
        return Ok(Html(LOGIN.to_owned()));
    };
    let clicks: u64 = session.get("clicks")?.unwrap_or(0);
    Ok(Html(format!("<p>Clicks: {clicks}</p>{COUNTER}")))
}

#[derive(Deserialize)]
struct Login {
    username: String,
}

/// A real app checks a password here.
async fn log_in(session: Session, Form(form): Form<Login>) -> Result<Redirect, SessionError> {
    session.login(form.username).await?;
    Ok(Redirect::to("/"))
}

async fn count(session: ActiveSession) -> Result<Redirect, SessionError> {
    let clicks: u64 = session.get("clicks")?.unwrap_or(0);
    session.insert("clicks", clicks + 1)?;
    session.update().await?;
    Ok(Redirect::to("/"))
}

async fn log_out(session: ActiveSession) -> Result<Redirect, SessionError> {
    session.logout().await?;
    Ok(Redirect::to("/"))
}
