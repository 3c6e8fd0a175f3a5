//! The handle of a request.

use super::by_the_clock::both;
use super::*;

on_every_store!(
    clones_of_a_handle_are_one_session,
    tasks_on_clones_do_not_lose_each_others_changes,
    without_a_session_operations_say_why,
    opaque_tokens_go_through_every_operation,
    load_is_one_round_trip_and_a_bad_token_none,
    verify_tells_what_a_token_says_and_asks_nobody,
);

async fn clones_of_a_handle_are_one_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = sessions.new_session();
    let clone = session.clone();
    session.insert("a", 1).unwrap();
    let token = clone.create().await.unwrap();
    assert_eq!(id(&session), id(&clone));
    assert!(clone.destroy().await.unwrap());
    assert_eq!(session.state(), SessionState::Gone);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn tasks_on_clones_do_not_lose_each_others_changes(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    let (session, token) = created(&sessions).await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let session = session.clone();
            tokio::spawn(async move {
                session.insert(format!("k{number}"), number).unwrap();
                session.update().await.unwrap();
                let count = |data: &mut jwt_redis_session::SessionData| {
                    data.insert("a", data.get::<u32>("a")?.unwrap_or(0) + 1)
                };
                session.update_with(count).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.get("a").unwrap(), Some(21));
    for number in 0..20 {
        assert_eq!(again.get(&format!("k{number}")).unwrap(), Some(number));
    }
}

async fn without_a_session_operations_say_why(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let refused = SessionError::Rejected(TokenRejection::Malformed);
    for (session, error) in [
        (sessions.new_session(), SessionError::Absent),
        (sessions.from_token("x").await, refused),
    ] {
        let outcomes = [
            session.update().await,
            session.replace(json!({})).await,
            session.update_with(|_| Ok(())).await,
            session.reload().await,
            session.touch().await,
            session.rotate().await.map(drop),
            session.destroy().await.map(drop),
            session.destroy_all().await.map(drop),
            session.destroy_others().await.map(drop),
            session.list().await.map(drop),
        ];
        for outcome in outcomes {
            assert_eq!(outcome.as_ref(), Err(&error));
        }
    }
    assert_eq!(store.calls(), 0);
}

async fn load_is_one_round_trip_and_a_bad_token_none(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let before = store.calls();
    open(&sessions, &token).await.unwrap();
    settle().await;
    assert_eq!(store.calls() - before, 1);
    session.insert("b", 2).unwrap();
    session.update().await.unwrap();
    assert_eq!(store.calls() - before, 2);
    let forged = format!("{}x", token.as_str());
    for bad in ["", "x", &forged, &token.as_str()[1..]] {
        assert!(matches!(
            sessions.open(bad).await,
            Err(SessionError::Rejected(_))
        ));
    }
    assert_eq!(store.calls() - before, 2);
}

async fn opaque_tokens_go_through_every_operation(store: impl Store + Clone) {
    let tokens = OpaqueTokens::new()
        .size(128)
        .unwrap()
        .encoding(Encoding::Hex);
    let lifetime = Duration::from_secs(900);
    let sessions = Sessions::builder(store.clone(), tokens).lifetime(both(lifetime));
    let sessions = sessions.build().unwrap();
    let (session, token) = created(&sessions).await;
    assert_eq!(token.as_str().len(), 256);
    assert!(!key(&session).contains(token.as_str()));
    assert!(!text(&store, &key(&session)).await.contains(token.as_str()));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.claims().map(drop), None);
    assert!(again.absolute_expiry().is_some());
    again.insert("b", 2).unwrap();
    again.update().await.unwrap();
    again.touch().await.unwrap();
    let rotated = again.rotate().await.unwrap();
    assert_ne!(rotated, token);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(session.reload().await, Err(SessionError::Gone));
    let third = open(&sessions, &rotated).await.unwrap();
    assert_eq!(third.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(third.absolute_expiry(), again.absolute_expiry());
    assert_eq!(listed(&sessions, "jo").await, [id(&third)]);
    let claims = sessions
        .new_session()
        .create()
        .claims(json!({"x": 1}))
        .await;
    assert!(matches!(claims, Err(SessionError::Token(_))));
    assert_eq!(third.destroy().await, Ok(true));
    assert_eq!(refusal(&sessions, &rotated).await, Some(UNKNOWN));
}

async fn verify_tells_what_a_token_says_and_asks_nobody(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let session = sessions.new_session();
    let claims = json!({"sessionVersion": "3"});
    let token = session.create().claims(claims).await.unwrap();
    let id = id(&session);
    assert_eq!(session.destroy().await, Ok(true));
    let calls = store.calls();
    let verified = sessions.verify(token.as_str()).unwrap();
    assert_eq!(*verified.id(), id);
    let claims = verified.claims().unwrap();
    assert_eq!(claims.get("sessionVersion"), Ok(Some("3".to_owned())));
    assert!(!format!("{verified:?}").contains(id.as_str()));
    let forged = format!("{}x", token.as_str());
    assert!(sessions.verify(&forged).is_err());
    let ends = builder(store.clone()).lifetime(both(Duration::from_secs(60)));
    let refused = ends.build().unwrap().verify(token.as_str());
    assert_eq!(
        refused.unwrap_err(),
        TokenRejection::Claim,
        "it never runs out"
    );
    let opaque = Sessions::builder(store.clone(), OpaqueTokens::new());
    let opaque = opaque.build().unwrap();
    assert!(opaque.verify(token.as_str()).is_err());
    assert!(opaque.verify(&"A".repeat(43)).unwrap().claims().is_none());
    assert_eq!(store.calls(), calls);
    let refused = sessions.from_token(token.as_str()).await;
    assert_eq!(
        refused.claims().map(drop),
        None,
        "a dead session's are not the handle's"
    );
}
