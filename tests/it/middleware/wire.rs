//! R16, R18: over real sockets, and in gRPC services.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{JwtRedisSession, RequireSession, Sessions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::{FORM, described, header, session, sessions, token};

/// Gives the body back, with the state of the session and the trailers in headers.
async fn echo(
    request: Request<SessionBody<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let state = described(&session(&request).state());
    let body = request.into_body().collect().await.unwrap();
    let checksum = body
        .trailers()
        .and_then(|trailers| trailers.get("x-checksum"));
    let response = Response::builder().header("state", state).header(
        "checksum",
        checksum.map_or("none", |sum| sum.to_str().unwrap()),
    );
    Ok(response.body(Full::new(body.to_bytes())).unwrap())
}

/// Serves one connection of HTTP/1 or HTTP/2.
async fn serve(sessions: Sessions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(JwtRedisSession::new(sessions))
        .service_fn(echo);
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request| service.clone().oneshot(request));
        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(socket), service)
            .await
            .ok();
    });
    address
}

#[tokio::test]
async fn r18_http1_chunks_and_trailers_arrive_unchanged() {
    let (_, sessions) = sessions();
    let body = format!("a=1&accessToken={}&b=2", token(&sessions).await);
    let mut chunks = String::new();
    for chunk in body.as_bytes().chunks(7) {
        chunks += &format!(
            "{:x}\r\n{}\r\n",
            chunk.len(),
            str::from_utf8(chunk).unwrap()
        );
    }
    let mut socket = TcpStream::connect(serve(sessions).await).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\nte: trailers\r\n\
         trailer: x-checksum\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         {chunks}0\r\nx-checksum: 42\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    assert!(response.contains("state: Active"), "{response}");
    assert!(response.contains("checksum: 42"), "{response}");
    assert!(response.ends_with(&format!("\r\n\r\n{body}")), "{response}");
}

/// The frames of a body that ends with a trailer.
fn frames(text: &str) -> Vec<Result<Frame<Bytes>, Infallible>> {
    let chunks = text.as_bytes().chunks(10_000);
    let frames = chunks.map(|chunk| Frame::data(Bytes::copy_from_slice(chunk)));
    let name = "x-checksum".parse().unwrap();
    let trailers = HeaderMap::from_iter([(name, HeaderValue::from_static("42"))]);
    frames.chain([Frame::trailers(trailers)]).map(Ok).collect()
}

#[tokio::test]
async fn r18_http2_frames_and_trailers_arrive_unchanged() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let form = format!("accessToken={token}");
    let address = serve(sessions).await;
    let socket = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket)
            .await
            .unwrap();
    tokio::spawn(connection);
    for (content_type, length) in [
        (FORM, 0),
        (FORM, 20_000),
        (FORM, 200_000),
        ("text/plain", 200_000),
    ] {
        let text = form.clone() + &"&x".repeat(length / 2);
        let request = Request::post("http://localhost/")
            .header("content-type", content_type)
            .body(StreamBody::new(stream::iter(frames(&text))))
            .unwrap();
        let response = client.send_request(request).await.unwrap();
        let expected = match (content_type, length) {
            (FORM, 200_000) => "unsearched: too_large",
            (FORM, _) => "Active",
            _ => "Absent",
        };
        assert_eq!(header(&response, "state"), Some(expected));
        assert_eq!(header(&response, "checksum"), Some("42"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body == text, "{content_type} {length}");
    }
}

/// A gRPC service, as `tonic-build` writes them.
#[derive(Clone)]
struct Greeter;

impl tonic::server::NamedService for Greeter {
    const NAME: &'static str = "hello.Greeter";
}

impl<B: Send + 'static> Service<Request<B>> for Greeter {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = described(&session(&request).state());
        let response = Response::builder().header("state", state);
        std::future::ready(Ok(response.body(tonic::body::Body::empty()).unwrap()))
    }
}

#[tokio::test]
async fn tonic_services_have_sessions_without_axum() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).headers_only();
    let asked = |headers: &[(&'static str, &str)]| {
        let mut request = Request::post("http://localhost/hello.Greeter/SayHello");
        for (name, value) in [("content-type", "application/grpc")].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        request.body(tonic::body::Body::empty()).unwrap()
    };
    let authorization = format!("Bearer {token}");

    let alone = layer.layer(Greeter);
    let answer = alone
        .oneshot(asked(&[("authorization", &authorization)]))
        .await
        .unwrap();
    assert_eq!(header(&answer, "state"), Some("Active"));

    let routes = tonic::service::Routes::new(Greeter);
    let inside = layer.layer(RequireSession::new().empty_body().layer(routes));
    let answer = inside
        .clone()
        .oneshot(asked(&[("authorization", &authorization)]))
        .await
        .unwrap();
    assert_eq!(header(&answer, "state"), Some("Active"));
    let answer = inside.oneshot(asked(&[])).await.unwrap();
    assert_eq!(answer.status(), 401);

    // What a whole server asks of a layer.
    let _ = tonic::transport::Server::builder()
        .layer(layer)
        .add_service(Greeter);
}
