//! What is stored, merged and limited.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::error::{JsonErrorKind, SizeUnit};
use serde::Deserialize;

use super::hooks::{Interference, before};
use super::*;

on_every_store!(
    sessions_over_a_limit_are_rejected_before_the_store,
    a_stored_session_with_too_many_fields_can_be_read_and_shrunk,
    values_that_cannot_be_stored_are_rejected_everywhere,
    update_with_runs_again_when_others_write,
    update_gives_up_after_bounded_retries,
);

async fn sessions_over_a_limit_are_rejected_before_the_store(store: impl Store + Clone) {
    let store = Counting::new(store);
    let build = || builder(store.clone());
    let long = json!({"b": "x".repeat(200)});
    for (builder, large, unit) in [
        (build().max_size(200), long, SizeUnit::Bytes),
        (build(), fields(1001), SizeUnit::Fields),
    ] {
        let sessions = builder.build().unwrap();
        let (session, token) = created(&sessions, Some("jo")).await;
        let calls = store.calls();
        session.merge(&large).unwrap();
        for outcome in [
            session.update().await,
            session.update_with(|_| Ok(())).await,
            session.replace(&large).await,
            session.rotate().await.map(drop),
            session.create().await.map(drop),
        ] {
            let is_too_large = matches!(
                outcome,
                Err(SessionError::TooLarge { limit, size, unit: found, .. })
                    if size > limit && unit == found
            );
            assert!(is_too_large, "{outcome:?}");
        }
        assert_eq!(store.calls(), calls);
        session.clear();
        session.update().await.unwrap();
        assert!(open(&sessions, &token).await.is_ok());
    }
}

/// An object with `count` fields.
fn fields(count: usize) -> Value {
    let fields = (0..count).map(|number| (format!("f{number}"), number.into()));
    Value::Object(fields.collect())
}

async fn a_stored_session_with_too_many_fields_can_be_read_and_shrunk(store: impl Store + Clone) {
    let strict = builder(store.clone()).max_fields(10).build().unwrap();
    let id = SessionId::random();
    insert(&store, &id, &fields(60).to_string()).await;
    let session = strict.get(&id).await.unwrap();
    assert_eq!(session.get("f59"), Ok(Some(59)));
    session.touch().await.unwrap();
    session.insert("f1", 0).unwrap();
    let Err(SessionError::TooLarge { limit: 10, .. }) = session.update().await else {
        panic!("it is still too large");
    };
    for number in 10..60 {
        session.remove(&format!("f{number}"));
    }
    session.update().await.unwrap();
    assert_eq!(strict.get(&id).await.unwrap().keys().len(), 10);
    assert_eq!(session.destroy().await, Ok(true));
}

async fn values_that_cannot_be_stored_are_rejected_everywhere(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions, None).await;
    for field in ["_jrs", "id", "jwt", "claims"] {
        let reserved = Err(SessionError::ReservedField(field.into()));
        assert_eq!(session.insert(field, 1), reserved);
        assert_eq!(session.merge(json!({"a": 2, field: 1})), reserved);
        assert_eq!(session.replace(json!({field: 1})).await, reserved);
    }
    let infinite = BTreeMap::from([("score", f32::INFINITY)]);
    let claimed = session.create().claims(&infinite).await;
    for (outcome, kind) in [
        (session.insert("score", f64::NAN), JsonErrorKind::NotFinite),
        (session.merge(&infinite), JsonErrorKind::NotFinite),
        (session.replace(&infinite).await, JsonErrorKind::NotFinite),
        (claimed.map(drop), JsonErrorKind::NotFinite),
        (session.merge(5), JsonErrorKind::NotAnObject),
        (session.replace(5).await, JsonErrorKind::NotAnObject),
    ] {
        match outcome {
            Err(SessionError::Encode { source, .. }) => assert_eq!(source.kind(), kind),
            other => panic!("{other:?}"),
        }
    }
    assert!(!session.is_modified());
    assert_eq!(session.to_json(), json!({"a": 1}));
}

