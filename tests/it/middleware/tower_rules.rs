//! R22, F31: the layers keep the rules of tower.

use std::fmt::Debug;
use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use jwt_redis_session::{JwtRedisSession, RequireSession, Sessions};
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::{Body, FORM, describe, get, header, request, session, sessions, token};

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
        let _ = session(&request).state();
        std::future::ready(match request.uri().path() {
            "/error" => Err("of the inner service"),
            _ => Ok(Response::new("fine".to_owned())),
        })
    }
}

/// One request of each path through the layer: none, a bad, a good token; a body without and with.
async fn every_path(sessions: &Sessions, path: &str) -> Vec<Request<Body>> {
    let token = token(sessions).await;
    let form = [("content-type", FORM)];
    vec![
        get(path, &[]),
        get(path, &[("x-access-token", "bad")]),
        get(path, &[("x-access-token", &token)]),
        request("POST", path, &form, "a=1"),
        request("POST", path, &form, format!("accessToken={token}")),
    ]
}

/// Calls this very service, not a clone of it.
async fn ask<S>(service: &mut S, asked: Request<Body>) -> S::Response
where
    S: Service<Request<Body>>,
    S::Error: Debug,
{
    service.ready().await.unwrap().call(asked).await.unwrap()
}

fn layer(sessions: &Sessions) -> JwtRedisSession {
    JwtRedisSession::new(sessions.clone())
}

#[tokio::test]
async fn r22_the_service_that_was_ready_is_the_one_called() {
    let (_, sessions) = sessions();
    let once = layer(&sessions);
    let mut plain = once.layer(Strict::default());
    let mut nested = once.layer(layer(&sessions).layer(Strict::default()));
    let mut limited = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Strict::default());
    let mut buffered = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(layer(&sessions))
        .layer(BufferLayer::new(1))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Strict::default());
    for asked in every_path(&sessions, "/").await {
        let answers = [
            ask(&mut plain, asked.clone()).await,
            ask(&mut nested, asked.clone()).await,
            ask(&mut limited, asked.clone()).await,
            ask(&mut buffered, asked).await,
        ];
        for answer in answers {
            assert_eq!(answer.body(), "fine");
        }
    }
}

#[tokio::test]
async fn r22_errors_of_the_inner_service_pass() {
    let (_, sessions) = sessions();
    let service = layer(&sessions).layer(Strict::default());
    for asked in every_path(&sessions, "/error").await {
        let error = service.clone().oneshot(asked).await.unwrap_err();
        assert_eq!(error, "of the inner service");
    }
}

#[tokio::test]
async fn r22_a_refusal_frees_what_being_ready_had_reserved() {
    let (_, sessions) = sessions();
    let mut one = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(RequireSession::new())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Strict::default());
    let mut other = one.clone();
    assert_eq!(ask(&mut one, get("/", &[])).await.status(), 401);
    assert!(
        ServiceExt::<Request<Body>>::ready(&mut other)
            .now_or_never()
            .is_some(),
        "a connection at rest keeps its place"
    );
}

#[tokio::test]
async fn r22_services_and_futures_can_be_sent() {
    fn is_layer<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = layer(&sessions().1);
    is_layer(&layer);
    is_layer(&RequireSession::new());
    fn is_send<T: Send + 'static>(_: T) {}
    let mut service = layer.layer(Strict::default());
    is_layer(&service);
    let ready = ServiceExt::<Request<Body>>::ready(&mut service);
    is_send(ready.await.unwrap().call(get("/", &[])));
}

#[tokio::test]
async fn r22_neither_send_nor_static_is_asked_of_the_inner_service() {
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
    for asked in every_path(&sessions, "/").await {
        service.clone().oneshot(asked).await.unwrap();
    }
    assert_eq!(local.get(), 5);
}

#[tokio::test]
async fn f31_a_panic_of_a_handler_leaves_the_layer_usable() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let asked = move |path| get(path, &[("x-access-token", &token)]);
    let service =
        ServiceBuilder::new()
            .layer(layer(&sessions))
            .service_fn(async |request: Request<Body>| {
                let session = session(&request);
                session.insert("n", 1).unwrap();
                assert_ne!(request.uri().path(), "/panic", "on purpose");
                session.update().await.unwrap();
                describe(request).await
            });
    let panic = tokio::spawn(service.clone().oneshot(asked("/panic"))).await;
    assert!(panic.unwrap_err().is_panic());
    let answer = service.oneshot(asked("/")).await.unwrap();
    assert_eq!(header(&answer, "state"), Some("Active"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_at_any_point_does_no_harm() {
    let (faults, sessions) = sessions();
    let service = ServiceBuilder::new()
        .layer(layer(&sessions))
        .layer(ConcurrencyLimitLayer::new(1))
        .service_fn(async |request: Request<Body>| {
            session(&request).touch().await.ok();
            tokio::time::sleep(Duration::from_millis(10)).await;
            describe(request).await
        });
    for asked in every_path(&sessions, "/").await {
        faults.delay(Duration::from_millis(10));
        let whole = service.clone().oneshot(asked.clone()).await.unwrap();
        for patience in (0..50).step_by(5).map(Duration::from_millis) {
            let mut service = service.clone();
            let response = service.ready().await.unwrap().call(asked.clone());
            let _ = tokio::time::timeout(patience, response).await;
        }
        let again = service.clone().oneshot(asked).await.unwrap();
        assert_eq!(header(&again, "state"), header(&whole, "state"));
        faults.heal();
    }
}
