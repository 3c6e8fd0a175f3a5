//! A WebSocket that is closed when its session ends.
//!
//! `cargo run --example websocket`, then with a client such as `websocat`:
//!
//! ```sh
//! TOKEN=$(curl -s http://127.0.0.1:3000/login -X POST)
//! websocat ws://127.0.0.1:3000/echo -H "x-access-token: $TOKEN"
//! curl http://127.0.0.1:3000/logout -H "x-access-token: $TOKEN" -X POST
//! ```
//!
//! A browser cannot add a header to a WebSocket. It offers the token as a subprotocol:
//!
//! ```js
//! new WebSocket("ws://127.0.0.1:3000/echo", ["bearer", token])
//! ```

use std::time::Duration;

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::response::Response;
use axum::routing::{get, post};
use jwt_redis_session::session::Ended;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
    TokenSource, TokenSources,
};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(sessions)).await?)
}

pub(crate) fn app(sessions: Sessions) -> Router {
    let sources = TokenSources::headers_only().with(TokenSource::WebSocketProtocol);
    Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/echo", get(connect))
        .layer(JwtRedisSession::new(sessions).sources(sources))
}

async fn log_in(session: Session) -> Result<String, SessionError> {
    Ok(session.create().await?.into_string())
}

async fn log_out(session: ActiveSession) -> Result<&'static str, SessionError> {
    session.destroy().await?;
    Ok("Bye!\n")
}

async fn connect(session: ActiveSession, upgrade: WebSocketUpgrade) -> Response {
    // While the store does not answer, the socket stays open for 10 seconds.
    let ended = session.ended().unknown_after(Duration::from_secs(10));
    upgrade.on_upgrade(|socket| serve(socket, ended))
}

async fn serve(mut socket: WebSocket, ended: Ended) {
    let end = tokio::select! {
        end = ended => end,
        // Dropped in the middle of a message if the session ends: a client that reads nothing
        // cannot keep the socket open.
        () = echo(&mut socket) => return,
    };
    let close = Message::Close(Some(CloseFrame {
        code: close_code::POLICY,
        reason: format!("the session has ended: {end}").into(),
    }));
    let _ = timeout(Duration::from_secs(1), socket.send(close)).await;
}

async fn echo(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_data = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_data && socket.send(message).await.is_err() {
            return;
        }
    }
}
