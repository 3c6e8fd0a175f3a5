//! Layers that load the session when it is first needed.

use std::convert::Infallible;

use futures_util::FutureExt;
use http::{Request, Response};
use jwt_redis_session::middleware::{LazySession, LazyTagged};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{
    JwtRedisSession, MemoryStore, RequireSession, Session, Sessions, Tagged, TokenSources,
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, FORM, described, get, keyring, request, sessions, token};

/// Counts how often sessions were loaded from the store since it was made.
#[cfg(feature = "metrics")]
struct Loads {
    snapshotter: metrics_util::debugging::Snapshotter,
    _guard: metrics::LocalRecorderGuard<'static>,
}

#[cfg(feature = "metrics")]
impl Loads {
    /// Records on this thread, so the test runs on one.
    fn record() -> Self {
        let recorder = Box::leak(Box::new(metrics_util::debugging::DebuggingRecorder::new()));
        Self {
            snapshotter: recorder.snapshotter(),
            _guard: metrics::set_default_local_recorder(recorder),
        }
    }

    /// Returns the loads since the last call.
    fn take(&self) -> u64 {
        let seen = self.snapshotter.snapshot().into_vec();
        let loads = seen.into_iter().filter_map(|(key, _, _, value)| {
            let is_loads = key.key().name() == "jwt_redis_session_loads_total";
            match value {
                metrics_util::debugging::DebugValue::Counter(count) if is_loads => Some(count),
                _ => None,
            }
        });
        loads.sum()
    }
}

fn lazy_session(request: &Request<Body>) -> LazySession {
    LazySession::of(request.extensions()).expect("the layer is present")
}

/// Returns the `LazySession` of a request, unloaded.
async fn found(sessions: &Sessions, asked: Request<Body>) -> LazySession {
    let layer = JwtRedisSession::new(sessions.clone()).lazy();
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        assert!(request.extensions().get::<Session>().is_none());
        Ok::<_, Infallible>(Response::new(lazy_session(&request)))
    }));
    service.oneshot(asked).await.unwrap().into_body()
}

#[tokio::test]
async fn the_token_is_verified_at_once() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    store.fail_with(StoreErrorKind::Connection);
    for (asked, known) in [
        (get("/", &[]), Some("Absent")),
        (get("/", &[("x-access-token", "bad")]), Some("malformed")),
        (get("/?accessToken=a&accessToken=b", &[]), Some("ambiguous")),
        (
            request("POST", "/", &[("content-type", "application/json")], "{"),
            Some("unsearched: malformed"),
        ),
        (get("/", &[("x-access-token", &token)]), None),
    ] {
        let lazy = found(&sessions, asked).await;
        let loaded = lazy.loaded().map(|session| described(&session.state()));
        assert_eq!(loaded.as_deref(), known);
    }
    let form = request(
        "POST",
        "/",
        &[("content-type", FORM)],
        format!("accessToken={token}"),
    );
    let lazy = found(&sessions, form).await;
    assert!(lazy.loaded().is_none());
    store.heal();
    assert_eq!(described(&lazy.load().await.state()), "Active");
}

