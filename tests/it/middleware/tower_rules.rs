//! The layers keep the rules of tower.

use std::fmt::Debug;
use std::future::pending;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use futures_util::{FutureExt, stream};
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;

use super::*;
use crate::support::alive_tasks;

/// Panics if it is called without having been polled ready; its clones are not ready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(mem::take(&mut self.ready), "called unready");
        std::future::ready(match request.uri().path() {
            "/error" => Err("of the inner service"),
            "/panic" => panic!("of the inner service"),
            _ => Ok(Response::new("fine".to_owned())),
        })
    }
}

/// One request of each path through the layer: none, a bad, a good token; a body without and with.
async fn every_path(sessions: &Sessions) -> Vec<Request<Body>> {
    let token = token(sessions).await;
    vec![
        get("/", &[]),
        with("bad"),
        with(&token),
        post(FORM, "a=1"),
        post(FORM, format!("accessToken={token}")),
    ]
}

/// Calls this very service, not a clone of it.
async fn call<S>(service: &mut S, request: Request<Body>) -> S::Response
where
    S: Service<Request<Body>>,
    S::Error: Debug,
{
    service.ready().await.unwrap().call(request).await.unwrap()
}

fn layer(sessions: &Sessions) -> JwtRedisSession {
    JwtRedisSession::new(sessions.clone())
}

#[tokio::test]
async fn service_that_was_ready_is_the_one_called() {
    let (_, sessions) = sessions();
    let once = || layer(&sessions);
    let available = RequireSession::available();
    let mut plain = once().layer(Strict::default());
    let mut nested = once().layer(once().layer(Strict::default()));
    let mut required = once().layer(available.layer(Strict::default()));
    let mut lazy = once().lazy().layer(available.layer(Strict::default()));
    let mut buffered = ServiceBuilder::new()
        .layer(once())
        .layer(once())
        .layer(BufferLayer::new(1))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Strict::default());
    for request in every_path(&sessions).await {
        for answer in [
            call(&mut plain, request.clone()).await,
            call(&mut nested, request.clone()).await,
            call(&mut required, request.clone()).await,
            call(&mut lazy, request.clone()).await,
            call(&mut buffered, request).await,
        ] {
            assert_eq!(answer.body(), "fine");
        }
    }
}

#[tokio::test]
async fn errors_and_panics_of_the_inner_service_pass() {
    let (_, sessions) = sessions();
    let mut service = layer(&sessions).layer(Strict::default());
    for request in every_path(&sessions).await {
        let [mut failing, mut panicking] = [request.clone(), request.clone()];
        *failing.uri_mut() = "/error".parse().unwrap();
        *panicking.uri_mut() = "/panic".parse().unwrap();
        let failed = service.clone().oneshot(failing).await;
        assert_eq!(failed.unwrap_err(), "of the inner service");
        let unwound = AssertUnwindSafe(call(&mut service, panicking));
        assert!(unwound.catch_unwind().await.is_err());
        assert_eq!(call(&mut service, request).await.body(), "fine");
    }
}

#[tokio::test]
async fn rejection_frees_what_being_ready_had_reserved() {
    let (_, sessions) = sessions();
    let mut one = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(RequireSession::new())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Strict::default());
    let mut other = one.clone();
    assert_eq!(call(&mut one, get("/", &[])).await.status(), 401);
    let ready = ServiceExt::<Request<Body>>::ready(&mut other).now_or_never();
    assert!(ready.is_some(), "an idle connection reserves nothing");
}

#[tokio::test]
async fn dropped_future_leaves_nothing_behind() {
    type Boxed = UnsyncBoxBody<Bytes, Infallible>;
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let mut service = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(ConcurrencyLimitLayer::new(1))
        .service_fn(|_: Request<Boxed>| pending::<Result<Response<()>, Infallible>>());
    let late = StreamBody::new(stream::pending()).boxed_unsync();
    let reading = Request::post("/").header("content-type", FORM).body(late);
    let [loading, calling] = [with(&token), get("/", &[])];
    store.delay(Duration::from_secs(60));
    for request in [
        reading.unwrap(),
        loading.map(BodyExt::boxed_unsync),
        calling.map(BodyExt::boxed_unsync),
    ] {
        let response = service.ready().await.unwrap().call(request);
        assert!(response.now_or_never().is_none());
        let ready = ServiceExt::<Request<Boxed>>::ready(&mut service).now_or_never();
        assert!(ready.is_some(), "the permit is back");
        assert_eq!(alive_tasks(), 0);
    }
}

/// The inner service and its errors need neither be `Send` nor live for ever.
#[tokio::test]
async fn bounds_are_no_stricter_than_needed() {
    let (_, sessions) = sessions();
    let local = std::rc::Rc::new(std::cell::Cell::new(0));
    let calls = &*local;
    let service =
        ServiceBuilder::new()
            .layer(layer(&sessions))
            .service_fn(|_: Request<Body>| async move {
                calls.set(calls.get() + 1);
                Ok::<_, std::rc::Rc<()>>(Response::new(calls))
            });
    for request in every_path(&sessions).await {
        service.clone().oneshot(request).await.unwrap();
    }
    assert_eq!(local.get(), 5);
}
