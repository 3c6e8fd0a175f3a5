//! R19, R20: what `RequireSession` answers, and which headers responses get.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{JwtRedisSession, RequireSession, SessionRejection, Sessions};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, FORM, Log, describe, get, header, request, session, sessions, token};

async fn answer(
    sessions: &Sessions,
    require: &RequireSession,
    asked: Request<Body>,
) -> Response<Body> {
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions.clone()).body_limit(100))
        .layer(require)
        .service_fn(describe);
    service.oneshot(asked).await.unwrap()
}

#[tokio::test]
async fn r19_every_state_has_its_answer() {
    let (_, sessions) = sessions();
    let require = RequireSession::new().realm(r#"the "shop""#).unwrap();
    let gone = token(&sessions).await;
    let id = sessions.open(&gone).await.unwrap().id().unwrap();
    sessions.destroy(&id).await.unwrap();
    let mut forged = token(&sessions).await;
    forged.pop();
    let form = [("content-type", FORM)];
    let json = [("content-type", "application/json")];
    let with = |token: &str| get("/", &[("x-access-token", token)]);
    let invalid = Some("invalid_token");
    for (asked, status, error) in [
        (get("/", &[]), 401, None),
        (with("bad"), 401, invalid),
        (with(&gone), 401, invalid),
        (with(&forged), 401, invalid),
        (
            get("/?accessToken=a&accessToken=b", &[]),
            400,
            Some("invalid_request"),
        ),
        (request("POST", "/", &json, "{"), 401, None),
        (request("POST", "/", &form, "x".repeat(101)), 401, None),
    ] {
        let answer = answer(&sessions, &require, asked).await;
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert!(header(&answer, "vary").is_some());
        assert_eq!(header(&answer, "state"), None);
        let error = error.map_or_else(String::new, |error| format!(r#", error="{error}""#));
        let challenge = format!(r#"Bearer realm="the \"shop\""{error}"#);
        assert_eq!(header(&answer, "www-authenticate"), Some(&*challenge));
    }
}

#[tokio::test]
async fn r19_an_outage_is_503_with_retry_after() {
    let (faults, sessions) = sessions();
    let require = RequireSession::new();
    let living = token(&sessions).await;
    let asked = || get("/", &[("x-access-token", &living)]);
    assert_eq!(answer(&sessions, &require, asked()).await.status(), 200);
    faults.fail_with(StoreErrorKind::Connection);
    let down = answer(&sessions, &require, asked()).await;
    assert_eq!(down.status(), 503);
    assert_eq!(header(&down, "retry-after"), Some("1"));
    assert_eq!(header(&down, "www-authenticate"), None);
    // The store is not needed for a request without a token.
    let absent = answer(&sessions, &require, get("/", &[])).await;
    assert_eq!(absent.status(), 401);
}

#[tokio::test]
async fn r19_fail_closed_answers_for_an_outage_only() {
    let (faults, sessions) = sessions();
    let (token, require) = (token(&sessions).await, RequireSession::available());
    for headers in [
        &[][..],
        &[("x-access-token", "bad")],
        &[("x-access-token", &*token)],
    ] {
        let answer = answer(&sessions, &require, get("/", headers)).await;
        assert_eq!(answer.status(), 200);
    }
    faults.fail_with(StoreErrorKind::Timeout);
    let down = answer(&sessions, &require, get("/", &[("x-access-token", &token)])).await;
    assert_eq!(down.status(), 503);
    assert_eq!(
        answer(&sessions, &require, get("/", &[])).await.status(),
        200
    );
}

/// The hint for the developer is in the log only.
#[tokio::test]
async fn r19_a_missing_layer_is_a_generic_500_and_logged() {
    let log = Log::default();
    let _guard = log.record();
    let custom = RequireSession::new()
        .respond_with(|rejection: &SessionRejection| rejection.response(rejection.to_json()));
    let custom = ServiceBuilder::new()
        .layer(custom)
        .service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::default()));
    let answer = custom.oneshot(get("/", &[])).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body(), r#"{"error":"internal server error"}"#);
    let log = log.text();
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("JwtRedisSession::new(sessions)"), "{log}");
}

#[tokio::test]
async fn r19_bodies_of_rejections() {
    let inner = |_: Request<Body>| async { Ok::<_, Infallible>(Response::<String>::default()) };
    let default = RequireSession::new().layer(service_fn(inner));
    let answer = default.oneshot(get("/", &[])).await.unwrap();
    assert_eq!(answer.body(), r#"{"error":"internal server error"}"#);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let empty = RequireSession::new().empty_body();
    let answer = empty.layer(service_fn(inner)).oneshot(get("/", &[])).await;
    let answer = answer.unwrap();
    assert_eq!(answer.body(), "");
    assert!(!answer.headers().contains_key("content-type"));
}

#[test]
fn r19_a_realm_is_printable_ascii() {
    for realm in ["a\nb", "a\0", "Łódź"] {
        assert!(RequireSession::new().realm(realm).is_err());
    }
}

/// The headers of the answer of `handler` under the default layer.
async fn headers_of<F>(sessions: &Sessions, asked: Request<Body>, handler: F) -> http::HeaderMap
where
    F: AsyncFn(jwt_redis_session::Session, &mut Response<()>) + Clone,
{
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions.clone()))
        .service_fn(async |request: Request<Body>| {
            let mut response = Response::new(());
            handler(session(&request), &mut response).await;
            Ok::<_, Infallible>(response)
        });
    let response = service.oneshot(asked).await.unwrap();
    response.into_parts().0.headers
}