#[tokio::test]
async fn all_clones_share_one_load() {
    #[cfg(feature = "metrics")]
    let loads = Loads::record();
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let lazy = found(&sessions, get("/", &[("x-access-token", &token)])).await;
    let other = lazy.clone();
    let (one, two) = tokio::join!(lazy.load(), other.load());
    one.insert("seen", "here").unwrap();
    for session in [two, lazy.loaded().unwrap(), other.load().await] {
        let seen: Option<String> = session.get("seen").unwrap();
        assert_eq!(seen.as_deref(), Some("here"));
    }
    #[cfg(feature = "metrics")]
    assert_eq!(loads.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_load_is_started_again() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let lazy = found(&sessions, get("/", &[("x-access-token", &token)])).await;
    store.delay(std::time::Duration::from_millis(10));
    assert!(lazy.load().now_or_never().is_none());
    assert!(lazy.loaded().is_none());
    // Of two that wait, the second goes on when the first is dropped.
    let mut first = Box::pin(lazy.load());
    assert!(first.as_mut().now_or_never().is_none());
    let second = tokio::spawn({
        let lazy = lazy.clone();
        async move { lazy.load().await }
    });
    tokio::task::yield_now().await;
    drop(first);
    assert_eq!(described(&second.await.unwrap().state()), "Active");
}

#[tokio::test]
async fn require_session_loads_and_attaches_the_session() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let gone = super::token(&sessions).await;
    let id = sessions.open(&gone).await.unwrap().id().unwrap();
    sessions.destroy(&id).await.unwrap();
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions).lazy().headers_only())
        .layer(RequireSession::new())
        .service_fn(async |request: Request<Body>| {
            let session: &Session = request.extensions().get().unwrap();
            let user: Option<String> = session.get("user").unwrap();
            Ok::<_, Infallible>(Response::new(user.unwrap_or_default()))
        });
    for (token, status) in [(&*token, 200), (&*gone, 401), ("bad", 401), ("", 401)] {
        let asked = get("/", &[("x-access-token", token)]);
        let response = service.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.status(), status, "{token}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().contains_key("vary"));
        assert_eq!(response.body() == "jo", status == 200);
    }
    store.fail_with(StoreErrorKind::Timeout);
    let asked = get("/", &[("x-access-token", &token)]);
    let response = service.oneshot(asked).await.unwrap();
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn r20_headers_are_those_of_an_eager_layer() {
    #[derive(Clone, Copy, Debug)]
    enum Use {
        None,
        Load,
        State,
        Data,
    }
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let eager = JwtRedisSession::new(sessions);
    let layers = [eager.clone(), eager.lazy()];
    for uses in [Use::None, Use::Load, Use::State, Use::Data] {
        for asked in [
            get("/", &[]),
            get("/", &[("x-access-token", &token)]),
            get("/", &[("x-access-token", "bad")]),
            get(&format!("/?accessToken={token}"), &[]),
        ] {
            let mut headers = Vec::new();
            for layer in &layers {
                let service = layer.layer(service_fn(async |request: Request<Body>| {
                    let lazy = lazy_session(&request);
                    match uses {
                        Use::None => {}
                        Use::Load => drop(lazy.load().await),
                        Use::State => drop(lazy.load().await.state()),
                        Use::Data => drop(lazy.load().await.to_json()),
                    }
                    Ok::<_, Infallible>(Response::new(()))
                }));
                let response = service.oneshot(asked.clone()).await.unwrap();
                headers.push(response.into_parts().0.headers);
            }
            assert_eq!(headers[0], headers[1], "{uses:?} {}", asked.uri());
        }
    }
}

struct Admin;

/// A layer for admins, one for users, and the token of an admin.
async fn admins_and_users() -> (JwtRedisSession, JwtRedisSession, String) {
    let (_, users) = sessions();
    let admins = Sessions::builder(MemoryStore::new(), keyring()).keyspace("admin:");
    let admins = admins.build().unwrap();
    let token = token(&admins).await;
    let layer = JwtRedisSession::new(admins)
        .sources(TokenSources::token_arg("adminToken").unwrap())
        .tagged::<Admin>();
    (layer, JwtRedisSession::new(users), token)
}

#[tokio::test]
async fn r22_tagged_layers_have_a_lazy_counterpart() {
    let (admins, users, token) = admins_and_users().await;
    for lazy in [false, true] {
        let (outer, inner) = match lazy {
            true => (admins.clone().lazy(), users.clone()),
            false => (admins.clone(), users.clone().lazy()),
        };
        let service = ServiceBuilder::new().layer(outer).layer(inner).service_fn(
            async |request: Request<Body>| {
                let extensions = request.extensions();
                let tagged = LazyTagged::<Admin>::of(extensions).unwrap();
                assert_eq!(Tagged::<Admin>::of(extensions).is_none(), lazy);
                assert_eq!(tagged.loaded().is_none(), lazy);
                // The nearest layer wins, lazy or not.
                assert_eq!(extensions.get::<Session>().is_some(), lazy);
                assert_eq!(extensions.get::<LazySession>().is_none(), lazy);
                let states = [
                    described(&tagged.load().await.state()),
                    described(&lazy_session(&request).load().await.state()),
                ];
                Ok::<_, Infallible>(Response::new(states.join(" ")))
            },
        );
        let asked = get("/", &[("x-admin-token", &token)]);
        let response = service.oneshot(asked).await.unwrap();
        assert_eq!(response.body(), "Active Absent");
    }
}

