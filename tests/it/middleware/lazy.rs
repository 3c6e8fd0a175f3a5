//! Layers that load the session when it is first needed.

use futures_util::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn all_clones_share_one_load_and_a_dropped_one_is_repeated() {
    let (store, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).lazy();
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let lazy = LazySession::of(request.extensions());
        Ok::<_, Infallible>(Response::new(lazy.expect("the layer is present")))
    }));
    let lazy = service.oneshot(with(&token)).await.unwrap().into_body();
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
