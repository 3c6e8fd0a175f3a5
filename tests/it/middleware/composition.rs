//! The layer among the layers of axum and tower-http.
//!
//! Each test sends a token in a body through the whole stack: it type-checks, the session is found
//! and the handler gets the body.

use std::rc::Rc;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_extractor, from_fn, map_request, map_response};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http_body::Frame;
use http_body_util::StreamBody;
use jwt_redis_session::ActiveSession;
use jwt_redis_session::middleware::SessionBody;
use tower::util::{BoxCloneSyncServiceLayer, option_layer};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use super::*;

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
    assert_eq!(text(response.into_body()).await, format!("jo {form}"));
}

/// Checks a stack around a router and around a handler.
macro_rules! check {
    ($stack:expr, $form:expr) => {
        let stack = $stack;
        check(app().layer(stack.clone()), $form).await;
        let handler = post(echo.layer(stack));
        check(Router::new().route("/", handler), $form).await;
    };
}

fn app() -> Router {
    Router::new().route("/", post(echo))
}

#[tokio::test]
async fn every_kind_of_layer_call_in_axum() {
    let (layer, form) = layer_and_form().await;
    check!(layer.clone(), &form);
    check(app().route_layer(layer.clone()), &form).await;
    let method_router = post(echo).layer(layer.clone());
    check(Router::new().route("/", method_router), &form).await;
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
    let others = || {
        let response = map_response(async |response: Response| response);
        (from_fn(pass), map_request(same), response, Extension(7_u8))
    };
    let stack = ServiceBuilder::new()
        .layer(others())
        .layer(layer.clone())
        .layer(others())
        .layer(from_fn(pass_session))
        .layer(from_extractor::<ActiveSession>())
        .layer(RequireSession::new())
        .map_request(|request: Request| request);
    check!(stack, &form);
    // The shortest ones, without anything that could hide a type.
    let two = ServiceBuilder::new().layer(layer.clone());
    check!(two.layer(from_fn(pass)), &form);
    check!((from_fn(pass), layer.clone()), &form);
    check!((layer, from_fn(pass_session), map_request(same)), &form);
}

#[tokio::test]
async fn tower_http_outside_and_inside() {
    let (layer, form) = layer_and_form().await;
    let timeout = (http::StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(9));
    let others = || {
        ServiceBuilder::new()
            .layer(CatchPanicLayer::new())
            .layer(TraceLayer::new_for_http())
            .layer(CorsLayer::permissive())
            .layer(CompressionLayer::new())
            .layer(TimeoutLayer::with_status_code(timeout.0, timeout.1))
    };
    check!(others().layer(layer.clone()).layer(from_fn(pass)), &form);
    let require = RequireSession::new().empty_body();
    let limit = RequestBodyLimitLayer::new(1000);
    check!((from_fn(pass), layer, require, others(), limit), &form);
}

/// axum looks for the limit in an error and its source, so the layer must not wrap errors.
#[tokio::test]
async fn outer_length_limit_is_still_413() {
    let (layer, _) = layer_and_form().await;
    let app = Router::new()
        .route("/", post(async |body: String| body))
        .layer(layer)
        .layer(RequestBodyLimitLayer::new(10));
    let chunks = ["a=1&b=2", "&c=3&d=4"].map(Ok::<_, Infallible>);
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let request = Request::post("/").header("content-type", FORM);
    let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), 413);
}

/// A layer that reads no bodies takes every type of body, even one that is no body.
#[tokio::test]
async fn types_of_request_bodies() {
    fn takes<B>(_: &impl Service<http::Request<B>>) {}
    struct NoBody;
    fn inner<B>() -> impl Service<http::Request<B>, Response = http::Response<()>> + Clone {
        service_fn(async |_: http::Request<B>| Ok::<_, Infallible>(http::Response::new(())))
    }
    let (layer, _) = layer_and_form().await;
    let sources = TokenSources::default();
    for layer in [
        layer.clone().without_body(),
        layer.clone().sources(sources.without_body()),
        layer.clone().lazy().headers_only().lazy(),
    ] {
        takes::<hyper::body::Incoming>(&layer.layer(inner()));
        takes::<NoBody>(&layer.layer(inner()));
        takes::<tonic::body::Body>(&layer.layer(inner()));
        takes::<Rc<()>>(&layer.layer(RequireSession::new().empty_body().layer(inner())));
    }
    // A wrapped body and its errors need not be `Send`.
    type Frames = std::vec::IntoIter<Result<Frame<Bytes>, Rc<()>>>;
    type Local = StreamBody<futures_util::stream::Iter<Frames>>;
    takes::<SessionBody<Local>>(&layer.layer(inner()));
    let wrap = ServiceBuilder::new().map_request(SessionBody::wrap);
    takes::<hyper::body::Incoming>(&wrap.layer(layer.clone()).service(app()));
    // A list that is chosen at run time.
    let chosen: TokenSources = TokenSources::headers_only().into();
    takes::<Full<Bytes>>(&layer.sources(chosen).layer(inner()));
}