#[tokio::test]
async fn r22_a_tagged_lazy_session_can_be_required() {
    let (admins, users, token) = admins_and_users().await;
    let service = ServiceBuilder::new()
        .layer(admins.lazy())
        .layer(users.lazy())
        .layer(RequireSession::new().tagged::<Admin>())
        .service_fn(async |request: Request<Body>| {
            let tagged = Tagged::<Admin>::of(request.extensions()).unwrap();
            Ok::<_, Infallible>(Response::new(described(&tagged.state())))
        });
    let asked = get("/", &[("x-admin-token", &token)]);
    let response = service.oneshot(asked).await.unwrap();
    assert_eq!(response.body(), "Active");
}

#[test]
fn debug_prints_no_secret() {
    let (_, sessions) = sessions();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let (lazy, id) = { runtime }.build().unwrap().block_on(async {
        let token = token(&sessions).await;
        let id = sessions.open(&token).await.unwrap().id().unwrap();
        let lazy = found(&sessions, get("/", &[("x-access-token", &token)])).await;
        (lazy, id)
    });
    let text = format!("{lazy:?}");
    assert!(!text.contains(id.as_str()), "{text}");
}

#[cfg(all(feature = "axum", feature = "metrics"))]
fn app(layer: JwtRedisSession) -> axum::Router {
    use axum::routing::get as route;
    use jwt_redis_session::ActiveSession;

    let many = async |_: Session, _: ActiveSession, _: Option<Session>, lazy: LazySession| {
        let (a, b) = tokio::join!(lazy.load(), lazy.load());
        format!("{}{}", a.is_active(), b.is_active())
    };
    let look = async |lazy: LazySession| format!("{}", lazy.loaded().is_some());
    axum::Router::new()
        .route("/static", route(async || "file"))
        .route("/look", route(look))
        .route("/many", route(many))
        .route("/me", route(async |_: ActiveSession| "me"))
        .layer(layer)
}

#[cfg(all(feature = "axum", feature = "metrics"))]
#[tokio::test]
async fn extractors_load_once_and_other_routes_never() {
    let loads = Loads::record();
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let gone = super::token(&sessions).await;
    let id = sessions.open(&gone).await.unwrap().id().unwrap();
    sessions.destroy(&id).await.unwrap();
    let eager = app(JwtRedisSession::new(sessions.clone()));
    let lazy = app(JwtRedisSession::new(sessions.clone()).lazy());
    loads.take();
    for (path, token, expected, status) in [
        ("/static", &*token, 0, 200),
        ("/look", &*token, 0, 200),
        ("/missing", &*token, 0, 404),
        ("/me", "bad", 0, 401),
        ("/me", "", 0, 401),
        ("/many", &*token, 1, 200),
        ("/me", &*token, 1, 200),
        ("/me", &*gone, 1, 401),
        ("/static", &*gone, 0, 200),
    ] {
        let asked = || get(path, &[("x-access-token", token)]).map(axum::body::Body::new);
        let response = lazy.clone().oneshot(asked()).await.unwrap();
        assert_eq!(response.status(), status, "{path} {token}");
        assert_eq!(loads.take(), expected, "{path} {token}");
        let response = eager.clone().oneshot(asked()).await.unwrap();
        assert_eq!(response.status(), status, "{path} {token}");
        let is_good = token != "bad" && !token.is_empty();
        assert_eq!(loads.take(), u64::from(is_good), "{path} {token}");
    }
}
