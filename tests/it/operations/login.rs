//! Logging in and out.

use super::*;

on_every_store!(
    login_without_a_session_creates_one,
    login_keeps_the_data_of_a_guest_and_of_the_same_owner,
    login_never_passes_data_to_another_owner,
);

async fn login_without_a_session_creates_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = prepared(&sessions, None);
    assert_eq!(session.login("").await, Err(SessionError::InvalidOwner));
    let token = session.login("jo").await.unwrap();
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    assert_eq!(opened.to_json(), json!({"a": 1}));
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    let rejected = sessions.from_token("no token").await;
    let token = rejected.login("jo").await.unwrap();
    assert!(open(&sessions, &token).await.is_ok() && rejected.is_active());
}

async fn login_keeps_the_data_of_a_guest_and_of_the_same_owner(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for owner in [None, Some("jo")] {
        let (session, before) = created(&sessions, owner).await;
        let old = key(&session);
        let opened = open(&sessions, &before).await.unwrap();
        // Stored by another request after this one has loaded the session.
        session.insert("b", 2).unwrap();
        session.update().await.unwrap();
        opened.insert("c", 3).unwrap();
        // A pending owner is obsolete after the login, also an invalid one.
        assert!(opened.set_owner("").is_err());
        let token = opened.login("jo").await.unwrap();
        assert!(!opened.is_modified());
        assert_ended(&sessions, &before).await;
        assert!(record(&store, &old).await.is_none());
        let opened = open(&sessions, &token).await.unwrap();
        assert_eq!(opened.to_json(), json!({"a": 1, "b": 2, "c": 3}));
        assert_eq!(opened.claims().unwrap().subject().as_deref(), Some("jo"));
        assert_eq!(listed(&sessions, "jo").await, [id(&opened)]);
        opened.destroy().await.unwrap();
    }
}

async fn login_never_passes_data_to_another_owner(store: impl Store + Clone) {
    let sessions = sessions(store);
    for owner in [Some("al"), None] {
        let (other, before) = created(&sessions, owner).await;
        let session = open(&sessions, &before).await.unwrap();
        if owner.is_none() {
            // Meanwhile, another request has logged `al` in.
            other.set_owner("al").unwrap();
            other.update().await.unwrap();
        }
        session.insert("user", "jo").unwrap();
        let token = session.login("jo").await.unwrap();
        assert_ended(&sessions, &before).await;
        assert!(listed(&sessions, "al").await.is_empty());
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        let opened = open(&sessions, &token).await.unwrap();
        assert_eq!(opened.to_json(), json!({"user": "jo"}));
        assert_eq!(session.to_json(), opened.to_json());
        session.destroy().await.unwrap();
    }
}
