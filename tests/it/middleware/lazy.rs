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
async fn token_is_verified_without_the_store() {
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
