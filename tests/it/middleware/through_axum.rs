//! The extractors, in an axum application.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::routing::{any, get as route};
use axum::{Extension, Router};
use jwt_redis_session::error::SizeUnit;
use jwt_redis_session::middleware::ClientIp;
use jwt_redis_session::session::Device;
use jwt_redis_session::{ActiveSession, SessionError, TokenRejection};

use super::*;
use crate::support::Counting;

const INTERNAL: &str = r#"{"error":"internal server error"}"#;

/// The token of a session that is gone.
async fn gone(sessions: &Sessions) -> String {
    let token = token(sessions).await;
    let session = sessions.open(&token).await.unwrap();
    assert_eq!(session.destroy().await, Ok(true));
    token
}

async fn optional(session: Option<ActiveSession>) -> &'static str {
    if session.is_some() { "in" } else { "out" }
}

/// Routes that take a session in every way.
fn routes() -> Router {
    struct Tag;
    let inside = || any(async || "in");
    let maybe = async |session: Option<Session>| session.is_some().to_string();
    Router::new()
        .route("/active", any(async |_: ActiveSession| "in"))
        .route("/require", inside().layer(RequireSession::new()))
        .route("/available", inside().layer(RequireSession::available()))
        .route("/optional", any(optional))
        .route("/any", any(async |_: Session| "in"))
        .route("/lazy", any(async |_: LazySession| "in"))
        .route("/tagged", any(async |_: Tagged<Tag>| "in"))
        .route("/lazy-tagged", any(async |_: LazyTagged<Tag>| "in"))
        .route("/maybe", any(maybe))
}

async fn send(app: &Router, path: &str, mut request: Request<Body>) -> axum::response::Response {
    let query = request.uri().query().map(|query| format!("{path}?{query}"));
    *request.uri_mut() = query.as_deref().unwrap_or(path).parse().unwrap();
    let request = request.map(axum::body::Body::new);
    app.clone().oneshot(request).await.unwrap()
}

/// Sends a request; returns the status, the headers of a rejection, and the body.
async fn answer(app: &Router, path: &str, request: Request<Body>) -> (u16, String, String) {
    let response = send(app, path, request).await;
    let headers = ["www-authenticate", "retry-after", "cache-control"].iter();
    let headers: Vec<_> = headers.filter_map(|name| header(&response, name)).collect();
    let headers = headers.join("|");
    let (status, rejected) = (response.status().as_u16(), response.status() != 200);
    assert_eq!(header(&response, "content-type") == Some(JSON), rejected);
    (status, headers, text(response.into_body()).await)
}

#[tokio::test]
async fn extractors_and_require_session_answer_alike() {
    let (faults, sessions) = sessions();
    let active = token(&sessions).await;
    let gone = gone(&sessions).await;
    let mut forged = token(&sessions).await;
    forged.pop();
    let two = get("/?accessToken=a&accessToken=b", &[]);
    let none = r#"Bearer realm="session"|no-store"#;
    let invalid = r#"Bearer realm="session", error="invalid_token"|no-store"#;
    let ambiguous = r#"Bearer realm="session", error="invalid_request"|no-store"#;
    let layer = JwtRedisSession::new(sessions);
    for app in [routes().layer(layer.clone()), routes().layer(layer.lazy())] {
        for (request, outage, status, headers, optional) in [
            (with(&active), false, 200, "", "in"),
            (with(&active), true, 503, "1|no-store", "error"),
            // The store is not needed without a valid token.
            (get("/", &[]), true, 401, none, "out"),
            (post(JSON, "{"), true, 401, none, "out"),
            (with("bad"), true, 401, invalid, "out"),
            (with(&forged), true, 401, invalid, "out"),
            (with(&gone), false, 401, invalid, "out"),
            (two.clone(), true, 400, ambiguous, "error"),
        ] {
            if outage {
                faults.fail_with(StoreErrorKind::Connection);
            }
            let active = answer(&app, "/active", request.clone()).await;
            assert_eq!((active.0, &*active.1), (status, headers));
            assert_eq!(answer(&app, "/require", request.clone()).await, active);
            let (available, ..) = answer(&app, "/available", request.clone()).await;
            assert_eq!(available, if status == 503 { 503 } else { 200 });
            let (_, _, body) = answer(&app, "/optional", request.clone()).await;
            assert!(body.contains(optional), "{body}");
            // A route that takes every state works in an outage, too.
            assert_eq!(answer(&app, "/any", request).await.2, "in");
            faults.heal();
        }
    }
}

/// The hint for the developer is in the log only.
#[tokio::test]
async fn missing_layer_is_a_generic_500() {
    let (log, _guard) = Log::record();
    let app = routes();
    let internal = (500, "no-store".to_owned(), INTERNAL.to_owned());
    for path in "active require available optional any lazy tagged lazy-tagged".split(' ') {
        let path = format!("/{path}");
        assert_eq!(answer(&app, &path, get("/", &[])).await, internal, "{path}");
    }
    let log = log.text();
    assert_eq!(log.matches("ERROR").count(), 8, "{log}");
    assert!(log.contains("JwtRedisSession::new(sessions)"), "{log}");
    assert_eq!(answer(&app, "/maybe", get("/", &[])).await.2, "false");
}