#[tokio::test]
async fn r20_headers_follow_what_was_done_with_the_session() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let asked = || get("/", &[("x-access-token", &token)]);

    let idle = headers_of(&sessions, asked(), async |_, _| {}).await;
    assert!(idle.is_empty(), "{idle:?}");

    let looked = headers_of(&sessions, asked(), async |session, _| {
        assert!(session.is_active());
    })
    .await;
    assert_eq!(looked["vary"], "x-access-token, authorization");
    assert!(!looked.contains_key("cache-control"));

    for read in [
        headers_of(&sessions, asked(), async |session, _| {
            drop(session.to_json());
        })
        .await,
        headers_of(&sessions, asked(), async |session, _| drop(session.id())).await,
        headers_of(&sessions, asked(), async |session, _| drop(session.owner())).await,
        headers_of(&sessions, asked(), async |session, _| {
            drop(session.claims());
        })
        .await,
    ] {
        assert_eq!(read["cache-control"], "no-store");
        assert_eq!(read["vary"], "x-access-token, authorization");
        assert!(!read.contains_key("referrer-policy"));
    }

    let issued = headers_of(&sessions, get("/", &[]), async |session, _| {
        session.create().await.unwrap();
    });
    assert_eq!(issued.await["cache-control"], "no-store");
}

#[tokio::test]
async fn r20_a_token_in_the_query_and_headers_of_the_application() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let query = || get(&format!("/?accessToken={token}"), &[]);
    let in_query = headers_of(&sessions, query(), async |_, _| {}).await;
    assert_eq!(in_query["cache-control"], "no-store");
    assert_eq!(in_query["referrer-policy"], "no-referrer");

    let own = headers_of(&sessions, query(), async |session, response| {
        drop(session.to_json());
        for (name, value) in [
            ("cache-control", "private"),
            ("referrer-policy", "origin"),
            ("vary", "Accept, X-Access-Token"),
        ] {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    })
    .await;
    assert_eq!(own["cache-control"], "private");
    assert_eq!(own["referrer-policy"], "origin");
    let vary: Vec<_> = own.get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept, X-Access-Token", "authorization"]);
}

#[tokio::test]
async fn r20_vary_can_be_left_to_others() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions).vary(false);
    let service = ServiceBuilder::new().layer(layer).service_fn(describe);
    let response = service.oneshot(get("/", &[])).await.unwrap();
    assert_eq!(header(&response, "vary"), None);
}
