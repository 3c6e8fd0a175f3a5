//! What is stored, and merged.

use super::*;

on_every_store!(
    r34_too_large_is_refused_before_the_store,
    r34_reserved_fields_are_refused,
    r34_leftovers_of_node_are_dropped,
    r34_what_is_no_record_is_corrupt_and_left_alone,
    r35_changes_of_two_handles_both_survive,
    r35_values_are_kept_to_the_letter,
    r35_a_removed_field_goes_and_null_is_a_value,
    reload_drops_local_changes,
    replace_replaces_all_and_keeps_the_owner,
    update_with_runs_again_when_others_write,
    update_with_that_fails_writes_nothing,
    conflict_after_bounded_retries,
);

async fn r34_too_large_is_refused_before_the_store(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = builder(store.clone()).max_size(200).build().unwrap();
    let (session, token) = created(&sessions).await;
    let calls = store.calls();
    let large = "x".repeat(200);
    let too_large = |error: SessionError| {
        assert!(matches!(error, SessionError::TooLarge { limit: 200, size, .. } if size > 200));
    };
    session.insert("large", &large).unwrap();
    too_large(session.update().await.unwrap_err());
    too_large(session.rotate().await.unwrap_err());
    too_large(session.create().await.unwrap_err());
    too_large(session.replace(json!({"large": large})).await.unwrap_err());
    too_large(session.update_with(|_| Ok(())).await.unwrap_err());
    assert_eq!(store.calls(), calls);
    assert!(session.is_active());
    session.remove("large");
    session.update().await.unwrap();
    assert!(open(&sessions, &token).await.is_ok());
}

async fn r34_reserved_fields_are_refused(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    for field in ["_jrs", "id", "jwt", "claims"] {
        let reserved = Err(SessionError::ReservedField(field.into()));
        assert_eq!(session.insert(field, 1), reserved);
        assert_eq!(session.merge(json!({field: 1})), reserved);
        assert_eq!(session.replace(json!({field: 1})).await, reserved);
        assert!(!session.contains_key(field));
    }
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn r34_leftovers_of_node_are_dropped(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let id = SessionId::random();
    insert(
        &store,
        &id,
        r#"{"id":"x","jwt":"T","claims":{"jti":"x"},"foo":"bar"}"#,
    )
    .await;
    let session = sessions.get(&id).await.unwrap();
    assert_eq!(session.to_json(), json!({"foo": "bar"}));
    assert_eq!((session.owner(), session.created_at()), (None, None));
    session.insert("n", 1).unwrap();
    session.update().await.unwrap();
    assert_eq!(text(&store, &key(&session)).await, r#"{"foo":"bar","n":1}"#);
}

async fn r34_what_is_no_record_is_corrupt_and_left_alone(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for value in ["\"str\"", "null", "[]", "{", "", "{\"_jrs\":7}"] {
        let id = SessionId::random();
        insert(&store, &id, value).await;
        let refused = sessions.get(&id).await.unwrap_err();
        assert_eq!(
            refused,
            SessionError::Rejected(TokenRejection::Corrupt),
            "{value}"
        );
        assert_eq!(text(&store, &format!("sess:{}", id.as_str())).await, value);
    }
}

async fn r35_changes_of_two_handles_both_survive(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (a, token) = created(&sessions).await;
    let b = open(&sessions, &token).await.unwrap();
    a.insert("x", json!({"of": "a"})).unwrap();
    a.insert("both", "a").unwrap();
    b.insert("y", [1, 2]).unwrap();
    b.insert("both", "b").unwrap();
    a.update().await.unwrap();
    b.update().await.unwrap();
    let merged = json!({"a": 1, "x": {"of": "a"}, "y": [1, 2], "both": "b"});
    assert_eq!(b.to_json(), merged, "the handle holds what is stored");
    assert_eq!(open(&sessions, &token).await.unwrap().to_json(), merged);
}

async fn r35_values_are_kept_to_the_letter(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let fields = format!(
        r#""e":[],"o":{{}},"big":12345678901234567890123,"f":1.0,"x":1e400,"u":"\u00e9\ud800","__proto__":{{"constructor":1}},"deep":{deep}"#
    );
    let id = SessionId::random();
    insert(&store, &id, &format!("{{{fields}}}")).await;
    let session = sessions.get(&id).await.unwrap();
    session.insert("n", 12_345_678_901_234_567_u64).unwrap();
    session.update().await.unwrap();
    let whole = format!(r#"{{{fields},"n":12345678901234567}}"#);
    assert_eq!(text(&store, &key(&session)).await, whole);
    assert_eq!(sessions.get(&id).await.unwrap().to_raw_json().get(), whole);
    session.rotate().await.unwrap();
    assert_eq!(text(&store, &key(&session)).await, whole);
}

async fn r35_a_removed_field_goes_and_null_is_a_value(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (a, token) = created(&sessions).await;
    let b = open(&sessions, &token).await.unwrap();
    assert!(a.remove("a"));
    a.insert("none", Value::Null).unwrap();
    b.insert("a", "set meanwhile").unwrap();
    b.update().await.unwrap();
    a.update().await.unwrap();
    assert_eq!(
        open(&sessions, &token).await.unwrap().to_json(),
        json!({"none": null})
    );
}

async fn reload_drops_local_changes(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    session.insert("b", 2).unwrap();
    session.remove("a");
    session.reload().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1}));
    session.update().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn replace_replaces_all_and_keeps_the_owner(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let other = open(&sessions, &token).await.unwrap();
    other.insert("b", 2).unwrap();
    other.update().await.unwrap();
    session.insert("c", 3).unwrap();
    session.replace(json!({"d": 4})).await.unwrap();
    assert_eq!(session.to_json(), json!({"d": 4}));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.to_json(), json!({"d": 4}));
    assert_eq!(again.owner().as_deref(), Some("jo"));
    assert!(matches!(
        session.replace(5).await,
        Err(SessionError::Encode { .. })
    ));
}

