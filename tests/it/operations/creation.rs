//! Ids, and how sessions come into being.

use super::*;

on_every_store!(
    r23_ids_of_created_sessions_are_unique,
    r24_a_good_token_of_an_unknown_session_is_rejected_and_creates_nothing,
    r25_a_taken_id_is_drawn_anew,
    r25_five_taken_ids_are_an_error,
    r25_a_taken_id_stays_off_the_list_and_with_its_owner,
    create_on_an_active_handle_carries_nothing_over,
);

#[test]
fn r23_random_ids_are_unique_and_every_bit_is_even() {
    let count = rounds(100_000, 1_000_000);
    let mut ids = HashSet::new();
    let mut ones = [0_usize; 256];
    for _ in 0..count {
        let id = SessionId::random();
        let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).unwrap();
        assert_eq!(bytes.len(), 32);
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += usize::from(bytes[bit / 8] >> (bit % 8) & 1);
        }
        assert!(ids.insert(id), "an id came twice");
    }
    // Six standard deviations, each of half the root of the count.
    let tolerance = 3 * count.isqrt();
    for (bit, ones) in ones.into_iter().enumerate() {
        assert!(ones.abs_diff(count / 2) < tolerance, "bit {bit}: {ones}");
    }
}

async fn r23_ids_of_created_sessions_are_unique(store: impl Store + Clone) {
    let sessions = sessions(store);
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let (session, token) = created(&sessions).await;
        assert!(seen.insert(id(&session).as_str().to_owned()));
        assert!(seen.insert(token.as_str().to_owned()));
    }
}

async fn r24_a_good_token_of_an_unknown_session_is_rejected_and_creates_nothing(
    store: impl Store + Clone,
) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions).await;
    let key = key(&session);
    session.destroy().await.unwrap();
    let refused = sessions.from_token(token.as_str()).await;
    assert_eq!(
        refused.state(),
        SessionState::Rejected(TokenRejection::Unknown)
    );
    assert_eq!(refused.update().await, Err(UNKNOWN));
    assert_eq!(refused.id(), None);
    assert!(record(&store, &key).await.is_none());
    refused.create().await.unwrap();
    assert_ne!(self::key(&refused), key, "a new session has a new id");
}

/// Draws the same id so many times, and then new ones.
fn repeating(store: impl Store, times: usize) -> Sessions {
    let count = AtomicUsize::new(0);
    let new_id = move || {
        let number = count
            .fetch_add(1, Ordering::SeqCst)
            .saturating_sub(times - 1);
        SessionId::parse(format!("0123456789abcdef-{number}")).unwrap()
    };
    builder(store).id_generator(new_id).build().unwrap()
}

async fn r25_a_taken_id_is_drawn_anew(store: impl Store + Clone) {
    let sessions = repeating(store, 3);
    let (first, _) = created(&sessions).await;
    let (second, token) = created(&sessions).await;
    assert_ne!(id(&first), id(&second));
    assert_eq!(id(&open(&sessions, &token).await.unwrap()), id(&second));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 2);
}

async fn r25_five_taken_ids_are_an_error(store: impl Store + Clone) {
    let sessions = repeating(store.clone(), 6);
    let (first, token) = created(&sessions).await;
    let before = text(&store, &key(&first)).await;
    let second = sessions.new_session();
    assert_eq!(second.create().await.unwrap_err(), SessionError::Taken);
    assert!(!second.is_active());
    assert_eq!(text(&store, &key(&first)).await, before);
    assert!(open(&sessions, &token).await.is_ok());
}

async fn r25_a_taken_id_stays_off_the_list_and_with_its_owner(store: impl Store + Clone) {
    let sessions = repeating(store, 3);
    let (_, token) = created_for(&sessions, "jo").await;
    let (other, _) = created_for(&sessions, "al").await;
    assert_eq!(listed(&sessions, "al").await, [id(&other)]);
    assert_eq!(sessions.destroy_all("al").await, Ok(1));
    assert!(open(&sessions, &token).await.is_ok());
}

async fn create_on_an_active_handle_carries_nothing_over(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, token) = created(&sessions).await;
    let session = open(&sessions, &token).await.unwrap();
    session.insert("b", 2).unwrap();
    let second = session.create().await.unwrap();
    assert_eq!(session.to_json(), json!({"b": 2}));
    assert_eq!(session.owner(), None);
    let (first, second) = (
        open(&sessions, &token).await,
        open(&sessions, &second).await,
    );
    assert_eq!(first.unwrap().to_json(), json!({"a": 1}));
    assert_eq!(second.unwrap().to_json(), json!({"b": 2}));
}

#[test]
fn debug_of_a_creation_prints_no_claims_no_id_and_no_data() {
    let session = sessions(jwt_redis_session::MemoryStore::new()).new_session();
    session.insert("secret", "hush-hush").unwrap();
    session.set_owner("hush-hush").unwrap();
    let id = SessionId::parse("hush-hush-hush-hush").unwrap();
    let created = session.create().id(id.clone());
    let created = created.claims(json!({"tenant": "hush-hush"}));
    let without_token = session.create().without_token().id(id);
    for text in [format!("{created:?}"), format!("{without_token:?}")] {
        assert!(!text.contains("hush"), "{text}");
    }
}
