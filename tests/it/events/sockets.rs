//! Connections that end with their session: the examples `live` and `websocket`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jwt_redis_session::{ActiveSession, JwtRedisSession, TokenSource, TokenSources};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;

#[path = "../../../examples/live.rs"]
#[allow(dead_code, reason = "`main` is not used")]
mod live;
#[path = "../../../examples/websocket.rs"]
#[allow(dead_code, reason = "`main` is not used")]
mod websocket;

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn call(address: SocketAddr, method: &str, path: &str, token: &str) -> Response<String> {
    let request = Request::builder().method(method);
    let request = request.uri(format!("http://{address}{path}"));
    let request = request.header("x-access-token", token);
    let request = request.body(String::new()).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.expect("an answer");
    let (head, body) = answer.into_parts();
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    let body = body.collect().await.expect("a body").to_bytes();
    Response::from_parts(head, String::from_utf8(body.into()).expect("UTF-8"))
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects as a browser does: with subprotocols, of which the server must select one. Returns that
/// one too.
async fn connect(address: SocketAddr, path: &str, protocols: &[&str]) -> (Socket, String) {
    let url = format!("ws://{address}{path}").parse().unwrap();
    let request = protocols
        .iter()
        .fold(ClientRequestBuilder::new(url), |request, name| {
            request.with_sub_protocol(*name)
        });
    let connected = tokio_tungstenite::connect_async(request).await;
    let (socket, response) = connected.expect("connect");
    let selected = &response.headers()["sec-websocket-protocol"];
    (socket, selected.to_str().unwrap().to_owned())
}

/// Memory, and Redis with a session store of another process.
async fn stores() -> Vec<(Sessions, Sessions, Option<RedisServer>)> {
    let store = MemoryStore::new();
    let redis = RedisServer::start();
    let in_redis = [connected(&redis).await, connected(&redis).await];
    let [first, second] = in_redis.map(sessions);
    vec![
        (sessions(store.clone()), sessions(store), None),
        (first, second, Some(redis)),
    ]
}

#[tokio::test]
async fn server_sent_events_end_at_once() {
    for (sessions, other, _redis) in stores().await {
        let address = serve(live::app(sessions)).await;
        let token = call(address, "POST", "/login", "").await.into_body();
        let events = {
            let token = token.clone();
            tokio::spawn(async move { call(address, "GET", "/events", &token).await })
        };
        sleep(Duration::from_millis(300)).await;
        assert!(!events.is_finished());
        let session = other.open(&token).await.unwrap();
        session.destroy().await.unwrap();
        let events = timeout(AT_ONCE, events).await.expect("in time").unwrap();
        let text = events.into_body();
        assert!(text.starts_with("data: still logged in\n\n"), "{text}");
        let end = "data: the session has ended: destroyed\n\n";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(call(address, "GET", "/events", &token).await.status(), 401);
    }
}

/// What the page of the example does, which gets another ticket when it connects again.
#[tokio::test]
async fn an_event_source_connects_with_a_ticket_once() {
    for (sessions, other, _redis) in stores().await {
        let address = serve(live::app(sessions)).await;
        let token = call(address, "POST", "/login", "").await.into_body();
        let ticket = async || {
            let answer = call(address, "POST", "/ticket", &token).await;
            assert_eq!(answer.headers()["cache-control"], "no-store");
            format!("/events?ticket={}", answer.body())
        };
        let path = ticket().await;
        let events = {
            let path = path.clone();
            tokio::spawn(async move { call(address, "GET", &path, "").await })
        };
        sleep(Duration::from_millis(300)).await;
        assert!(!events.is_finished());
        assert_eq!(call(address, "GET", &path, "").await.status(), 401);
        let unused = ticket().await;
        let session = other.open(&token).await.unwrap();
        session.destroy().await.unwrap();
        let events = timeout(AT_ONCE, events).await.expect("in time").unwrap();
        assert_eq!(events.headers()["referrer-policy"], "no-referrer");
        let text = events.into_body();
        assert!(text.starts_with("data: still logged in\n\n"), "{text}");
        assert!(text.contains("the session has ended: destroyed"), "{text}");
        assert_eq!(call(address, "GET", &unused, "").await.status(), 401);
        assert_eq!(call(address, "POST", "/ticket", &token).await.status(), 401);
    }
}

#[tokio::test]
async fn a_websocket_is_closed_at_once() {
    for (sessions, other, _redis) in stores().await {
        let address = serve(websocket::app(sessions)).await;
        let token = call(address, "POST", "/login", "").await.into_body();
        let url = format!("ws://{address}/echo");
        let refused = tokio_tungstenite::connect_async(&url).await;
        assert!(refused.unwrap_err().to_string().contains("401"));
        let (mut socket, selected) = connect(address, "/echo", &["bearer", &token]).await;
        assert_eq!(selected, "bearer");
        socket.send(Message::text("hello")).await.unwrap();
        let echo = socket.next().await.unwrap().unwrap();
        assert_eq!(echo, Message::text("hello"));
        sleep(Duration::from_millis(300)).await;
        let session = other.open(&token).await.unwrap();
        session.destroy().await.unwrap();
        let message = timeout(AT_ONCE, socket.next()).await.expect("in time");
        let Message::Close(Some(close)) = message.unwrap().unwrap() else {
            panic!("no reason");
        };
        assert_eq!(close.reason, "the session has ended: destroyed");
        assert!(
            timeout(AT_ONCE, socket.next())
                .await
                .expect("in time")
                .is_none()
        );
    }
}

/// A client that sends and never reads fills all buffers.
#[tokio::test]
async fn a_client_that_reads_nothing_is_closed_too() {
    let sessions = sessions(MemoryStore::new());
    let address = serve(websocket::app(sessions.clone())).await;
    let (session, token) = created(&sessions).await;
    let protocols = ["bearer", token.as_str()];
    let (mut socket, _) = connect(address, "/echo", &protocols).await;
    let sending = tokio::spawn(async move {
        let large = Message::binary(vec![0; 1 << 20]);
        while socket.send(large.clone()).await.is_ok() {}
    });
    sleep(Duration::from_millis(500)).await;
    assert!(!sending.is_finished());
    session.destroy().await.unwrap();
    let end = timeout(Duration::from_secs(3), sending).await;
    end.expect("the server closes the connection").unwrap();
}

/// The application selects among its own subprotocols, and never sees the token.
#[tokio::test]
async fn the_application_selects_its_own_subprotocol() {
    let app = async |upgrade: WebSocketUpgrade, headers: HeaderMap, session: ActiveSession| {
        let offered = headers.get("sec-websocket-protocol");
        let offered = offered.map_or("", |offered| offered.to_str().unwrap());
        let offered = format!("{:?}: {offered}", session.id());
        let upgrade = upgrade.protocols(["bearer", "chat"]);
        upgrade.on_upgrade(async move |mut socket| {
            let _ = socket.send(offered.into()).await;
        })
    };
    let sessions = sessions(MemoryStore::new());
    let (session, token) = created(&sessions).await;
    let sources = TokenSources::headers_only().with(TokenSource::WebSocketProtocol);
    let app = Router::new().route("/", get(app));
    let address = serve(app.layer(JwtRedisSession::new(sessions).sources(sources))).await;
    for (before, selected, seen) in [
        (&[][..], "bearer", ""),
        (&["chat"], "chat", "chat"),
        (&["news", "chat"], "chat", "news, chat"),
        (&["news"], "bearer", "news"),
    ] {
        let offered = [before, &["bearer", token.as_str()]].concat();
        let (mut socket, answer) = connect(address, "/", &offered).await;
        assert_eq!(answer, selected);
        let message = socket.next().await.unwrap().unwrap();
        assert_eq!(
            message,
            Message::text(format!("{:?}: {seen}", session.id()))
        );
    }
}
