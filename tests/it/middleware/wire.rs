//! The layer over real sockets, and in gRPC services.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use jwt_redis_session::middleware::SessionBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Gives the body back, with the state of the session and the trailers in headers.
async fn echo<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let state = described(&session(&request).state());
    let body = request.into_body().collect().await.unwrap();
    let checksum = body.trailers().and_then(|trailers| trailers.get("x-sum"));
    let checksum = checksum.map_or("none", |sum| sum.to_str().unwrap());
    let response = Response::builder().header("state", state);
    let response = response.header("checksum", checksum);
    Ok(response.body(Full::new(body.to_bytes())).unwrap())
}

/// Serves one connection.
async fn serve<S, R>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<R>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
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
    let layer = JwtRedisSession::new(sessions);
    let wrapped = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer.clone())
        .service_fn(echo);
    let boxed = ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(BodyExt::boxed))
        .layer(layer.clone())
        .service_fn(echo);
    let without = layer.clone().without_body().layer(service_fn(echo));
    for (address, state) in [
        (serve(wrapped).await, "Active"),
        (serve(boxed).await, "Active"),
        (serve(without).await, "Absent"),
    ] {
        let response = over_http1(address, &form).await;
        assert!(response.contains(&format!("state: {state}")), "{response}");
        assert!(response.contains("checksum: 42"), "{response}");
        assert!(response.ends_with(&format!("\r\n\r\n{form}")), "{response}");
    }
    #[cfg(feature = "axum")]
    {
        let wrap = ServiceBuilder::new().map_request(SessionBody::wrap);
        let outside = wrap.layer(layer.clone()).service(composition::app());
        let inside = composition::app().layer(layer);
        for address in [serve(outside).await, serve(inside).await] {
            let response = over_http1(address, &form).await;
            assert!(response.ends_with(&format!("\r\njo {form}")), "{response}");
        }
    }
}

#[tokio::test]
async fn tonic_services_have_sessions_without_axum() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).headers_only();
    let require = RequireSession::new().empty_body();
    let required = layer.layer(require.layer(tonic::service::Routes::default()));
    for (token, status) in [(&*token, 200), ("bad", 401)] {
        let request = Request::post("http://localhost/hello.Greeter/SayHello")
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"))
            .body(tonic::body::Body::empty());
        let answer = required.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
        // The service is called: it does not know the method.
        assert_eq!(
            header(&answer, "grpc-status"),
            (status == 200).then_some("12")
        );
    }
    // A whole server type-checks, too.
    let _ = tonic::transport::Server::builder()
        .layer(layer)
        .add_routes(tonic::service::Routes::default());
}
