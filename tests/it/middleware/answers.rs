//! The answers of `RequireSession`, and the headers of other responses.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use jwt_redis_session::middleware::LazySession;
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{JwtRedisSession, RequireSession, Session, SessionRejection};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, FORM, JSON, describe, get, gone, header, post, sessions, token, with};
use crate::log::Log;

#[tokio::test]
async fn each_state_has_its_answer() {
    let (faults, sessions) = sessions();
    let active = token(&sessions).await;
    let gone = gone(&sessions).await;
    let mut forged = token(&sessions).await;
    forged.pop();
    let layer = JwtRedisSession::new(sessions).body_limit(100);
    let two = get("/?accessToken=a&accessToken=b", &[]);
    let large = post(FORM, "x".repeat(101));
    let invalid = r#", error="invalid_token""#;
    let rows = [
        (with(&active), false, 200, None),
        (with(&active), true, 503, None),
        // The store is not needed without a valid token.
        (get("/", &[]), true, 401, Some("")),
        (with("bad"), true, 401, Some(invalid)),
        (with(&forged), true, 401, Some(invalid)),
        (with(&gone), false, 401, Some(invalid)),
        (two, true, 400, Some(r#", error="invalid_request""#)),
        (post(JSON, "{"), true, 401, Some("")),
        (large, true, 401, Some("")),
    ];
    for layer in [layer.clone(), layer.lazy()] {
        let require = RequireSession::new().realm(r#"the "shop""#).unwrap();
        let required = layer.layer(require.layer(service_fn(describe)));
        let available = layer.layer(RequireSession::available().layer(service_fn(describe)));
        for (request, outage, status, challenge) in rows.clone() {
            if outage {
                faults.fail_with(StoreErrorKind::Connection);
            }
            let answer = required.clone().oneshot(request.clone()).await.unwrap();
            assert_eq!(answer.status(), status);
            let passed = status == 200;
            assert_eq!(header(&answer, "state").is_some(), passed);
            assert!(header(&answer, "vary").is_some());
            assert_eq!(
                header(&answer, "cache-control") == Some("no-store"),
                !passed
            );
            assert_eq!(header(&answer, "retry-after") == Some("1"), status == 503);
            let challenge = challenge.map(|more| format!(r#"Bearer realm="the \"shop\""{more}"#));
            assert_eq!(header(&answer, "www-authenticate"), challenge.as_deref());

            let answer = available.clone().oneshot(request).await.unwrap();
            let expected = if status == 503 { 503 } else { 200 };
            assert_eq!(answer.status(), expected);
            faults.heal();
        }
    }
}

/// The hint for the developer is in the log only.
#[tokio::test]
async fn a_missing_layer_is_a_generic_500_and_logged() {
    let (log, _guard) = Log::record();
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::default()));
    let custom = |rejection: &SessionRejection| rejection.response(rejection.message().to_owned());
    let require = RequireSession::new();
    let answers = [
        require.layer(inner).oneshot(get("/", &[])).await,
        require
            .clone()
            .empty_body()
            .layer(inner)
            .oneshot(get("/", &[]))
            .await,
        require
            .respond_with(custom)
            .layer(inner)
            .oneshot(get("/", &[]))
            .await,
    ];
    let expected = [
        (r#"{"error":"internal server error"}"#, Some(JSON)),
        ("", None),
        ("internal server error", None),
    ];
    for (answer, (body, content_type)) in answers.into_iter().zip(expected) {
        let answer: Response<String> = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.body(), body);
        assert_eq!(header(&answer, "content-type"), content_type);
    }
    let log = log.text();
    assert!(
        log.contains("ERROR") && log.contains("JwtRedisSession::new(sessions)"),
        "{log}"
    );
}

#[test]
fn a_realm_is_printable_ascii() {
    for realm in ["a\nb", "a\0", "Łódź"] {
        assert!(RequireSession::new().realm(realm).is_err());
    }
}

/// What a handler does with the session of its request.
type Use = fn(&Session);

const VARY: &str = "x-access-token, authorization";

/// The headers of a response after `uses`: `Cache-Control`, `Vary`, `Referrer-Policy`.
async fn headers(layer: &JwtRedisSession, request: Request<Body>, uses: Option<Use>) -> String {
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let lazy = LazySession::of(request.extensions()).unwrap();
        if let Some(uses) = uses {
            uses(&lazy.load().await);
        }
        Ok::<_, Infallible>(Response::new(()))
    }));
    let response = service.oneshot(request).await.unwrap();
    let names = ["cache-control", "vary", "referrer-policy"];
    let values = names.iter().filter_map(|name| header(&response, name));
    values.collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn headers_follow_the_use_of_the_session() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let query = || get(&format!("/?accessToken={token}"), &[]);
    let layer = JwtRedisSession::new(sessions);
    let read = format!("no-store|{VARY}");
    let read_query = format!("no-store|{VARY}|no-referrer");
    let rows: [(Request<Body>, Option<Use>, &str); 11] = [
        (with(&token), None, ""),
        (with(&token), Some(|_| ()), ""),
        (
            with(&token),
            Some(|session| assert!(session.is_active())),
            VARY,
        ),
        (with(&token), Some(|session| drop(session.to_json())), &read),
        (with(&token), Some(|session| drop(session.id())), &read),
        (with(&token), Some(|session| drop(session.owner())), &read),
        (with(&token), Some(|session| drop(session.claims())), &read),
        (
            get("/", &[]),
            Some(|session| assert!(!session.is_active())),
            VARY,
        ),
        (
            with("bad"),
            Some(|session| assert!(!session.is_active())),
            VARY,
        ),
        (query(), None, "no-store|no-referrer"),
        (
            query(),
            Some(|session| drop(session.to_json())),
            &read_query,
        ),
    ];
    for (number, (request, uses, expected)) in rows.into_iter().enumerate() {
        for layer in [layer.clone(), layer.clone().lazy()] {
            let headers = headers(&layer, request.clone(), uses).await;
            assert_eq!(headers, expected, "row {number}");
        }
    }
    let is_active: Use = |session| drop(session.state());
    assert_eq!(
        headers(&layer.vary(false), with("bad"), Some(is_active)).await,
        ""
    );
}

#[tokio::test]
async fn a_response_with_a_new_token_is_not_stored() {
    let (_, sessions) = sessions();
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .service_fn(async |request: Request<Body>| {
            let token = super::session(&request).create().await.unwrap();
            Ok::<_, Infallible>(Response::new(token.into_string()))
        });
    let response = service.oneshot(get("/", &[])).await.unwrap();
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn headers_of_the_application_remain() {
    let (_, sessions) = sessions();
    let query = format!("/?accessToken={}", token(&sessions).await);
    let set = [
        ("cache-control", "private"),
        ("referrer-policy", "origin"),
        ("vary", "Accept, X-Access-Token"),
    ];
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .service_fn(async |request: Request<Body>| {
            drop(super::session(&request).to_json());
            let mut response = Response::builder();
            for (name, value) in set {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(()).unwrap())
        });
    let response = service.oneshot(get(&query, &[])).await.unwrap();
    for (name, value) in set {
        assert_eq!(header(&response, name), Some(value));
    }
    let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(vary[1..], ["authorization"]);
}
