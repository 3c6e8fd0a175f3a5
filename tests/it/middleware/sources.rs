//! R14 to R18, R21: what the layer finds, and what the handler sees of it.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use jwt_redis_session::middleware::JwtRedisSessionService;
use jwt_redis_session::{JwtRedisSession, TokenSource, TokenSources};
use tower::util::ServiceFn;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, FORM, Log, describe, get, header, request, session, sessions, token};

/// A handler that reports what it sees.
type Describe = ServiceFn<fn(Request<Body>) -> Describing>;
type Describing = futures_util::future::BoxFuture<'static, Result<Response<Body>, Infallible>>;

/// What the handler of a request under `layer` tells: state, query, body.
async fn seen<P>(layer: &JwtRedisSession<P>, request: Request<Body>) -> (String, String, String)
where
    JwtRedisSessionService<Describe, P>:
        Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let service = layer.layer(service_fn(
        (|request| Box::pin(describe(request))) as fn(_) -> Describing,
    ));
    let response = service.oneshot(request).await.unwrap();
    let state = header(&response, "state").unwrap().to_owned();
    let query = header(&response, "query").unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (state, query, String::from_utf8(body.to_vec()).unwrap())
}

async fn state<P>(layer: &JwtRedisSession<P>, request: Request<Body>) -> String
where
    JwtRedisSessionService<Describe, P>:
        Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    seen(layer, request).await.0
}

#[tokio::test]
async fn r14_every_source_and_their_order() {
    let (_, sessions) = sessions();
    let (t, layer) = (token(&sessions).await, JwtRedisSession::new(sessions));
    let bearer = format!("bEARER  {t}");
    let query = format!("/p?accessToken={t}");
    let form = format!("a=1&accessToken={t}");
    let json = format!(r#"{{"accessToken":"{t}"}}"#);
    for found in [
        get("/", &[("X-Access-Token", &t)]),
        get("/", &[("AUTHORIZATION", &bearer)]),
        get(&query, &[]),
        request("POST", "/", &[("content-type", FORM)], form.clone()),
        request("PUT", "/", &[("content-type", "application/json")], json),
        get(
            &query,
            &[("x-access-token", ""), ("authorization", "Basic x")],
        ),
    ] {
        assert_eq!(state(&layer, found).await, "Active");
    }
    let form = || request("POST", "/", &[("content-type", FORM)], form.clone());
    let headers_only = layer.clone().headers_only();
    assert_eq!(state(&headers_only, get(&query, &[])).await, "Absent");
    assert_eq!(state(&headers_only, form()).await, "Absent");
    let without_body = layer.without_body();
    assert_eq!(state(&without_body, get(&query, &[])).await, "Active");
    assert_eq!(state(&without_body, form()).await, "Absent");
}

#[tokio::test]
async fn r14_the_first_source_wins() {
    let (_, sessions) = sessions();
    let query = format!("/p?accessToken={}", token(&sessions).await);
    let layer = JwtRedisSession::new(sessions);
    for (headers, expected) in [
        (vec![("x-access-token", "bad")], "malformed"),
        (vec![("authorization", "Bearer")], "malformed"),
        (
            vec![("x-access-token", "a"), ("X-Access-Token", "b")],
            "ambiguous",
        ),
        (
            vec![("authorization", "Bearer a"), ("authorization", "Basic b")],
            "ambiguous",
        ),
    ] {
        assert_eq!(
            state(&layer, get(&query, &headers)).await,
            expected,
            "{headers:?}"
        );
    }
    assert_eq!(
        state(&layer, get("/?accessToken=a&accessToken=b", &[])).await,
        "ambiguous"
    );
    assert_eq!(
        state(&layer, get("/", &[("authorization", "Token x")])).await,
        "Absent"
    );
}

#[tokio::test]
async fn r14_a_token_in_the_address_is_seen_by_nobody_further_in() {
    let log = Log::default();
    let _guard = log.record();
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .layer(tower_http::trace::TraceLayer::new_for_http())
        .service_fn(describe);
    let asked = get(&format!("/p?a=1&accessToken={token}&b=2"), &[]);
    let response = service.oneshot(asked).await.unwrap();
    assert_eq!(header(&response, "state"), Some("Active"));
    assert_eq!(header(&response, "query"), Some("a=1&b=2"));
    let log = log.text();
    assert!(log.contains("/p?a=1&b=2"), "{log}");
    assert!(log.contains("source=\"query\""), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test]
async fn r17_an_argument_of_ones_own() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let fancy = TokenSources::token_arg("fancyAccessToken").unwrap();
    let layer = JwtRedisSession::new(sessions).sources(fancy);
    let found = get("/", &[("x-fancy-access-token", &token)]);
    assert_eq!(state(&layer, found).await, "Active");
    let found = get(&format!("/?fancyAccessToken={token}"), &[]);
    assert_eq!(state(&layer, found).await, "Active");
    let other = get(
        &format!("/?accessToken={token}"),
        &[("x-access-token", &token)],
    );
    let (state, query, _) = seen(&layer, other).await;
    assert_eq!(state, "Absent");
    assert_eq!(query, format!("accessToken={token}"));
}

#[tokio::test]
async fn r18_bodies_come_as_they_were() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).body_limit(1000);
    let form = format!("a=1&accessToken={token}&b=%20");
    let nested = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let long = "x".repeat(1001);
    let json = "application/json;charset=utf-8";
    for (method, content_type, body, expected) in [
        ("POST", FORM, &*form, "Active"),
        ("POST", FORM, "", "Absent"),
        ("POST", FORM, "x", "Absent"),
        ("POST", FORM, &long, "unsearched: too_large"),
        ("POST", json, &nested, "Absent"),
        ("POST", json, "{", "unsearched: malformed"),
        ("POST", json, r#"{"accessToken":1}"#, "malformed"),
        (
            "POST",
            json,
            r#"{"accessToken":"a","accessToken":"b"}"#,
            "ambiguous",
        ),
        ("POST", "text/plain", &form, "Absent"),
        ("GET", FORM, &form, "Absent"),
        ("OPTIONS", FORM, &form, "Absent"),
    ] {
        let asked = request(
            method,
            "/",
            &[("content-type", content_type)],
            body.to_owned(),
        );
        let (state, _, seen) = seen(&layer, asked).await;
        assert_eq!(state, expected, "{method} {content_type} {body}");
        assert_eq!(seen, body);
    }
}

