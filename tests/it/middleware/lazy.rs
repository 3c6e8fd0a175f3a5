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

fn other_keyring() -> Keyring {
    Keyring::hs256("another secret of at least 32 bytes").unwrap()
}

/// Answers with the session of the request, and loads it if the path is `/used`.
async fn lazy_session(request: Request<Body>) -> Result<Response<LazySession>, Infallible> {
    let lazy = LazySession::of(request.extensions()).expect("the layer is present");
    if request.uri().path() == "/used" {
        for session in [lazy.load().await, lazy.clone().load().await] {
            assert!(!session.is_active());
        }
    }
    Ok(Response::new(lazy))
}

#[tokio::test]
async fn a_bad_token_is_rejected_once_if_the_session_is_used_and_otherwise_ignored() {
    let (faults, sessions) = sessions();
    let forger = Sessions::builder(MemoryStore::new(), other_keyring());
    let forged = token(&forger.build().unwrap()).await;
    // Neither case needs the store.
    faults.fail_with(StoreErrorKind::Connection);
    let sources = TokenSources::default().with(TokenSource::WebSocketProtocol);
    let layer = JwtRedisSession::new(sessions).sources(sources).lazy();
    let service = layer.layer(service_fn(lazy_session));
    let bearer = format!("Bearer {forged}");
    let protocols = format!("bearer, {forged}");
    let handshake = [
        ("upgrade", "websocket"),
        ("sec-websocket-protocol", &*protocols),
    ];
    for request in [
        with(&forged),
        get("/", &[("authorization", &bearer)]),
        get(&format!("/?accessToken={forged}"), &[]),
        get("/", &handshake),
        post(FORM, format!("accessToken={forged}")),
        post(JSON, format!(r#"{{"accessToken":"{forged}"}}"#)),
    ] {
        for (path, rejections, vary) in [("/unused", 0, false), ("/used", 1, true)] {
            let mut request = request.clone();
            let query = request.uri().query().unwrap_or_default();
            *request.uri_mut() = format!("{path}?{query}").parse().unwrap();
            let (log, _guard) = Log::record();
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(header(&response, "vary").is_some(), vary);
            let lazy = response.into_body();
            let log = log.text();
            assert_eq!(log.matches("token rejected").count(), rejections, "{log}");
            for text in [log, format!("{lazy:?}")] {
                assert!(!text.contains(&*forged), "{text}");
            }
            let state = lazy.loaded().map(|session| described(&session.state()));
            assert_eq!(state.as_deref(), (rejections == 1).then_some("signature"));
        }
    }
}

#[tokio::test]
async fn a_token_is_verified_when_the_session_is_loaded_and_not_again() {
    let keyring = keyring();
    let sessions = Sessions::builder(MemoryStore::new(), keyring.clone());
    let sessions = sessions.build().unwrap();
    let token = token(&sessions).await;
    let service = JwtRedisSession::new(sessions)
        .lazy()
        .layer(service_fn(lazy_session));
    let [before, after] = ["/", "/"].map(|_| service.clone().oneshot(with(&token)));
    let [before, after] = [before.await, after.await].map(|it| it.unwrap().into_body());
    assert!(before.load().await.is_active());
    // From now on no key verifies the token.
    keyring.replace(&other_keyring());
    for lazy in [before.clone(), before] {
        assert!(lazy.load().await.is_active());
    }
    let rejected = after.load().await.state();
    assert_eq!(described(&rejected), "signature");
}

#[tokio::test]
async fn credentials_of_a_wrong_form_are_rejected_even_if_the_session_is_not_used() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions).lazy();
    let service = layer.layer(service_fn(lazy_session));
    for (credentials, reason) in [
        ("Bearer a b", "malformed"),
        ("Bearer a, Bearer b", "ambiguous"),
    ] {
        let (log, _guard) = Log::record();
        let request = get("/unused", &[("authorization", credentials)]);
        let response = service.clone().oneshot(request).await.unwrap();
        let loaded = response.into_body().loaded();
        let state = loaded.map(|session| described(&session.state()));
        assert_eq!(state.as_deref(), Some(reason));
        assert_eq!(log.text().matches("token rejected").count(), 1);
    }
}
