//! An action that needs a recent login: the e-mail address is changed only within five minutes
//! after the password was checked (step-up authentication, RFC 9470).
//!
//! `cargo run --example step_up`, then (the password is `demo`, and five minutes pass in between):
//!
//! ```sh
//! URL=http://127.0.0.1:3000
//! TOKEN=$(curl -s $URL/login/jo -d demo)
//! curl $URL/email -H "x-access-token: $TOKEN" -X PUT -d jo@example.com
//! sleep 301
//! curl -i $URL/email -H "x-access-token: $TOKEN" -X PUT -d al@example.com # 401, max_age=300
//! TOKEN=$(curl -s $URL/password -H "x-access-token: $TOKEN" -d demo)
//! curl $URL/email -H "x-access-token: $TOKEN" -X PUT -d al@example.com
//! ```

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use jwt_redis_session::{
    ActiveSession, AuthenticatedWithin, JwtRedisSession, Keyring, MemoryStore, Session,
    SessionError, Sessions,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(sessions)).await?)
}

pub(crate) fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/login/{user}", post(log_in))
        .route("/email", put(change_email))
        .route("/email", get(email))
        .route("/password", post(confirm_password))
        .layer(JwtRedisSession::new(sessions))
}

async fn log_in(
    session: Session,
    Path(user): Path<String>,
    password: String,
) -> Result<Response, SessionError> {
    if !is_password(&user, &password) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    Ok(session.login(user).await?.into_string().into_response())
}

async fn email(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.get("email")?.unwrap_or_default())
}

/// The extractor answers 401 with `error="insufficient_user_authentication"` and `max_age=300` if the
/// password was checked longer ago. The client then calls `/password` and repeats the request.
async fn change_email(
    session: AuthenticatedWithin<300>,
    email: String,
) -> Result<StatusCode, SessionError> {
    session.insert("email", email)?;
    session.update().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks the password again, and answers with the new token of the session.
async fn confirm_password(
    session: ActiveSession,
    password: String,
) -> Result<Response, SessionError> {
    // The user is the owner of the session, never a name from the request.
    let user = session.owner().ok_or(SessionError::NoOwner)?;
    if !is_password(&user, &password) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let token = session.reauthenticated().await?;
    Ok(token.into_string().into_response())
}

/// Verify a password hash here, and limit the attempts.
fn is_password(_user: &str, password: &str) -> bool {
    password == "demo"
}
