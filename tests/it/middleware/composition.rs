//! The layer among the layers of axum, tower-http, tonic and hyper.
//!
//! Each test sends a token in a body through the whole stack: it type-checks, the session is found
//! and the handler gets the body.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{
    Next, from_extractor, from_extractor_with_state, from_fn, from_fn_with_state, map_request,
    map_response,
};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{ActiveSession, JwtRedisSession, RequireSession, Session, TokenSources};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::util::{BoxCloneSyncServiceLayer, option_layer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::map_request_body::MapRequestBodyLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use super::{FORM, sessions, token};

/// A layer, and a form that holds a token of its sessions.
async fn layer_and_form() -> (JwtRedisSession, String) {
    let (_, sessions) = sessions();
    let form = format!("a=1&accessToken={}", token(&sessions).await);
    (JwtRedisSession::new(sessions), form)
}

async fn echo(session: ActiveSession, body: String) -> String {
    let user: Option<String> = session.get("user").unwrap();
    format!("{} {body}", user.unwrap_or_default())
}

async fn pass(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn pass_session(_: ActiveSession, request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn pass_state(_: State<u8>, request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn same(request: Request) -> Request {
    request
}

fn post_form(form: &str) -> Request {
    let request = Request::post("/").header("content-type", FORM);
    request.body(Body::from(form.to_owned())).unwrap()
}

async fn check<S, R>(app: S, form: &str)
where
    S: Service<Request, Response = http::Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let response = app.oneshot(post_form(form)).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, format!("jo {form}"));
}

fn app() -> Router {
    Router::new().route("/", post(echo))
}

#[tokio::test]
async fn every_kind_of_layer_call_in_axum() {
    let (layer, form) = layer_and_form().await;
    check(app().layer(layer.clone()), &form).await;
    check(app().route_layer(layer.clone()), &form).await;
    let method_router = post(echo).layer(layer.clone());
    check(Router::new().route("/", method_router), &form).await;
    let handler = post(echo.layer(layer.clone()));
    check(Router::new().route("/", handler), &form).await;
    check(Router::new().fallback(echo).layer(layer.clone()), &form).await;
    check(layer.layer(app()), &form).await;
    check(app().layer(option_layer(Some(layer.clone()))), &form).await;
    let boxed = ServiceBuilder::new().layer(BoxCloneSyncServiceLayer::new(layer.clone()));
    check(app().layer(boxed), &form).await;
    check(app().layer(layer.clone().lazy()), &form).await;
    check(app().layer(layer.clone()).layer(layer), &form).await;
}

#[tokio::test]
async fn axum_middleware_in_one_service_builder() {
    let (layer, form) = layer_and_form().await;
    let stack = ServiceBuilder::new()
        .layer(from_fn(pass))
        .layer(from_fn_with_state(7_u8, pass_state))
        .layer(map_request(same))
        .layer(from_extractor::<http::Method>())
        .layer(map_response(async |response: Response| response))
        .layer(Extension(7_u8))
        .layer(layer.clone())
        .layer(from_fn(pass_session))
        .layer(from_fn_with_state(7_u8, pass_state))
        .layer(map_request(same))
        .layer(map_response(async |response: Response| response))
        .layer(from_extractor::<ActiveSession>())
        .layer(from_extractor_with_state::<Session, u8>(7))
        .layer(Extension(7_u8))
        .layer(RequireSession::new())
        .map_request(|request: Request| request);
    check(app().layer(stack.clone()), &form).await;
    let handler = post(echo.layer(stack.clone()));
    check(Router::new().route("/", handler), &form).await;
    check(app().layer((stack, from_fn(pass))), &form).await;
    // The shortest one, without anything that could hide a type.
    let two = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(from_fn(pass));
    check(app().layer(two), &form).await;
    let two = ServiceBuilder::new().layer(from_fn(pass)).layer(layer);
    check(app().layer(two), &form).await;
}

#[tokio::test]
async fn axum_middleware_in_tuples() {
    let (layer, form) = layer_and_form().await;
    let inside = (
        layer.clone(),
        from_fn(pass_session),
        from_fn_with_state(7_u8, pass_state),
        map_request(same),
        from_extractor::<ActiveSession>(),
    );
    check(app().layer(inside.clone()), &form).await;
    let handler = post(echo.layer(inside));
    check(Router::new().route("/", handler), &form).await;
    let outside = (
        from_fn(pass),
        from_fn_with_state(7_u8, pass_state),
        map_request(same),
        from_extractor::<http::Method>(),
        layer.clone(),
    );
    check(app().layer(outside), &form).await;
    check(app().layer((layer.clone(), layer)), &form).await;
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(http::StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(9))
}

#[tokio::test]
async fn tower_http_outside_and_inside() {
    let (layer, form) = layer_and_form().await;
    let outside = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(CorsLayer::permissive())
        .layer(CompressionLayer::new())
        .layer(timeout())
        .layer(layer.clone())
        .layer(from_fn(pass));
    check(app().layer(outside.clone()), &form).await;
    let handler = post(echo.layer(outside));
    check(Router::new().route("/", handler), &form).await;
    let inside = ServiceBuilder::new()
        .layer(from_fn(pass))
        .layer(layer.clone())
        .layer(TraceLayer::new_for_http())
        .layer(RequireSession::new().empty_body())
        .layer(CatchPanicLayer::new())
        .layer(CorsLayer::permissive())
        .layer(CompressionLayer::new())
        .layer(timeout())
        .layer(RequestBodyLimitLayer::new(1000));
    check(app().layer(inside.clone()), &form).await;
    let handler = post(echo.layer(inside));
    check(Router::new().route("/", handler), &form).await;
    let tuple = (
        TraceLayer::new_for_http(),
        CatchPanicLayer::new(),
        CorsLayer::permissive(),
        timeout(),
        layer.clone(),
        timeout(),
        CorsLayer::permissive(),
        RequestBodyLimitLayer::new(1000),
    );
    check(app().layer(tuple), &form).await;
    check(app().layer(layer.clone()).layer(timeout()), &form).await;
    check(app().layer(timeout()).layer(layer), &form).await;
}

/// `TraceLayer` and `CompressionLayer` change the type of the response body to one that cannot be
/// made of a string. Separate calls of `Router::layer` change it back.
#[tokio::test]
async fn a_required_session_outside_of_layers_that_change_the_response_body() {
    let (layer, form) = layer_and_form().await;
    let required = app()
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(RequireSession::new());
    check(required.layer(layer.clone()), &form).await;
    let stack = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(RequireSession::new())
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new());
    check(app().layer(stack.clone()), &form).await;
    let handler = post(echo.layer(stack));
    check(Router::new().route("/", handler), &form).await;
}

/// `RequestBodyLimitLayer` changes the type of the request body. Separate calls of
/// `Router::layer` change it back, one `ServiceBuilder` needs a layer for that.
#[tokio::test]
async fn a_request_body_limit_outside() {
    let (layer, form) = layer_and_form().await;
    let limit = || RequestBodyLimitLayer::new(1000);
    check(app().layer(layer.clone()).layer(limit()), &form).await;
    let stack = ServiceBuilder::new()
        .layer(limit())
        .layer(MapRequestBodyLayer::new(Body::new))
        .layer(layer.clone())
        .layer(from_fn(pass));
    check(app().layer(stack), &form).await;
    let tuple = (
        limit(),
        MapRequestBodyLayer::new(Body::new),
        layer.clone(),
        from_fn(pass),
    );
    check(app().layer(tuple), &form).await;
    // A layer that reads no bodies needs nothing.
    let headers = ServiceBuilder::new()
        .layer(limit())
        .layer(layer.headers_only());
    let response = app().layer(headers).oneshot(post_form(&form)).await;
    assert_eq!(response.unwrap().status(), 401);
}

/// A layer that reads no bodies takes every type of body, even one that is no body.
#[tokio::test]
async fn any_request_body_if_none_is_read() {
    fn takes<B>(_: &impl Service<http::Request<B>>) {}
    struct NoBody;
    fn inner<B>() -> impl Service<http::Request<B>, Response = http::Response<()>> + Clone {
        tower::service_fn(async |_: http::Request<B>| Ok::<_, Infallible>(http::Response::new(())))
    }
    let (layer, _) = layer_and_form().await;
    let sources = TokenSources::default();
    for layer in [
        layer.clone().without_body(),
        layer.clone().headers_only(),
        layer.clone().sources(sources.without_body()),
        layer.clone().lazy().headers_only().lazy(),
    ] {
        takes::<Incoming>(&layer.layer(inner()));
        takes::<NoBody>(&layer.layer(inner()));
        takes::<tonic::body::Body>(&layer.layer(inner()));
        takes::<std::rc::Rc<()>>(&layer.layer(RequireSession::new().empty_body().layer(inner())));
    }
    // A list that is chosen at run time.
    let chosen: TokenSources = TokenSources::headers_only().into();
    takes::<Full<Bytes>>(&layer.sources(chosen).layer(inner()));
}

/// Serves one connection with hyper and returns the answer to a form.
async fn over_hyper<S, R>(service: S, form: &str) -> String
where
    S: Service<http::Request<Incoming>, Response = http::Response<R>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let connection = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(service);
        let served = connection.serve_connection(TokioIo::new(socket), service);
        served.await.ok();
    });
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    server.await.unwrap();
    response
}

