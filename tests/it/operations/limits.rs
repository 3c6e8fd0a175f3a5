//! Limits of the configuration, and what it refuses.

use serde_json::Map;

use super::*;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::error::SizeUnit;

on_every_store!(
    too_many_fields_are_refused_before_the_store,
    a_stored_session_with_too_many_fields_can_be_read_and_shrunk,
    sessions_without_tokens_are_addressed_by_id,
    a_corrupt_record_can_be_destroyed,
);

fn fields(count: usize) -> Value {
    let fields = (0..count).map(|number| (format!("f{number}"), Value::from(number)));
    Value::Object(fields.collect::<Map<_, _>>())
}

async fn too_many_fields_are_refused_before_the_store(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let session = sessions.new_session();
    session.merge(fields(1001)).unwrap();
    let error = session.create().await.unwrap_err();
    assert_eq!(error, SessionError::too_large(1001, 1000, SizeUnit::Fields));
    assert_eq!(store.calls(), 0);
    session.remove("f1000");
    let token = session.create().await.unwrap();
    let calls = store.calls();
    session.insert("one more", 1).unwrap();
    let expected = SessionError::too_large(1001, 1000, SizeUnit::Fields);
    assert_eq!(session.update().await, Err(expected.clone()));
    assert_eq!(session.rotate().await, Err(expected.clone()));
    assert_eq!(session.replace(fields(1001)).await, Err(expected));
    assert_eq!(store.calls(), calls);
    assert!(open(&sessions, &token).await.is_ok());
}

async fn a_stored_session_with_too_many_fields_can_be_read_and_shrunk(store: impl Store + Clone) {
    let strict = builder(store.clone()).max_fields(10).build().unwrap();
    let (id, record) = (SessionId::random(), fields(60).to_string());
    insert(&store, &id, &record).await;
    let session = strict.get(&id).await.unwrap();
    assert_eq!(session.get("f59"), Ok(Some(59)));
    session.touch().await.unwrap();
    session.insert("f1", 0).unwrap();
    assert!(matches!(
        session.update().await,
        Err(SessionError::TooLarge { limit: 10, .. })
    ));
    for number in 10..60 {
        session.remove(&format!("f{number}"));
    }
    session.update().await.unwrap();
    assert_eq!(strict.get(&id).await.unwrap().keys().len(), 10);
    assert_eq!(session.destroy().await, Ok(true));
}

async fn sessions_without_tokens_are_addressed_by_id(store: impl Store + Clone) {
    let sessions = Sessions::without_tokens(store).build().unwrap();
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    assert_eq!(session.create().await, Err(SessionError::NoTokens));
    assert_eq!(session.login("jo").await, Err(SessionError::NoTokens));
    let id = session.create().without_token().await.unwrap();
    assert_eq!(session.rotate().await, Err(SessionError::NoTokens));
    let opened = sessions.get(&id).await.unwrap();
    assert_eq!(
        (opened.get("a"), opened.claims().is_none()),
        (Ok(Some(1)), true)
    );
    opened.insert("a", 2).unwrap();
    opened.update().await.unwrap();
    let chosen = SessionId::parse("order-2024-000017").unwrap();
    let create = || sessions.new_session().create().without_token();
    assert_eq!(create().id(chosen.clone()).await, Ok(chosen.clone()));
    assert_eq!(create().id(chosen.clone()).await, Err(SessionError::Taken));
    let found = sessions
        .get_many([&id, &chosen, &SessionId::random()])
        .await;
    let ids: Vec<_> = found
        .iter()
        .flatten()
        .map(|one| one.id().unwrap())
        .collect();
    assert_eq!(ids, [id.clone(), chosen]);
    assert!(matches!(found[2], Err(SessionError::Rejected(_))));
    let rejected = sessions.open("a.b.c").await.unwrap_err();
    assert_eq!(rejected, SessionError::Rejected(TokenRejection::Signature));
    assert_eq!(sessions.destroy(&id).await, Ok(true));
}

async fn a_corrupt_record_can_be_destroyed(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for by_logout in [false, true] {
        let (session, token) = created(&sessions).await;
        let key = key(&session);
        assert_eq!(store.delete(&key).await, Ok(true));
        insert(&store, &id(&session), "[]").await;
        session.insert("b", 1).unwrap();
        assert_eq!(session.update().await, Err(SessionError::Corrupt));
        let corrupt = SessionState::Rejected(TokenRejection::Corrupt);
        assert_eq!(session.state(), corrupt, "the handle that met it");
        let opened = sessions.from_token(token.as_str()).await;
        assert_eq!(opened.state(), corrupt);
        let ended = if by_logout {
            session.logout().await
        } else {
            opened.destroy().await
        };
        assert_eq!(ended, Ok(true));
        assert!(record(&store, &key).await.is_none());
        assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    }
}

#[test]
fn a_keyspace_that_ids_could_continue_is_refused_unless_requested() {
    let keyspace = |prefix: &str| {
        let builder = builder(jwt_redis_session::MemoryStore::new());
        builder.keyspace(prefix).build().map(drop)
    };
    for bad in ["", "app", "app2", "app_", "app-", "sess:app"] {
        assert_eq!(keyspace(bad), Err(ConfigError::Keyspace), "{bad:?}");
    }
    for good in ["app:", "app/", "{app}", "app.", "é", "sess:app:"] {
        assert_eq!(keyspace(good), Ok(()), "{good:?}");
    }
    let shared = builder(jwt_redis_session::MemoryStore::new());
    assert!(shared.keyspace_without_delimiter("sess").build().is_ok());
}
