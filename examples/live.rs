//! A stream of server-sent events that ends when its session does.
//!
//! A session is loaded once per request, so a connection that stays open checks from time to time
//! whether it still exists. `cargo run --example live`, then:
//!
//! ```sh
//! TOKEN=$(curl -s http://127.0.0.1:3000/login -X POST)
//! curl -N http://127.0.0.1:3000/events -H "x-access-token: $TOKEN" &
//! curl http://127.0.0.1:3000/logout -H "x-access-token: $TOKEN" -X POST
//! ```

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_util::stream::{self, Stream};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
};
use tokio::time::{Interval, interval};

/// Longest time that a stream continues after its session has ended.
const CHECK_EVERY: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let app = Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/events", get(events))
        .layer(JwtRedisSession::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn log_in(session: Session) -> Result<String, SessionError> {
    Ok(session.create().await?.into_string())
}

async fn log_out(session: ActiveSession) -> Result<&'static str, SessionError> {
    session.destroy().await?;
    Ok("Bye!\n")
}

async fn events(session: ActiveSession) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let start = Some((session.into_session(), interval(CHECK_EVERY)));
    Sse::new(stream::unfold(start, next))
}

/// What a stream needs for its next event; `None` once its session has ended.
type Live = Option<(Session, Interval)>;

async fn next(live: Live) -> Option<(Result<Event, Infallible>, Live)> {
    let (session, mut ticks) = live?;
    ticks.tick().await;
    let (text, live) = match session.is_alive().await {
        Ok(true) => ("still logged in", Some((session, ticks))),
        Ok(false) => ("logged out", None),
        // Unknown. A stricter service ends the stream here, too.
        Err(_) => ("the store does not answer", Some((session, ticks))),
    };
    Some((Ok(Event::default().data(text)), live))
}
