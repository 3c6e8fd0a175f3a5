//! Destroying all sessions of a keyspace.

use super::*;

on_every_store!(everything_of_the_keyspace_ends_and_nothing_else);

/// Creates sessions of other keyspaces.
async fn create_others(keyspaces: [&Sessions; 2]) -> Vec<(Sessions, Token)> {
    let mut others = Vec::new();
    for sessions in keyspaces {
        for owner in [Some("jo"), None] {
            others.push((sessions.clone(), created(sessions, owner).await.1));
        }
    }
    others
}

async fn everything_of_the_keyspace_ends_and_nothing_else(store: impl Store + Clone) {
    let [all, inner, other] = ["sess:", "sess:in:", "sess::"]
        .map(|keyspace| builder(store.clone()).keyspace(keyspace).build().unwrap());
    let mut tokens = Vec::new();
    for number in 0..90 {
        let owner = ["jo", "a:b", "*"].get(number % 4).copied();
        tokens.push(created(&all, owner).await.1);
    }
    let others = create_others([&inner, &other]).await;
    // A record whose index is lost, and an entry whose record is gone.
    let lost = prepared(&all, Some("sam"));
    lost.create().await.unwrap();
    let member = id(&lost);
    store
        .index_remove("sess::sam:", &[member.as_str()], None)
        .await
        .unwrap();
    let ghost = created(&all, Some("jo")).await.0;
    assert_eq!(store.delete(&key(&ghost)).await, Ok(true));

    let mut everything = all.destroy_everything();
    let mut ended = 0;
    while let Some(part) = everything.next_part().await.unwrap() {
        ended += part;
    }
    assert_eq!(everything.next_part().await, Ok(None));
    assert_eq!(ended, 91);
    for token in &tokens {
        assert_ended(&all, token).await;
    }
    assert_eq!(lost.is_alive().await, Ok(false));
    for index in [INDEX, "sess::YTpi=:", "sess::Kg=:"] {
        assert_eq!(entries(&store, index).await, []);
    }
    for (sessions, token) in others {
        assert!(open(&sessions, &token).await.is_ok());
    }
    assert_eq!(all.destroy_everything().await, Ok(0));
    let (_, token) = created(&all, Some("jo")).await;
    assert!(open(&all, &token).await.is_ok(), "later sessions work");
}

#[tokio::test]
async fn a_part_that_fails_is_repeated() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    for number in 0..1_500 {
        created(&sessions, (number % 2 == 0).then_some("jo")).await;
    }
    let mut everything = sessions.destroy_everything();
    faults
        .on(Step::Delete)
        .after(20)
        .fail_next(StoreErrorKind::Connection, 1);
    assert_unavailable(everything.next_part().await, StoreErrorKind::Connection);
    let (mut ended, mut parts) = (0, 0);
    while let Some(part) = everything.next_part().await.unwrap() {
        (ended, parts) = (ended + part, parts + 1);
    }
    assert!(ended >= 1_500 - 21 - 16, "{ended} in {parts} parts");
    assert!(parts >= 1);
    assert_eq!(sessions.destroy_everything().await, Ok(0));
}

#[tokio::test]
async fn a_keyspace_that_others_may_begin_with_is_refused() {
    let store = MemoryStore::new();
    let builder = |prefix| builder(store.clone()).keyspace_without_delimiter(prefix);
    for prefix in ["", "sess"] {
        let sessions = builder(prefix).build().unwrap();
        created(&sessions, None).await;
        let refused = sessions.destroy_everything().await;
        assert_eq!(refused, Err(SessionError::AmbiguousKeyspace));
    }
    assert_eq!(store.len(), 2);
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn everything_in_a_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = jwt_redis_session::store::FileStore::open(folder.path().join("sessions"));
    everything_of_the_keyspace_ends_and_nothing_else(store.unwrap()).await;
}
