//! R21: connections that are upgraded, as for websockets.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::any;
use hyper_util::rt::TokioIo;
use jwt_redis_session::{ActiveSession, JwtRedisSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{FORM, described, sessions, token};

/// Upgrades the connection, and then answers each byte with what the session is.
async fn upgrade(session: ActiveSession, mut request: Request) -> Response {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgraded.await.unwrap());
        while socket.read_u8().await.is_ok() {
            let alive = session.is_alive().await.unwrap();
            let state = described(&session.state());
            let answer = format!("{alive} {state} {}\n", session.is_active());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "test")
        .body(Body::empty())
        .unwrap()
}

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// Sends one byte, and reads one line.
async fn ask(socket: &mut TcpStream) -> String {
    socket.write_u8(b'?').await.unwrap();
    let mut line = Vec::new();
    loop {
        match socket.read_u8().await.unwrap() {
            b'\n' => return String::from_utf8(line).unwrap(),
            byte => line.push(byte),
        }
    }
}

#[tokio::test]
async fn r21_the_state_of_a_websocket_is_gone_once_its_session_is() {
    let (_, sessions) = sessions();
    let eager = JwtRedisSession::new(sessions.clone());
    for layer in [eager.clone(), eager.lazy()] {
        let app = Router::new()
            .route("/", any(upgrade))
            .layer((layer, from_fn(pass)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        for (method, media) in [
            ("GET", String::new()),
            ("POST", format!("content-type: {FORM}\r\n")),
        ] {
            let token = token(&sessions).await;
            let mut socket = TcpStream::connect(address).await.unwrap();
            let request = format!(
                "{method} / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 connection: upgrade\r\nupgrade: test\r\n{media}\r\n"
            );
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            assert!(head.starts_with(b"HTTP/1.1 101"), "{}", head.escape_ascii());
            assert_eq!(ask(&mut socket).await, "true Active true");
            let id = sessions.open(&token).await.unwrap().id().unwrap();
            sessions.destroy(&id).await.unwrap();
            assert_eq!(ask(&mut socket).await, "false Gone false");
            assert_eq!(ask(&mut socket).await, "false Gone false");
        }
        server.abort();
    }
}