#[tokio::test]
async fn errors_are_responses_without_details() {
    let rows: Vec<(SessionError, u16)> = vec![
        (SessionError::Absent, 401),
        (SessionError::Gone, 401),
        (SessionError::Rejected(TokenRejection::Signature), 401),
        (SessionError::Rejected(TokenRejection::Ambiguous), 400),
        (SessionError::Conflict, 409),
        (SessionError::Revoked, 409),
        (SessionError::Taken, 409),
        (SessionError::too_large(77, 66, SizeUnit::Bytes), 413),
        (SessionError::Unavailable(StoreErrorKind::Auth.into()), 503),
        (SessionError::missing_field("SECRET"), 500),
        (SessionError::ReservedField("SECRET".into()), 500),
        (SessionError::InvalidOwner, 500),
        (SessionError::Corrupt, 500),
    ];
    for (error, status) in rows {
        let app = Router::new().route("/", route(async move || error));
        let (got, headers, body) = answer(&app, "/", get("/", &[])).await;
        assert_eq!(got, status);
        assert!(headers.contains("no-store"));
        assert_eq!(headers.contains("Bearer"), matches!(status, 400 | 401));
        assert!(body.starts_with(r#"{"error":""#), "{body}");
        assert!(!body.contains("SECRET") && !body.contains("77"), "{body}");
        assert_eq!(body == INTERNAL, status == 500);
    }
}

#[tokio::test]
async fn extractors_load_once_and_other_routes_never() {
    let store = Counting::new(MemoryStore::new());
    let sessions = Sessions::builder(store.clone(), keyring()).build().unwrap();
    let token = token(&sessions).await;
    let gone = gone(&sessions).await;
    let many = async |_: Session, _: ActiveSession, _: Option<Session>, lazy: LazySession| {
        let (a, b) = tokio::join!(lazy.load(), lazy.load());
        format!("{}{}", a.is_active(), b.is_active())
    };
    let loaded = async |lazy: LazySession| format!("{}", lazy.loaded().is_some());
    let routes = Router::new()
        .route("/static", route(async || "file"))
        .route("/loaded", route(loaded))
        .route("/many", route(many))
        .route("/me", route(async |_: ActiveSession| "me"));
    let layer = JwtRedisSession::new(sessions);
    let [eager, lazy] = [layer.clone(), layer.lazy()].map(|layer| routes.clone().layer(layer));
    for (path, token, loads, status) in [
        ("/static", &*token, 0, 200),
        ("/loaded", &*token, 0, 200),
        ("/missing", &*token, 0, 404),
        ("/me", "bad", 0, 401),
        ("/me", "", 0, 401),
        ("/many", &*token, 1, 200),
        ("/me", &*token, 1, 200),
        ("/me", &*gone, 1, 401),
        ("/static", &*gone, 0, 200),
    ] {
        let is_valid = usize::from(token.len() > 3);
        for (app, loads) in [(&lazy, loads), (&eager, is_valid)] {
            let before = store.calls();
            let response = send(app, path, with(token)).await;
            assert_eq!(response.status(), status, "{path} {token}");
            assert_eq!(store.calls() - before, loads, "{path} {token}");
        }
    }
}

/// Shows the device of a request, without a `ClientIp`, with one, and with one behind a proxy.
fn device_apps() -> [Router; 3] {
    let show = async |device: Device| {
        let ip = device.ip.as_ref().map(IpAddr::to_string);
        let shown = [device.name, device.user_agent, ip].map(Option::unwrap_or_default);
        shown.join("|")
    };
    let app = Router::new().route("/", any(show));
    let peer = ClientIp::new(|extensions| {
        let peer: &ConnectInfo<SocketAddr> = extensions.get()?;
        Some(peer.ip())
    });
    let proxied = peer.clone().x_forwarded_for(|proxy| proxy.is_loopback());
    [
        app.clone(),
        app.clone().layer(Extension(peer)),
        app.layer(Extension(proxied)),
    ]
}

#[tokio::test]
async fn a_device_is_filled_from_the_request() {
    let [app, peer, proxied] = &device_apps();
    let (client, proxy) = (Some("192.0.2.7"), Some("127.0.0.1"));
    let forwarded = ("x-forwarded-for", "192.0.2.9");
    let long = "x".repeat(4096);
    for (app, from, header, expected) in [
        (app, client, None, "||"),
        (peer, None, None, "||"),
        (
            peer,
            client,
            Some(("user-agent", "curl")),
            "|curl|192.0.2.7",
        ),
        (peer, proxy, Some(forwarded), "||127.0.0.1"),
        (proxied, proxy, Some(forwarded), "||192.0.2.9"),
        (proxied, client, Some(forwarded), "||192.0.2.7"),
        (
            peer,
            None,
            Some(("user-agent", &*long)),
            &format!("|{}|", &long[..512]),
        ),
    ] {
        let mut request = Request::new(Body::default());
        if let Some((name, value)) = header {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        if let Some(from) = from {
            let from = SocketAddr::new(from.parse().unwrap(), 80);
            request.extensions_mut().insert(ConnectInfo(from));
        }
        let response = send(app, "/", request).await;
        assert_eq!(text(response.into_body()).await, expected);
    }
}
