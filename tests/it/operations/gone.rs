//! Gone is gone.

use super::*;
use jwt_redis_session::Touch;

on_every_store!(
    r26_update_never_revives,
    r26_update_without_changes_tells_that_the_session_is_gone,
    r27_touch_tells_that_the_session_is_gone,
    r28_reload_tells_that_the_session_is_gone,
    r29_destroy_tells_whether_there_was_one,
    r29_after_destroy_nothing_works,
    is_alive_asks_the_store,
    peek_is_one_read_and_keep_alive_none,
    several_are_looked_at_in_one_call_if_their_store_is_one,
    keep_alive_tells_that_the_session_is_gone,
);

async fn r26_update_never_revives(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let key = key(&session);
    assert!(
        open(&sessions, &token)
            .await
            .unwrap()
            .destroy()
            .await
            .unwrap()
    );
    session.insert("b", 2).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    for outcome in [
        session.replace(json!({"c": 3})).await,
        session.update_with(|_| Ok(())).await,
    ] {
        assert_eq!(outcome, Err(SessionError::Gone));
    }
    assert!(record(&store, &key).await.is_none());
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn r26_update_without_changes_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.update().await, Ok(()));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert_eq!(session.update().await, Err(SessionError::Gone));
}

async fn r27_touch_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions).await;
    let key = key(&session);
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    assert!(record(&store, &key).await.unwrap().ttl.unwrap() <= Duration::from_secs(60));
    session.touch().await.unwrap();
    assert!(record(&store, &key).await.unwrap().ttl.unwrap() > Duration::from_secs(86_000));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert_eq!(session.touch().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    assert!(record(&store, &key).await.is_none());
    assert!(sessions.list("jo").await.unwrap().is_empty());
}

async fn r28_reload_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    other.insert("b", 2).unwrap();
    other.update().await.unwrap();
    session.reload().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1, "b": 2}));
    assert!(other.destroy().await.unwrap());
    assert_eq!(session.reload().await, Err(SessionError::Gone));
    assert!(!session.is_active());
    assert_eq!(session.id(), None);
    assert_eq!(session.update().await, Err(SessionError::Gone));
}

async fn r29_destroy_tells_whether_there_was_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    let id = id(&session);
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(false));
    assert_eq!(other.destroy().await, Ok(false));
    assert_eq!(sessions.destroy(&id).await, Ok(false));
    assert_eq!(
        sessions.from_token(token.as_str()).await.destroy().await,
        Ok(false)
    );
}

async fn r29_after_destroy_nothing_works(store: impl Store + Clone) {
    let (sessions, instance) = (sessions(store.clone()), sessions(store));
    let (session, token) = created(&sessions).await;
    let mut handles = Vec::new();
    for _ in 0..6 {
        handles.push(open(&instance, &token).await.unwrap());
    }
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(refusal(&instance, &token).await, Some(UNKNOWN));
    let outcomes = [
        handles[0].update().await,
        handles[1].touch().await,
        handles[2].reload().await,
        handles[3].rotate().await.map(drop),
        handles[4].replace(json!({})).await,
        handles[5].update_with(|_| Ok(())).await,
    ];
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == Err(SessionError::Gone)),
        "{outcomes:?}"
    );
    assert!(instance.list("jo").await.unwrap().is_empty());
}

async fn is_alive_asks_the_store(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.is_alive().await, Ok(true));
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert!(session.is_active(), "the handle knows only of its start");
    assert_eq!(session.is_alive().await, Ok(false));
    assert_eq!(session.state(), SessionState::Gone);
    assert_eq!(sessions.new_session().is_alive().await, Ok(false));
}

async fn peek_is_one_read_and_keep_alive_none(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = builder(store.clone())
        .touch(Touch::EveryRead)
        .build()
        .unwrap();
    let (session, _) = created(&sessions).await;
    let id = id(&session);
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    let before = store.calls();
    let peeked = sessions.get_without_touch(&id).await.unwrap();
    assert_eq!(
        (peeked.to_json(), peeked.owner()),
        (json!({"a": 1}), Some("jo".into()))
    );
    settle().await;
    assert_eq!(store.calls() - before, 1);
    let ttl = record(&store, &key(&session)).await.unwrap().ttl.unwrap();
    assert!(ttl <= Duration::from_secs(60));
    let default = self::sessions(store.clone());
    let peeked = default.get_without_touch(&id).await.unwrap();
    let before = store.calls();
    let lives = peeked.keep_alive().await.unwrap();
    assert_eq!(
        (lives.as_secs() + 1) / 10,
        8640,
        "the touch for 60 s is over"
    );
    assert_eq!(store.calls() - before, 1);
    assert!(peeked.keep_alive().await.unwrap() <= lives);
    assert_eq!(store.calls() - before, 1);
    let unknown = SessionId::parse("0123456789abcdef").unwrap();
    assert_eq!(
        sessions.get_without_touch(&unknown).await.unwrap_err(),
        UNKNOWN
    );
}

async fn several_are_looked_at_in_one_call_if_their_store_is_one(store: impl Store + Clone) {
    let store = Counting::new(store);
    let shared = SharedStore::from(store.clone());
    let build = |keyspace: &str| builder(shared.clone()).keyspace(keyspace).build();
    let (one, other) = (build("one:").unwrap(), build("other:").unwrap());
    let (first, _) = created(&one).await;
    let (second, _) = created(&other).await;
    let (first, second) = (id(&first), id(&second));
    let before = store.calls();
    let looks = [(&one, &first), (&other, &first), (&other, &second)];
    let looked = Sessions::get_across(looks).await;
    assert_eq!(store.calls() - before, 1);
    let owners = looked.iter().map(|look| look.as_ref().map(Session::owner));
    let jo = Ok(Some("jo".to_owned()));
    assert_eq!(
        owners.collect::<Vec<_>>(),
        [jo.clone(), Err(&UNKNOWN), jo.clone()]
    );
    // Whether two stores are one cannot always be told; then it takes longer.
    let apart = builder(store.clone()).keyspace("other:").build().unwrap();
    let looked = Sessions::get_across([(&one, &first), (&apart, &second)]).await;
    assert_eq!(store.calls() - before, 3);
    assert!(looked.iter().all(Result::is_ok));
    assert!(Sessions::get_across([]).await.is_empty());
}

async fn keep_alive_tells_that_the_session_is_gone(store: impl Store + Clone) {
    let sessions = builder(store.clone())
        .touch(Touch::After(Duration::ZERO))
        .build()
        .unwrap();
    let (session, token) = created(&sessions).await;
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    assert!(sessions.destroy(&id(&session)).await.unwrap());
    assert_eq!(session.keep_alive().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    let resolved = sessions.from_token(token.as_str()).await;
    assert_eq!(resolved.keep_alive().await, Err(UNKNOWN));
    assert_eq!(
        sessions.new_session().keep_alive().await,
        Err(SessionError::Absent)
    );
    assert!(sessions.list("jo").await.unwrap().is_empty());
}
