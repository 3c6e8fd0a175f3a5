//! Where the layer looks for tokens, and what the handler sees of the request.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use jwt_redis_session::{JwtRedisSession, TokenSource, TokenSources};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, FORM, JSON, describe, described, get, header, post, request};
use super::{session, sessions, text, token, with};
use crate::log::Log;

/// Returns the state and the query that the handler sees; its body must be the one that was sent.
async fn seen<S, R>(service: S, request: Request<Body>) -> String
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible>,
    R: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let sent = text(request.body().clone()).await;
    let response = service.oneshot(request).await.unwrap();
    let [state, query] = ["state", "query"].map(|name| header(&response, name).unwrap().to_owned());
    assert_eq!(text(response.into_body()).await, sent);
    format!("{state} {query}").trim_end().to_owned()
}

#[tokio::test]
async fn default_sources() {
    let (_, sessions) = sessions();
    let t = &*token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).body_limit(1000);
    let service = layer.layer(service_fn(describe));
    let bearer = format!("bEARER  {t}");
    let query = format!("/p?a=1&accessToken={t}&b=2");
    let form = format!("a=1&accessToken={t}&b=%20");
    let json = format!(r#"{{"accessToken":"{t}"}}"#);
    let valid = ("x-access-token", t);
    let post_with = |name, value, content_type, body: &str| {
        let headers = [(name, value), ("content-type", content_type)];
        request("POST", "/", &headers, body.to_owned())
    };
    let typed =
        |method, body: &str| request(method, "/", &[("content-type", FORM)], body.to_owned());
    for (request, expected) in [
        (get("/", &[]), "Absent"),
        (with(t), "Active"),
        (get("/", &[("AUTHORIZATION", &bearer)]), "Active"),
        (get("/", &[("authorization", "Token x")]), "Absent"),
        (get(&query, &[]), "Active a=1&b=2"),
        (get("/?accessToken=a&accessToken=b", &[]), "ambiguous"),
        (typed("POST", &form), "Active"),
        (typed("PUT", &form), "Active"),
        (
            post("application/json;charset=utf-8", json.clone()),
            "Active",
        ),
        // The first source with a value wins, and its token leaves the query in any case.
        (
            get(
                &query,
                &[("x-access-token", ""), ("authorization", "Basic x")],
            ),
            "Active a=1&b=2",
        ),
        (
            get(&query, &[("x-access-token", "bad")]),
            "malformed a=1&b=2",
        ),
        (
            get(&query, &[("x-access-token", "a"), ("X-Access-Token", "b")]),
            "ambiguous a=1&b=2",
        ),
        (post_with(valid.0, valid.1, JSON, "{"), "Active"),
        (
            post_with(valid.0, valid.1, FORM, &"x".repeat(1001)),
            "Active",
        ),
        (post_with(valid.0, "bad", FORM, &form), "malformed"),
        // Bodies that give no token arrive unchanged, with the reason in the state.
        (typed("POST", ""), "Absent"),
        (typed("POST", &"x".repeat(1001)), "unsearched: too_large"),
        (
            post(JSON, format!("{}{}", "[".repeat(400), "]".repeat(400))),
            "Absent",
        ),
        (post(JSON, "{"), "unsearched: malformed"),
        (post(JSON, r#"{"accessToken":1}"#), "malformed"),
        (
            post(JSON, r#"{"accessToken":"a","accessToken":"b"}"#),
            "ambiguous",
        ),
        // Bodies that are not searched.
        (post("text/plain", form.clone()), "Absent"),
        (typed("GET", &form), "Absent"),
        (typed("OPTIONS", &form), "Absent"),
        (post_with("upgrade", "websocket", FORM, &form), "Absent"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(seen(service.clone(), request).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn other_sources() {
    let (_, sessions) = sessions();
    let t = &*token(&sessions).await;
    let layer = JwtRedisSession::new(sessions);
    let query = get(&format!("/?accessToken={t}"), &[]);
    let kept = format!("Absent accessToken={t}");
    let form = post(FORM, format!("accessToken={t}"));

    let headers_only = layer.clone().headers_only().layer(service_fn(describe));
    assert_eq!(seen(headers_only.clone(), query.clone()).await, kept);
    assert_eq!(seen(headers_only, form.clone()).await, "Absent");

    let without_body = layer.clone().without_body().layer(service_fn(describe));
    assert_eq!(seen(without_body.clone(), query.clone()).await, "Active");
    assert_eq!(seen(without_body, form.clone()).await, "Absent");

    let named = TokenSources::token_arg("fancyAccessToken").unwrap();
    let named = layer.clone().sources(named).layer(service_fn(describe));
    assert_eq!(seen(named.clone(), query).await, kept);
    for (request, expected) in [
        (get("/", &[("x-fancy-access-token", t)]), "Active"),
        (get(&format!("/?fancyAccessToken={t}"), &[]), "Active"),
        (post(FORM, format!("fancyAccessToken={t}")), "Active"),
        (with(t), "Absent"),
        (form, "Absent"),
    ] {
        assert_eq!(seen(named.clone(), request).await, expected);
    }

    let cookie = TokenSources::headers_only().with(TokenSource::cookie("sid"));
    let cookie = layer.sources(cookie).layer(service_fn(describe));
    let request = get("/", &[("cookie", &format!("a=b; sid={t}"))]);
    assert_eq!(seen(cookie, request).await, "Active");
}

#[tokio::test]
async fn inner_layers_see_no_token_in_the_uri() {
    let (log, _guard) = Log::record();
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .layer(tower_http::trace::TraceLayer::new_for_http())
        .service_fn(describe);
    let query = get(&format!("/p?a=1&accessToken={token}&b=2"), &[]);
    assert_eq!(seen(service.clone(), query).await, "Active a=1&b=2");
    seen(service, post(JSON, "{")).await;
    let log = log.text();
    for event in [
        "/p?a=1&b=2",
        "source=\"query\"",
        "request body not searched for a token reason=\"malformed\"",
    ] {
        assert!(log.contains(event), "{log}");
    }
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test(start_paused = true)]
async fn late_bodies_are_not_waited_for() {
    type Late = UnsyncBoxBody<Bytes, Infallible>;
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions).body_deadline(Duration::from_secs(3));
    let service = layer.layer(service_fn(async |request: Request<Late>| {
        let state = described(&session(&request).state());
        Ok::<_, Infallible>(Response::new(state))
    }));
    let late: Late = StreamBody::new(futures_util::stream::pending()).boxed_unsync();
    let request = Request::post("/").header("content-type", FORM).body(late);
    let start = tokio::time::Instant::now();
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.body(), "unsearched: timed_out");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}
