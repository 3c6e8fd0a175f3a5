//! A list of the devices of a user, of which each can be logged out, and at most three at a time.
//!
//! `cargo run --example devices`, then:
//!
//! ```sh
//! URL=http://127.0.0.1:3000
//! PHONE=$(curl -s "$URL/login/jo?device=Phone" -X POST)
//! LAPTOP=$(curl -s "$URL/login/jo?device=Laptop" -X POST)
//! curl $URL/devices -H "x-access-token: $PHONE" # two, of which the phone is the current one
//! curl $URL/devices/others -H "x-access-token: $PHONE" -X DELETE # 1
//! curl $URL/devices -H "x-access-token: $LAPTOP" # the token is not valid
//! ```

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use axum::extract::{ConnectInfo, Path, Query};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use jwt_redis_session::config::Evict;
use jwt_redis_session::middleware::ClientIp;
use jwt_redis_session::session::Device;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionEntry, SessionError,
    SessionId, Sessions,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Login {
    device: Option<String>,
}

/// The extractor `Device` has the user agent and the address. A name is the user's choice.
async fn log_in(
    session: Session,
    Path(user): Path<String>,
    Query(login): Query<Login>,
    device: Device,
) -> Result<String, SessionError> {
    let name = login.device;
    session.set_device(Device { name, ..device });
    Ok(session.login(user).await?.into_string())
}

async fn devices(session: ActiveSession) -> Result<Json<Vec<Value>>, SessionError> {
    let page = session.list().newest_first().page(None, 50).await?;
    Ok(Json(page.entries.iter().map(show).collect()))
}

fn show(entry: &SessionEntry) -> Value {
    let ago = |time: SystemTime| time.elapsed().unwrap_or_default().as_secs();
    let device = entry.device().cloned().unwrap_or_default();
    json!({
        // Knowing an id grants no access; it selects the session to end.
        "id": entry.id().as_str(),
        "name": device.name,
        "user_agent": device.user_agent,
        "ip": device.ip,
        "current": entry.is_current(),
        "created_seconds_ago": entry.created_at().map(ago),
        "used_seconds_ago": entry.last_used_at().map(ago),
    })
}

/// Only sessions of the same user: another id ends nothing.
async fn log_out_one(
    session: ActiveSession,
    Extension(sessions): Extension<Sessions>,
    Path(id): Path<String>,
) -> Result<String, SessionError> {
    let owner = session.owner().ok_or(SessionError::NoOwner)?;
    let Ok(id) = SessionId::parse(id) else {
        return Ok(false.to_string());
    };
    Ok(sessions.destroy_owned(&owner, &id).await?.to_string())
}

async fn log_out_others(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.destroy_others().await?.to_string())
}

fn app(sessions: Sessions) -> Router {
    let client_ip = ClientIp::new(|extensions| {
        let peer: &ConnectInfo<SocketAddr> = extensions.get()?;
        Some(peer.ip())
    });
    Router::new()
        .route("/login/{user}", post(log_in))
        .route("/devices", get(devices))
        .route("/devices/others", delete(log_out_others))
        .route("/devices/{id}", delete(log_out_one))
        .layer(Extension(client_ip))
        .layer(Extension(sessions.clone()))
        .layer(JwtRedisSession::new(sessions))
}

fn sessions() -> Result<Sessions, Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring)
        .max_age(Duration::from_secs(30 * 86_400))
        .max_sessions(3, Evict::LeastRecentlyUsed);
    Ok(sessions.build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(sessions()?).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
pub(crate) fn tested() -> Router {
    app(sessions().expect("the sessions of the example"))
}
