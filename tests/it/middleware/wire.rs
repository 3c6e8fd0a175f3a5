//! The layer over real sockets, and in gRPC services.

use std::net::SocketAddr;

use futures_util::stream;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use jwt_redis_session::middleware::SessionBody;
use tokio::net::TcpListener;

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

/// Serves HTTP/1 and HTTP/2.
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
        while let Ok((socket, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let _ = builder
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    address
}

/// Posts a form in chunks, with trailers.
async fn send(address: SocketAddr, is_http2: bool, form: &str) -> Response<String> {
    let chunks = form.as_bytes().chunks(7).map(Bytes::copy_from_slice);
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "42".parse().unwrap())]);
    let frames = chunks.map(Frame::data).chain([Frame::trailers(trailers)]);
    let frames: Vec<_> = frames.map(Ok::<_, Infallible>).collect();
    let request = Request::post(format!("http://{address}/"))
        .header("content-type", FORM)
        .header("trailer", "x-sum")
        .body(StreamBody::new(stream::iter(frames)));
    let client = Client::builder(TokioExecutor::new())
        .http2_only(is_http2)
        .build_http();
    let response = client.request(request.unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    Response::from_parts(head, text(body).await)
}

#[tokio::test]
async fn chunks_and_trailers_arrive_unchanged() {
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
        for is_http2 in [false, true] {
            let response = send(address, is_http2, &form).await;
            assert_eq!(header(&response, "state"), Some(state));
            assert_eq!(header(&response, "checksum"), Some("42"));
            assert_eq!(*response.body(), form);
        }
    }
    #[cfg(feature = "axum")]
    {
        let wrap = ServiceBuilder::new().map_request(SessionBody::wrap);
        let outside = wrap.layer(layer.clone()).service(composition::app());
        let inside = composition::app().layer(layer);
        for address in [serve(outside).await, serve(inside).await] {
            let response = send(address, true, &form).await;
            assert_eq!(*response.body(), format!("jo {form}"));
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
