//! Sessions under an id that the caller chose.

use jwt_redis_session::token::TokenError;

use super::*;

on_every_store!(
    a_session_is_created_under_the_chosen_id,
    a_taken_id_leaves_no_trace,
    a_tombstone_is_waited_out_unless_it_is_abandoned,
    opaque_tokens_and_bad_claims_are_rejected_before_the_store,
);

const ID: &str = "chosen-by-the-caller";

fn chosen() -> SessionId {
    SessionId::parse(ID).unwrap()
}

async fn create(sessions: &Sessions, owner: Option<&str>) -> Result<Token, SessionError> {
    prepared(sessions, owner).create().id(chosen()).await
}

async fn a_session_is_created_under_the_chosen_id(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let session = prepared(&sessions, Some("jo"));
    let creation = session.create().id(chosen()).claims(json!({"v": 1}));
    let token = creation.await.unwrap();
    assert_eq!(id(&session), chosen());
    assert_eq!(session.claims().unwrap().get("v"), Ok(Some(1)));
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.to_json(), json!({"a": 1}));
    assert_eq!(metadata(&store, &key(&session)).await.len(), 4, "a nonce");
    session.update().await.unwrap();
    let metadata = metadata(&store, &key(&session)).await;
    assert_eq!(metadata.len(), 2, "the next write drops the nonce");
}

/// Returns the elements of `_jrs`.
async fn metadata(store: &impl Store, key: &str) -> Vec<Value> {
    let record: Value = serde_json::from_str(&text(store, key).await).unwrap();
    record["_jrs"].as_array().unwrap().clone()
}

async fn a_taken_id_leaves_no_trace(store: impl Store + Clone) {
    let counting = Counting::new(store.clone());
    let sessions = sessions(counting.clone());
    let token = create(&sessions, Some("jo")).await.unwrap();
    let key = format!("sess:{ID}");
    let before = (text(&store, &key).await, entries(&store, INDEX).await);
    for owner in [None, Some("jo"), Some("al")] {
        let calls = counting.calls();
        let session = prepared(&sessions, owner);
        let outcome = session.create().id(chosen()).await;
        assert_eq!(outcome.unwrap_err(), SessionError::Taken);
        assert_eq!(counting.calls() - calls, 1);
        assert!(matches!(session.state(), SessionState::Absent { .. }));
        assert!(session.contains_key("a"), "what was set is kept");
    }
    settle().await;
    let after = (text(&store, &key).await, entries(&store, INDEX).await);
    assert_eq!(after, before);
    assert!(entries(&store, "sess::al:").await.is_empty());
    let session = open(&sessions, &token).await.unwrap();
    for is_record in [true, false] {
        spoil(&store, &session, is_record).await;
        for owner in [None, Some("jo")] {
            let outcome = create(&sessions, owner).await;
            assert_eq!(outcome.unwrap_err(), SessionError::Taken);
        }
    }
}

#[tokio::test]
async fn the_undo_of_a_creation_keeps_the_session_of_another() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let token = create(&sessions, None).await.unwrap();
    faults.on(Step::Insert).lose_replies(1);
    assert_unavailable(create(&sessions, None).await, StoreErrorKind::Timeout);
    settle().await;
    assert!(open(&sessions, &token).await.is_ok());
}

async fn a_tombstone_is_waited_out_unless_it_is_abandoned(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    for (since, expected) in [(now, Err(SessionError::Revoked)), (now - 61, Ok(()))] {
        let entry = NewEntry::new(INDEX, ID, 1, Duration::from_secs(60));
        let put = store.index_put(entry, PutMode::Reactivate).await;
        put.unwrap();
        let deleting = store.index_tombstone_all(INDEX, None, since).await;
        deleting.unwrap();
        let outcome = create(&sessions, Some("jo")).await.map(drop);
        assert_eq!(outcome, expected);
        let stored = record(&store, &format!("sess:{ID}")).await;
        assert_eq!(stored.is_some(), expected.is_ok());
    }
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
}

async fn opaque_tokens_and_bad_claims_are_rejected_before_the_store(store: impl Store + Clone) {
    let counting = Counting::new(store);
    let opaque = Sessions::builder(counting.clone(), OpaqueTokens::new());
    let rejected = create(&opaque.build().unwrap(), Some("jo")).await;
    let unsupported = SessionError::Token(TokenError::IdUnsupported);
    assert_eq!(rejected.unwrap_err(), unsupported);
    let sessions = sessions(counting.clone());
    for claims in [json!(5), json!({"jti": "x"})] {
        let creation = sessions.new_session().create().id(chosen());
        match creation.claims(&claims).await.unwrap_err() {
            SessionError::Encode { .. } => assert!(claims.is_number()),
            error => assert!(matches!(error, SessionError::Token(_)), "{error}"),
        }
    }
    assert_eq!(counting.calls(), 0);
}
