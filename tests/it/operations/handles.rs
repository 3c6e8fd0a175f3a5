//! Handles: clones, tokens, the number of store calls, and `Debug` output.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use jwt_redis_session::SessionData;

use super::hooks::yielding;
use super::lifetimes::both;
use super::*;

on_every_store!(
    clones_are_one_session_and_lose_no_changes,
    without_a_session_operations_return_the_reason,
    open_is_one_store_call_and_a_bad_token_makes_none,
    several_sessions_of_one_store_are_read_in_one_call,
);

async fn clones_are_one_session_and_lose_no_changes(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    let (session, token) = created(&sessions, None).await;
    let count = |data: &mut SessionData| data.insert("a", data.get("a")?.unwrap_or(0) + 1);
    let tasks = (0..20).map(|number| {
        let session = session.clone();
        tokio::spawn(async move {
            session.insert(format!("k{number}"), number).unwrap();
            session.update().await.unwrap();
            session.update_with(count).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.get("a").unwrap(), Some(21));
    for number in 0..20 {
        assert_eq!(again.get(&format!("k{number}")).unwrap(), Some(number));
    }
    let clone = session.clone();
    assert_eq!(clone.destroy().await, Ok(true));
    assert_eq!(session.state(), SessionState::Gone);
}

async fn without_a_session_operations_return_the_reason(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let rejected = SessionError::Rejected(TokenRejection::Malformed);
    for (session, error) in [
        (sessions.new_session(), SessionError::Absent),
        (sessions.from_token("x").await, rejected),
    ] {
        for operation in operations() {
            let outcome = run(operation, &session).await;
            assert_eq!(outcome.as_ref(), Err(&error), "{operation}");
        }
        assert_eq!((session.expires_at(), session.remaining()), (None, None));
    }
    assert_eq!(store.calls(), 0);
}

async fn open_is_one_store_call_and_a_bad_token_makes_none(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions, Some("jo")).await;
    let before = store.calls();
    open(&sessions, &token).await.unwrap();
    settle().await;
    assert_eq!(store.calls() - before, 1);
    session.insert("b", 2).unwrap();
    session.update().await.unwrap();
    assert_eq!(store.calls() - before, 2);
    let forged = format!("{}x", token.as_str());
    for bad in ["", "x", &forged, &token.as_str()[1..]] {
        let opened = sessions.open(bad).await;
        assert!(matches!(opened, Err(SessionError::Rejected(_))));
    }
    assert_eq!(store.calls() - before, 2);
}

async fn several_sessions_of_one_store_are_read_in_one_call(store: impl Store + Clone) {
    let store = Counting::new(store);
    let shared = SharedStore::from(store.clone());
    let build = |keyspace: &str| builder(shared.clone()).keyspace(keyspace).build();
    let (one, other) = (build("one:").unwrap(), build("other:").unwrap());
    let (first, _) = created(&one, Some("jo")).await;
    let (second, _) = created(&other, Some("al")).await;
    let (first, second) = (id(&first), id(&second));
    let before = store.calls();
    let lookups = [(&one, &first), (&other, &first), (&other, &second)];
    let found = Sessions::get_across(lookups).await;
    assert_eq!(store.calls() - before, 1);
    let owners = found.iter().map(|one| one.as_ref().map(Session::owner));
    let expected = [Ok(Some("jo".into())), Err(&UNKNOWN), Ok(Some("al".into()))];
    assert_eq!(owners.collect::<Vec<_>>(), expected);
    // The same store behind another handle counts as another store.
    let apart = builder(store.clone()).keyspace("other:").build().unwrap();
    let found = Sessions::get_across([(&one, &first), (&apart, &second)]).await;
    assert_eq!(store.calls() - before, 3);
    assert!(found.iter().all(Result::is_ok));
    assert!(Sessions::get_across([]).await.is_empty());
}

#[tokio::test]
async fn verify_returns_the_claims_without_the_store() {
    let store = Counting::new(MemoryStore::new());
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
    let limited = builder(store.clone()).lifetime(both(Duration::from_secs(60)));
    let no_end = limited.build().unwrap().verify(token.as_str());
    assert_eq!(no_end.unwrap_err(), TokenRejection::Claim, "no `exp`");
    assert_eq!(store.calls(), calls);
}

/// npm creates such a token with `create({sub: 42})`. The owner comes from the record, never from
/// the token.
#[tokio::test]
async fn a_token_whose_subject_is_not_text_opens_its_session() {
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, Some("jo")).await;
    let key = jsonwebtoken::EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef").unwrap();
    let claims = json!({ "jti": id(&session).as_str(), "iat": 1, "sub": 42 });
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key);
    let opened = sessions.open(&token.unwrap()).await.unwrap();
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    opened.rotate().await.unwrap();
    assert_eq!(opened.claims().unwrap().subject().as_deref(), Some("jo"));
}

#[tokio::test]
async fn nothing_that_is_printed_contains_a_secret() {
    const SECRET: &str = "hush-hush-0123456789abcdef-hush-hush";
    let store = MemoryStore::new();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let built = Sessions::builder(store.clone(), keyring.clone());
    let mut printed = format!("{built:?} {keyring:?} {store:?}");
    let sessions = built.max_size(400).build().unwrap();
    let session = sessions.new_session();
    session.insert("field", SECRET).unwrap();
    session.set_owner(SECRET).unwrap();
    let chosen = SessionId::parse(SECRET).unwrap();
    let creation = session.create().id(chosen);
    let creation = creation.claims(json!({"claim": SECRET}));
    printed += &format!("{creation:?}");
    let token = creation.await.unwrap();
    let entries = sessions.list(SECRET).with_data().await.unwrap();
    let opened = open(&sessions, &token).await.unwrap();
    let verified = sessions.verify(token.as_str());
    let (id, claims, state) = (id(&session), opened.claims(), opened.state());
    printed += &format!("{sessions:?} {session:?} {token:?} {entries:?} {opened:?} {id:?} {id}");
    printed += &format!("{verified:?} {claims:?} {:?} {state:?}", entries[0].data());
    printed += &format!("{:?}", record(&store, &key(&session)).await);
    opened.insert("large", "x".repeat(400)).unwrap();
    let wrong = format!("{}x", token.as_str());
    let reserved = sessions.new_session().create();
    for error in [
        opened.update().await.unwrap_err(),
        opened.get::<u8>("field").unwrap_err(),
        opened.insert("jwt", SECRET).unwrap_err(),
        opened.merge(SECRET).unwrap_err(),
        sessions.open(&wrong).await.unwrap_err(),
        reserved.claims(json!({"jti": SECRET})).await.unwrap_err(),
        sessions.list(&SECRET.repeat(20)).await.unwrap_err(),
    ] {
        printed += &format!("{error} {error:?}");
    }
    let encoded = URL_SAFE_NO_PAD.encode(SECRET);
    for secret in [SECRET, token.as_str(), &encoded] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