async fn update_with_runs_again_when_others_write(store: impl Store + Clone) {
    let (session, token) = created(&sessions(store.clone()), None).await;
    let interference = Interference::new(store.clone(), key(&session), 3);
    let session = open(&sessions(interference.store), &token).await.unwrap();
    let mut runs = 0;
    let seen = session
        .update_with(|data| {
            runs += 1;
            data.insert("a", data.get::<u32>("a")?.unwrap_or(0) + 1)?;
            data.get::<u32>("interfered")
        })
        .await;
    assert_eq!((runs, seen), (4, Ok(Some(1))));
    let again = open(&sessions(store), &token).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 2, "interfered": 1}));
}

async fn update_gives_up_after_bounded_retries(store: impl Store + Clone) {
    let (session, token) = created(&sessions(store.clone()), Some("jo")).await;
    let interference = Interference::new(store.clone(), key(&session), usize::MAX);
    let disturbed = sessions(interference.store.clone());
    let session = open(&disturbed, &token).await.unwrap();
    session.insert("b", 2).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Conflict));
    // 16 attempts, and 8 to reserve a turn after each from the fourth on.
    let left = interference.left.swap(0, Ordering::SeqCst);
    assert_eq!(usize::MAX - left, 16 + 12 * 8);
    assert!(session.is_active());
    assert!(!open(&disturbed, &token).await.unwrap().contains_key("b"));
    session.update().await.unwrap();
    assert!(open(&disturbed, &token).await.unwrap().contains_key("b"));
}

/// Another writer comes before each write of the first, apart from its first reservation. From
/// then on the other one waits.
#[tokio::test(start_paused = true)]
async fn a_writer_that_loses_every_race_gets_a_turn() {
    let store = MemoryStore::new();
    let (_, token) = created(&sessions(store.clone()), None).await;
    let fast = open(&sessions(store.clone()), &token).await.unwrap();
    let writes = Arc::new(AtomicUsize::new(0));
    let (count, other) = (Arc::clone(&writes), fast.clone());
    let write_first = move |step| {
        let (count, other) = (Arc::clone(&count), other.clone());
        async move {
            if step == Step::CompareAndSet && count.fetch_add(1, Ordering::SeqCst) != 4 {
                let write = other.update_with(|data| {
                    data.insert("fast", data.get::<u32>("fast")?.unwrap_or(0) + 1)
                });
                let _ = tokio::time::timeout(Duration::from_millis(20), write).await;
            }
        }
    };
    let slow = sessions(before(store.clone(), write_first));
    let slow = open(&slow, &token).await.unwrap();
    slow.insert("slow", 1).unwrap();
    slow.update().await.unwrap();
    assert_eq!(writes.load(Ordering::SeqCst), 6);
    fast.reload().await.unwrap();
    let data = json!({"a": 1, "fast": 4, "slow": 1});
    assert_eq!(fast.to_json(), data, "no write is lost");
}

#[derive(Debug, Deserialize, PartialEq)]
struct Profile {
    visits: u64,
}

#[test]
fn decode_errors_name_the_field_or_the_whole() {
    let session = sessions(MemoryStore::new()).new_session();
    session.merge(json!({"user": "jo", "visits": 2})).unwrap();
    assert_eq!(session.data(), Ok(Profile { visits: 2 }));
    for (data, named) in [
        (json!({"visits": "hunter2"}), "field `visits`"),
        (json!({"user": "jo"}), "data as a whole"),
    ] {
        session.clear();
        session.merge(data).unwrap();
        let error = session.data::<Profile>().unwrap_err();
        let message = format!("the session {named} does not have the requested type");
        assert_eq!(error.to_string(), message);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_keyspace_that_ids_could_continue_is_rejected_unless_requested() {
    let builder = || builder(MemoryStore::new());
    for bad in ["", "app", "app2", "app_", "app-", "sess:app"] {
        let rejected = builder().keyspace(bad).build().map(drop);
        assert_eq!(rejected, Err(ConfigError::Keyspace), "{bad:?}");
        assert!(builder().keyspace_without_delimiter(bad).build().is_ok());
    }
    for good in ["app:", "app/", "{app}", "app.", "é", "sess:app:"] {
        assert!(builder().keyspace(good).build().is_ok(), "{good:?}");
    }
}