async fn update_with_runs_again_when_others_write(store: impl Store + Clone) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    meddling.set(3);
    let mut runs = 0;
    let seen = session
        .update_with(|data| {
            runs += 1;
            data.insert("a", data.get::<u32>("a")?.unwrap_or(0) + 1)?;
            data.get::<u32>("meddled")
        })
        .await;
    assert_eq!((runs, seen), (4, Ok(Some(1))));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 2, "meddled": 1}));
}

async fn update_with_that_fails_writes_nothing(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions).await;
    let before = text(&store, &key(&session)).await;
    let outcome: Result<(), _> = session
        .update_with(|data| {
            data.insert("b", 2)?;
            Err(SessionError::InvalidOwner)
        })
        .await;
    assert_eq!(outcome, Err(SessionError::InvalidOwner));
    assert_eq!(text(&store, &key(&session)).await, before);
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn conflict_after_bounded_retries(store: impl Store + Clone) {
    let meddling = Meddling::new(store, usize::MAX);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    session.insert("b", 2).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Conflict));
    // 16 attempts, and 8 to reserve a turn after each from the fourth on.
    assert_eq!(usize::MAX - meddling.left(), 16 + 12 * 8);
    assert!(session.is_active());
    assert!(!open(&sessions, &token).await.unwrap().contains_key("b"));
    meddling.set(0);
    session.update().await.unwrap();
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
}

/// A large value takes so long to send that a small write always comes in between.
#[tokio::test]
async fn a_large_writer_gets_through_between_small_ones() {
    let store = jwt_redis_session::MemoryStore::new();
    let sessions = sessions(intercepted(store.clone(), SlowLink));
    let (session, token) = created(&sessions).await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let small = ["x", "y"].map(|key| {
        let (sessions, token, done) = (sessions.clone(), token.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut writes = 0_u64;
            while !done.load(Ordering::SeqCst) {
                let session = open(&sessions, &token).await.unwrap();
                writes += 1;
                session.insert(key, writes).unwrap();
                session.update().await.unwrap();
            }
            writes
        })
    });
    session.insert("large", "x".repeat(650_000)).unwrap();
    let updated = tokio::time::timeout(Duration::from_secs(20), session.update()).await;
    done.store(true, Ordering::SeqCst);
    assert_eq!(updated.expect("in time"), Ok(()));
    let last = open(&sessions, &token).await.unwrap();
    let mut all = 0;
    for (key, writes) in ["x", "y"].into_iter().zip(small) {
        let writes = writes.await.unwrap();
        all += writes;
        let last = open(&sessions, &token).await.unwrap();
        assert_eq!(last.get(key), Ok(Some(writes)), "no small write is lost");
    }
    assert!(all > 20, "{all} small writes came in between");
    assert_eq!(last.get::<String>("large").unwrap().unwrap().len(), 650_000);
}