type Never = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, String>;

#[tokio::test(start_paused = true)]
async fn r18_a_body_that_does_not_come_is_given_up() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions).body_deadline(Duration::from_secs(3));
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(async |request: Request<Never>| {
            let state = session(&request).state();
            Ok::<_, String>(Response::new(super::described(&state)))
        });
    type Frame = Result<http_body::Frame<bytes::Bytes>, String>;
    let never = StreamBody::new(futures_util::stream::pending::<Frame>()).boxed_unsync();
    let request = Request::post("/").header("content-type", FORM).body(never);
    let start = tokio::time::Instant::now();
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.body(), "unsearched: timed_out");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn r21_upgrades_have_a_handle_and_keep_their_body() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions.clone());
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("content-type", FORM),
    ];
    let asked = request("POST", "/", &upgrade, format!("accessToken={token}"));
    let (state, _, body) = seen(&layer, asked).await;
    assert_eq!((&*state, body), ("Absent", format!("accessToken={token}")));

    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(async |request: Request<Body>| {
            let mut response = Response::new(());
            response.extensions_mut().insert(session(&request));
            Ok::<_, String>(response)
        });
    let asked = get("/", &[("upgrade", "websocket"), ("x-access-token", &token)]);
    let response = service.oneshot(asked).await.unwrap();
    let socket: &jwt_redis_session::Session = response.extensions().get().unwrap();
    assert_eq!(socket.is_alive().await, Ok(true));
    sessions.destroy(&socket.id().unwrap()).await.unwrap();
    assert_eq!(socket.is_alive().await, Ok(false));
}

#[tokio::test]
async fn r14_cookies_if_asked_for() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let sources = TokenSources::headers_only().with(TokenSource::cookie("sid"));
    let layer = JwtRedisSession::new(sessions).sources(sources);
    let cookie = format!("a=b; sid={token}");
    assert_eq!(
        state(&layer, get("/", &[("cookie", &cookie)])).await,
        "Active"
    );
}
