//! Names in the store.

use super::*;

on_every_store!(
    r33_keyspaces_never_see_each_other,
    r33_weird_owners_are_distinct,
    sessions_of_different_keyspaces_share_one_store,
);

async fn r33_keyspaces_never_see_each_other(store: impl Store + Clone) {
    let [a, b] =
        ["a:", "b:"].map(|prefix| builder(store.clone()).keyspace(prefix).build().unwrap());
    let (session, token) = created(&a).await;
    assert_eq!(refusal(&b, &token).await, Some(UNKNOWN));
    assert_eq!(b.destroy(&id(&session)).await, Ok(false));
    assert_eq!(b.destroy_all("jo").await, Ok(0));
    assert!(b.list("jo").await.unwrap().is_empty());
    assert!(open(&a, &token).await.is_ok());
}

async fn r33_weird_owners_are_distinct(store: impl Store + Clone) {
    let sessions = sessions(store);
    let owners = [
        "jo", "Jo", "jo ", "*", "?", "[j]o", "a|b", "a:b", "a", ":", "owner:", "\0", "j\0o",
        "\u{e9}", "e\u{301}", "\r\n", "{jo}", "sess:", "🦀",
    ];
    let mut tokens = Vec::new();
    for owner in owners {
        tokens.push(created_for(&sessions, owner).await.1);
    }
    for (owner, token) in owners.iter().zip(&tokens) {
        let session = open(&sessions, token).await.unwrap();
        assert_eq!(session.owner().as_deref(), Some(*owner));
        assert_eq!(listed(&sessions, owner).await, [id(&session)], "{owner:?}");
    }
    for (number, owner) in owners.iter().enumerate() {
        assert_eq!(sessions.destroy_all(owner).await, Ok(1), "{owner:?}");
        for (other, token) in tokens.iter().enumerate() {
            assert_eq!(open(&sessions, token).await.is_ok(), other > number);
        }
    }
}

async fn sessions_of_different_keyspaces_share_one_store(store: impl Store + Clone) {
    let store = SharedStore::from(store);
    let [a, b] = ["a:", "b:"].map(|prefix| {
        let builder = builder(store.clone()).keyspace(prefix);
        builder.build().unwrap()
    });
    let (one, two) = (created(&a).await.1, created(&b).await.1);
    assert!(open(&a, &one).await.is_ok() && open(&b, &two).await.is_ok());
    assert_eq!(refusal(&b, &one).await, Some(UNKNOWN));
}
