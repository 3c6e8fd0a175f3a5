//! A changed password ends all other sessions of the user, and this one gets a new token.
//!
//! `cargo run --example logout_everywhere` runs all steps without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};
use tower::ServiceExt;

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
        .route("/devices", post(devices))
        .route("/password", post(change_password))
        .route("/logout-everywhere", post(log_out_everywhere))
        .layer(JwtRedisSession::new(sessions));

    let (_, phone) = call(&app, "/login/jo", "").await?;
    let (_, laptop) = call(&app, "/login/jo", "").await?;
    let (_, count) = call(&app, "/devices", &phone).await?;
    println!("jo is logged in on {count} devices");

    let (_, renewed) = call(&app, "/password", &laptop).await?;
    for (name, token) in [("phone", &phone), ("laptop, old token", &laptop)] {
        let (status, _) = call(&app, "/devices", token).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        println!("after the new password: {name}: {status}");
    }
    let (status, count) = call(&app, "/devices", &renewed).await?;
    println!("after the new password: laptop, new token: {status}, {count} device");

    let (_, ended) = call(&app, "/logout-everywhere", &renewed).await?;
    let (status, _) = call(&app, "/devices", &renewed).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    println!("logged out everywhere ({ended} session): {status}");
    Ok(())
}

async fn call(
    app: &Router,
    path: &str,
    token: &str,
) -> Result<(StatusCode, String), Box<dyn std::error::Error>> {
    let request = Request::post(path).header("x-access-token", token);
    let answer = app.clone().oneshot(request.body(Body::empty())?).await?;
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 16).await?;
    Ok((status, String::from_utf8(body.to_vec())?))
}
