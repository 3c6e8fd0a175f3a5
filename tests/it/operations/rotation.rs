//! A new id for the same session.

use super::*;
use jwt_redis_session::Lifetime;

on_every_store!(
    r30_rotate_moves_the_session_and_kills_the_old_id,
    r30_of_concurrent_rotations_one_wins,
    a_rotation_that_loses_every_race_leaves_the_old_session,
);

async fn r30_rotate_moves_the_session_and_kills_the_old_id(store: impl Store + Clone) {
    let sessions = builder(store)
        .lifetime(Lifetime::Both {
            idle: Duration::from_secs(86_400),
            absolute: Duration::from_secs(9000),
        })
        .build()
        .unwrap();
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    session.set_owner("jo").unwrap();
    let old = session.create().claims(json!({"role": "x"})).await.unwrap();
    let (old_id, created, expires) = (
        id(&session),
        session.created_at(),
        session.absolute_expiry(),
    );
    let session = open(&sessions, &old).await.unwrap();
    session.insert("b", 2).unwrap();
    let new = session.rotate().await.unwrap();
    assert_eq!(refusal(&sessions, &old).await, Some(UNKNOWN));
    let again = open(&sessions, &new).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(
        (again.created_at(), again.absolute_expiry()),
        (created, expires)
    );
    let claims = again.claims().unwrap();
    assert_eq!(claims.get::<String>("role").unwrap().as_deref(), Some("x"));
    assert_eq!(claims.expires_at(), expires);
    assert_eq!(claims.subject().as_deref(), Some("jo"));
    assert_ne!(id(&again), old_id);
    assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
    assert_eq!(id(&session), id(&again), "the handle is the new session's");
    session.update().await.unwrap();
}

async fn r30_of_concurrent_rotations_one_wins(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    let (_, token) = created(&sessions).await;
    let (a, b) = (
        open(&sessions, &token).await.unwrap(),
        open(&sessions, &token).await.unwrap(),
    );
    let (a, b) = tokio::join!(a.rotate(), b.rotate());
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(lost.unwrap_err(), SessionError::Gone);
    assert!(open(&sessions, &won.unwrap()).await.is_ok());
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
}

async fn a_rotation_that_loses_every_race_leaves_the_old_session(store: impl Store + Clone) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    for owner in [None, Some("jo")] {
        let session = sessions.new_session();
        owner
            .into_iter()
            .for_each(|owner| session.set_owner(owner).unwrap());
        let token = session.create().await.unwrap();
        let old = id(&session);
        meddling.set(usize::MAX);
        assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
        meddling.set(0);
        assert_eq!(id(&session), old);
        assert!(open(&sessions, &token).await.is_ok());
        session.update().await.unwrap();
        if owner.is_some() {
            assert_eq!(listed(&sessions, "jo").await, [old]);
            assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        } else {
            session.rotate().await.expect("it can be rotated later");
        }
        assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    }
}
