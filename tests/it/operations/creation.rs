//! New sessions and random ids.

use std::collections::HashSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

on_every_store!(
    a_taken_id_is_replaced_by_a_new_one,
    create_on_an_active_handle_starts_empty,
    sessions_without_tokens_are_addressed_by_id,
);

#[test]
fn random_ids_are_unique_and_every_bit_is_even() {
    const COUNT: usize = 20_000;
    let ids: HashSet<_> = (0..COUNT).map(|_| SessionId::random()).collect();
    assert_eq!(ids.len(), COUNT);
    let decode = |id: &SessionId| URL_SAFE_NO_PAD.decode(id.as_str()).unwrap();
    let ids: Vec<_> = ids.iter().map(decode).collect();
    assert!(ids.iter().all(|id| id.len() == 16));
    for bit in 0..128 {
        let ones = ids.iter().filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1);
        // Six standard deviations, each of half the root of the count.
        assert!(ones.count().abs_diff(COUNT / 2) < 3 * COUNT.isqrt());
    }
}

/// Sessions whose ids are the given letters, sixteen times each.
fn with_ids(store: impl Store, letters: &'static str) -> Sessions {
    let letters = Mutex::new(letters.chars());
    let new_id = move || {
        let letter = letters.lock().unwrap().next().unwrap();
        SessionId::parse(letter.to_string().repeat(16)).unwrap()
    };
    builder(store).id_generator(new_id).build().unwrap()
}

async fn a_taken_id_is_replaced_by_a_new_one(store: impl Store + Clone) {
    let sessions = with_ids(store.clone(), "aabbcaaaaaaaaaa");
    let (first, token) = created(&sessions, Some("jo")).await;
    let (second, _) = created(&sessions, Some("al")).await;
    assert_eq!(id(&second).as_str(), "b".repeat(16));
    // The taken id is in the index of its owner only.
    assert_eq!(entries(&store, "sess::al:").await.len(), 1);
    second.rotate().await.unwrap();
    assert_eq!(id(&second).as_str(), "c".repeat(16));
    assert_eq!(listed(&sessions, "al").await, [id(&second)]);
    assert_eq!(second.rotate().await, Err(SessionError::Conflict));
    assert_eq!(sessions.destroy_all("al").await, Ok(1));
    let third = prepared(&sessions, Some("jo"));
    assert_eq!(third.create().await, Err(SessionError::Taken));
    assert!(!third.is_active());
    assert_eq!(listed(&sessions, "jo").await, [id(&first)]);
    let first = open(&sessions, &token).await.unwrap();
    assert_eq!(first.to_json(), json!({"a": 1}), "it was not replaced");
}

#[tokio::test]
async fn a_creation_prunes_entries_that_are_due() {
    let store = MemoryStore::new();
    let entry = NewEntry::new(INDEX, "ended-long-ago-1", 1, Duration::from_secs(60));
    let put = store.index_put(entry, PutMode::KeepTombstone).await;
    put.unwrap();
    created(&sessions(store.clone()), Some("jo")).await;
    settle().await;
    assert_eq!(entries(&store, INDEX).await.len(), 1);
}

async fn create_on_an_active_handle_starts_empty(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, first) = created(&sessions, Some("jo")).await;
    let session = open(&sessions, &first).await.unwrap();
    session.insert("b", 2).unwrap();
    let second = session.create().await.unwrap();
    assert_eq!(session.to_json(), json!({"b": 2}));
    assert_eq!(session.owner(), None);
    for (token, data) in [(first, json!({"a": 1})), (second, json!({"b": 2}))] {
        assert_eq!(open(&sessions, &token).await.unwrap().to_json(), data);
    }
}

async fn sessions_without_tokens_are_addressed_by_id(store: impl Store + Clone) {
    let sessions = Sessions::without_tokens(store).build().unwrap();
    let session = prepared(&sessions, None);
    assert_eq!(session.create().await, Err(SessionError::NoTokens));
    assert_eq!(session.login("jo").await, Err(SessionError::NoTokens));
    let id = session.create().without_token().await.unwrap();
    assert_eq!(session.rotate().await, Err(SessionError::NoTokens));
    let opened = sessions.get(&id).await.unwrap();
    assert_eq!(opened.to_json(), json!({"a": 1}));
    assert!(opened.claims().is_none());
    let chosen = SessionId::parse("order-2024-000017").unwrap();
    for expected in [Ok(chosen.clone()), Err(SessionError::Taken)] {
        let creation = sessions.new_session().create().id(chosen.clone());
        assert_eq!(creation.without_token().await, expected);
    }
    let ids = [&id, &chosen, &SessionId::random()];
    let found = sessions.get_many(ids).await;
    let found = found.into_iter().map(|one| one.map(|one| super::id(&one)));
    let expected = [Ok(id.clone()), Ok(chosen.clone()), Err(UNKNOWN)];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let rejected = sessions.open("a.b.c").await.unwrap_err();
    assert_eq!(rejected, SessionError::Rejected(TokenRejection::Signature));
    assert_eq!(sessions.destroy(&id).await, Ok(true));
}
