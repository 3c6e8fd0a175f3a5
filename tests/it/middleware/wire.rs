//! The layer over real sockets, and in gRPC services.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{JwtRedisSession, RequireSession, Sessions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::{FORM, described, header, session, sessions, text, token};

/// Gives the body back, with the state of the session and the trailers in headers.
async fn echo<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let state = described(&session(&request).state());
    let body = request.into_body().collect().await.unwrap();
    let checksum = body.trailers().and_then(|trailers| trailers.get("x-sum"));
    let checksum = checksum.map_or("none", |sum| sum.to_str().unwrap());
    let response = Response::builder().header("state", state);
    let response = response.header("checksum", checksum);
    Ok(response.body(Full::new(body.to_bytes())).unwrap())
}

/// Serves one connection of HTTP/1 or HTTP/2.
async fn serve<S, R>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<R>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    R: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
            .await
            .ok();
    });
    address
}

fn wrapped(
    sessions: &Sessions,
) -> impl Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(JwtRedisSession::new(sessions.clone()))
        .service_fn(echo)
}

/// Posts a form in chunks over HTTP/1, with trailers, and returns the answer.
async fn over_http1(address: SocketAddr, form: &str) -> String {
    let mut chunks = String::new();
    for chunk in form.as_bytes().chunks(7) {
        let chunk = str::from_utf8(chunk).unwrap();
        chunks += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\nte: trailers\r\n\
         trailer: x-sum\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         {chunks}0\r\nx-sum: 42\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn http1_chunks_and_trailers_arrive_unchanged() {
    let (_, sessions) = sessions();
    let form = format!("a=1&accessToken={}&b=2", token(&sessions).await);
    let layer = JwtRedisSession::new(sessions.clone());
    let boxed = ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(BodyExt::boxed))
        .layer(layer.clone())
        .service_fn(echo);
    let without = layer.without_body().layer(tower::service_fn(echo));
    for (address, state) in [
        (serve(wrapped(&sessions)).await, "Active"),
        (serve(boxed).await, "Active"),
        (serve(without).await, "Absent"),
    ] {
        let response = over_http1(address, &form).await;
        assert!(response.contains(&format!("state: {state}")), "{response}");
        assert!(response.contains("checksum: 42"), "{response}");
        assert!(response.ends_with(&format!("\r\n\r\n{form}")), "{response}");
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_router_in_hyper() {
    let (layer, form) = super::composition::layer_and_form().await;
    let app = super::composition::app();
    let inside = app.clone().layer(layer.clone());
    let outside = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer)
        .service(app);
    for address in [serve(inside).await, serve(outside).await] {
        let response = over_http1(address, &form).await;
        assert!(response.ends_with(&format!("\r\njo {form}")), "{response}");
    }
}

#[tokio::test]
async fn http2_frames_and_trailers_arrive_unchanged() {
    let (_, sessions) = sessions();
    let form = format!("accessToken={}", token(&sessions).await);
    let socket = TcpStream::connect(serve(wrapped(&sessions)).await).await;
    let socket = TokioIo::new(socket.unwrap());
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), socket);
    let (mut client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    for (content_type, length, expected) in [
        (FORM, 0, "Active"),
        (FORM, 20_000, "Active"),
        (FORM, 200_000, "unsearched: too_large"),
        ("text/plain", 200_000, "Absent"),
    ] {
        let sent = form.clone() + &"&x".repeat(length / 2);
        let chunks = sent.as_bytes().chunks(10_000);
        let frames = chunks.map(|chunk| Frame::data(Bytes::copy_from_slice(chunk)));
        let trailers = [("x-sum".parse().unwrap(), HeaderValue::from_static("42"))];
        let trailers = Frame::trailers(HeaderMap::from_iter(trailers));
        let frames: Vec<_> = frames.chain([trailers]).map(Ok::<_, Infallible>).collect();
        let request = Request::post("http://localhost/")
            .header("content-type", content_type)
            .body(StreamBody::new(stream::iter(frames)))
            .unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(header(&response, "state"), Some(expected));
        assert_eq!(header(&response, "checksum"), Some("42"));
        let arrived = text(response.into_body()).await;
        assert!(arrived == sent, "{content_type} {length}");
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
    let routes = tonic::service::Routes::new(Greeter);
    let required = layer.layer(RequireSession::new().empty_body().layer(routes));
    for (token, status) in [(&*token, 200), ("bad", 401)] {
        let request = Request::post("http://localhost/hello.Greeter/SayHello")
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"))
            .body(tonic::body::Body::empty());
        let answer = required.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "state").is_some(), status == 200);
    }
    // A whole server type-checks, too.
    let _ = tonic::transport::Server::builder()
        .layer(layer)
        .add_service(Greeter);
}
