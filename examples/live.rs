//! A stream of server-sent events that ends when its session does, for browsers too.
//!
//! A session is loaded once per request, so a connection that stays open waits for the end of its
//! session. An `EventSource` cannot send a header: the page gets a ticket with its token, and puts
//! the ticket into the URL. A ticket works once, and no URL contains the token.
//!
//! `cargo run --example live`, and open http://127.0.0.1:3000. Or without a browser:
//!
//! ```sh
//! TOKEN=$(curl -s http://127.0.0.1:3000/login -X POST)
//! curl -N http://127.0.0.1:3000/events -H "x-access-token: $TOKEN" &
//! curl http://127.0.0.1:3000/logout -H "x-access-token: $TOKEN" -X POST
//! ```

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_util::stream::{self, Stream};
use jwt_redis_session::session::Ended;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
    TokenSource, TokenSources,
};
use tokio::time::{Interval, interval};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(sessions)).await?)
}

pub(crate) fn app(sessions: Sessions) -> Router {
    let sources = TokenSources::headers_only().with(TokenSource::ticket("ticket"));
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/ticket", post(ticket))
        .route("/events", get(events))
        .layer(JwtRedisSession::new(sessions).sources(sources))
}

const PAGE: &str = r#"<!doctype html>
<title>live</title>
<button onclick="call('/logout')">Log out</button>
<pre></pre>
<script type="module">
const show = (text) => document.querySelector("pre").append(text + "\n");
let token = "";
window.call = async (path) => {
  const headers = token ? { "x-access-token": token } : {};
  const answer = await fetch(path, { method: "POST", headers });
  if (!answer.ok) throw new Error(answer.status);
  return answer.text();
};
async function listen() {
  const events = new EventSource("/events?ticket=" + await call("/ticket"));
  events.onmessage = (event) => show(event.data);
  events.onerror = () => {
    // An EventSource would connect again with the same ticket, which is spent.
    events.close();
    setTimeout(() => listen().catch((error) => show("not logged in: " + error)), 1000);
  };
}
token = await call("/login");
await listen();
</script>
"#;

async fn log_in(session: Session) -> Result<String, SessionError> {
    Ok(session.create().await?.into_string())
}

async fn log_out(session: ActiveSession) -> Result<&'static str, SessionError> {
    session.destroy().await?;
    Ok("Bye!\n")
}

async fn ticket(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.ticket().await?.into_string())
}

async fn events(session: ActiveSession) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // While the store does not answer, the stream goes on for 10 seconds.
    let ended = session.ended().unknown_after(Duration::from_secs(10));
    let start = Some((ended, interval(Duration::from_secs(1))));
    Sse::new(stream::unfold(start, next))
}

/// What a stream needs for its next event; `None` once its session has ended.
type Live = Option<(Ended, Interval)>;

async fn next(live: Live) -> Option<(Result<Event, Infallible>, Live)> {
    let (mut ended, mut ticks) = live?;
    let (text, live) = tokio::select! {
        biased;
        end = &mut ended => (format!("the session has ended: {end}"), None),
        _ = ticks.tick() => ("still logged in".to_owned(), Some((ended, ticks))),
    };
    Some((Ok(Event::default().data(text)), live))
}
