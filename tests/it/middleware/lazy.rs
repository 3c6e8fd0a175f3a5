//! Layers that load the session when it is first needed.

use futures_util::FutureExt;

use super::*;

/// Returns the `LazySession` of a request, unloaded.
async fn found(sessions: &Sessions, request: Request<Body>) -> LazySession {
    let layer = JwtRedisSession::new(sessions.clone()).lazy();
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        assert!(request.extensions().get::<Session>().is_none());
        let lazy = LazySession::of(request.extensions());
        Ok::<_, Infallible>(Response::new(lazy.expect("the layer is present")))
    }));
    service.oneshot(request).await.unwrap().into_body()
}

#[tokio::test]
async fn the_token_is_verified_without_the_store() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let form = post(FORM, format!("accessToken={token}"));
    store.fail_with(StoreErrorKind::Connection);
    for (request, known) in [
        (get("/", &[]), Some("Absent")),
        (with("bad"), Some("malformed")),
        (get("/?accessToken=a&accessToken=b", &[]), Some("ambiguous")),
        (post(JSON, "{"), Some("unsearched: malformed")),
        (with(&token), None),
        (form.clone(), None),
    ] {
        let lazy = found(&sessions, request).await;
        let loaded = lazy.loaded().map(|session| described(&session.state()));
        assert_eq!(loaded.as_deref(), known);
    }
    let lazy = found(&sessions, form).await;
    store.heal();
    assert_eq!(described(&lazy.load().await.state()), "Active");
}

#[tokio::test(start_paused = true)]
async fn all_clones_share_one_load_and_a_dropped_one_is_repeated() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let lazy = found(&sessions, with(&token)).await;
    assert!(!format!("{lazy:?}").contains(&token));
    store.delay(Duration::from_millis(10));
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
    let second = second.await.unwrap();
    second.insert("seen", "here").unwrap();
    for session in [lazy.load().await, lazy.clone().loaded().unwrap()] {
        assert_eq!(session.get("seen"), Ok(Some("here".to_owned())));
    }
}

#[cfg(all(feature = "axum", feature = "metrics"))]
mod loads {
    use axum::Router;
    use axum::routing::get as route;
    use jwt_redis_session::ActiveSession;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

    use super::*;

    fn app(layer: JwtRedisSession) -> Router {
        let many = async |_: Session, _: ActiveSession, _: Option<Session>, lazy: LazySession| {
            let (a, b) = tokio::join!(lazy.load(), lazy.load());
            format!("{}{}", a.is_active(), b.is_active())
        };
        let loaded = async |lazy: LazySession| format!("{}", lazy.loaded().is_some());
        Router::new()
            .route("/static", route(async || "file"))
            .route("/loaded", route(loaded))
            .route("/many", route(many))
            .route("/me", route(async |_: ActiveSession| "me"))
            .layer(layer)
    }

    /// Returns how often sessions were loaded from the store since the last call.
    fn taken(snapshotter: &Snapshotter) -> u64 {
        let seen = snapshotter.snapshot().into_vec();
        let loads = seen.into_iter().filter_map(|(key, _, _, value)| {
            let is_loads = key.key().name() == "jwt_redis_session_loads_total";
            match value {
                DebugValue::Counter(count) if is_loads => Some(count),
                _ => None,
            }
        });
        loads.sum()
    }

    #[tokio::test]
    async fn extractors_load_once_and_other_routes_never() {
        let recorder = DebuggingRecorder::new();
        let loads = recorder.snapshotter();
        let _guard = metrics::set_default_local_recorder(Box::leak(Box::new(recorder)));
        let (_, sessions) = sessions();
        let token = token(&sessions).await;
        let gone = gone(&sessions).await;
        let eager = app(JwtRedisSession::new(sessions.clone()));
        let lazy = app(JwtRedisSession::new(sessions.clone()).lazy());
        taken(&loads);
        for (path, token, expected, status) in [
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
            let is_valid = u64::from(token.len() > 3);
            for (app, expected) in [(&lazy, expected), (&eager, is_valid)] {
                let mut request = with(token).map(axum::body::Body::new);
                *request.uri_mut() = path.parse().unwrap();
                let response = app.clone().oneshot(request).await.unwrap();
                assert_eq!(response.status(), status, "{path} {token}");
                assert_eq!(taken(&loads), expected, "{path} {token}");
            }
        }
    }
}