#[tokio::test]
async fn hyper_services() {
    async fn state<B>(request: http::Request<B>) -> Result<http::Response<String>, Infallible> {
        let session: &Session = request.extensions().get().unwrap();
        Ok(http::Response::new(super::described(&session.state())))
    }
    let (layer, form) = layer_and_form().await;

    let wrapped = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer.clone())
        .service_fn(state);
    let response = over_hyper(wrapped, &form).await;
    assert!(response.ends_with("\r\nActive"), "{response}");

    let boxed = ServiceBuilder::new()
        .map_request(|request: http::Request<Incoming>| request.map(BodyExt::boxed))
        .layer(layer.clone())
        .service_fn(state);
    let response = over_hyper(boxed, &form).await;
    assert!(response.ends_with("\r\nActive"), "{response}");

    let without = ServiceBuilder::new()
        .layer(layer.clone().without_body())
        .service_fn(state);
    let response = over_hyper(without, &form).await;
    assert!(response.ends_with("\r\nAbsent"), "{response}");

    let router = app().layer(layer.clone());
    let response = over_hyper(router, &form).await;
    assert!(response.ends_with(&format!("\r\njo {form}")), "{response}");

    let outside = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer)
        .service(app());
    let response = over_hyper(outside, &form).await;
    assert!(response.ends_with(&format!("\r\njo {form}")), "{response}");
}
