//! Connections that are upgraded, as for websockets.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::any;
use hyper_util::rt::TokioIo;
use jwt_redis_session::{ActiveSession, JwtRedisSession};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{FORM, described, end, sessions, token};

/// Upgrades the connection, and then answers each line with the state of the session.
async fn upgrade(session: ActiveSession, mut request: Request) -> Response {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut socket = BufReader::new(TokioIo::new(upgraded.await.unwrap()));
        while socket
            .read_line(&mut String::new())
            .await
            .is_ok_and(|read| read > 0)
        {
            let alive = session.is_alive().await.unwrap();
            let state = described(&session.state());
            let answer = format!("{alive} {state} {}\n", session.is_active());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let response = Response::builder().status(101);
    let response = response.header("connection", "upgrade");
    let response = response.header("upgrade", "test");
    response.body(Body::empty()).unwrap()
}

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// Sends a request or a line, and returns the first line of the answer.
async fn exchange(socket: &mut BufReader<TcpStream>, sent: &str) -> String {
    socket.write_all(sent.as_bytes()).await.unwrap();
    let mut line = String::new();
    socket.read_line(&mut line).await.unwrap();
    line
}

#[tokio::test]
async fn a_websocket_sees_the_end_of_its_session() {
    let (_, sessions) = sessions();
    let eager = JwtRedisSession::new(sessions.clone());
    for layer in [eager.clone(), eager.lazy()] {
        let app = Router::new()
            .route("/", any(upgrade))
            .layer((layer, from_fn(pass)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        for (method, content_type) in [
            ("GET", String::new()),
            ("POST", format!("content-type: {FORM}\r\n")),
        ] {
            let token = token(&sessions).await;
            let mut socket = BufReader::new(TcpStream::connect(address).await.unwrap());
            let request = format!(
                "{method} / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 connection: upgrade\r\nupgrade: test\r\n{content_type}\r\n"
            );
            let mut line = exchange(&mut socket, &request).await;
            assert!(line.starts_with("HTTP/1.1 101"), "{line}");
            while line != "\r\n" {
                line.clear();
                socket.read_line(&mut line).await.unwrap();
            }
            assert_eq!(exchange(&mut socket, "?\n").await, "true Active true\n");
            end(&sessions, &token).await;
            assert_eq!(exchange(&mut socket, "?\n").await, "false Gone false\n");
        }
        server.abort();
    }
}
