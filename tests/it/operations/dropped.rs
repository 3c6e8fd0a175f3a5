//! F25: futures that are dropped at any await.

use super::*;

on_every_store!(
    f25_a_dropped_create_leaves_a_whole_session_or_none,
    f25_a_dropped_rotate_leaves_one_session,
    f25_a_dropped_destroy_all_goes_on,
    f25_a_dropped_move_leaves_it_listed,
    f25_a_dropped_update_is_whole_or_not_at_all,
);

async fn f25_a_dropped_create_leaves_a_whole_session_or_none(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    let mut polls = 0;
    loop {
        let session = sessions.new_session();
        session.insert("a", 1).unwrap();
        session.set_owner("jo").unwrap();
        let done = drop_after(polls, session.create().into_future())
            .await
            .is_some();
        let entries = sessions.list("jo").await.unwrap();
        assert_eq!(
            entries.len(),
            usize::from(polls > 0),
            "it runs to its end once begun"
        );
        if polls > 0 {
            assert_eq!(entries[0].id(), &id(&session));
            assert!(sessions.get(&id(&session)).await.is_ok());
        }
        assert_eq!(sessions.destroy_all("jo").await, Ok(entries.len()));
        if done {
            return assert!(polls > 3, "too few polls to have been dropped anywhere");
        }
        polls += 1;
    }
}

async fn f25_a_dropped_rotate_leaves_one_session(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        let old = id(&session);
        let done = drop_after(polls, session.rotate()).await.is_some();
        assert_eq!(open(&sessions, &token).await.is_ok(), polls == 0);
        assert_eq!(id(&session) == old, polls == 0);
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        session.update().await.unwrap();
        assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        if done {
            return assert!(polls > 3);
        }
    }
}

async fn f25_a_dropped_destroy_all_goes_on(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for polls in 0.. {
        let (_, one) = created(&sessions).await;
        let (_, two) = created(&sessions).await;
        let done = drop_after(polls, sessions.destroy_all("jo"))
            .await
            .is_some();
        for token in [&one, &two] {
            assert_eq!(open(&sessions, token).await.is_ok(), polls == 0);
        }
        if done {
            return assert!(polls > 3);
        }
        sessions.destroy_all("jo").await.unwrap();
    }
}

async fn f25_a_dropped_move_leaves_it_listed(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        session.set_owner("al").unwrap();
        let done = drop_after(polls, session.update()).await.is_some();
        let owner = open(&sessions, &token).await.unwrap().owner().unwrap();
        assert_eq!(owner, if polls == 0 { "jo" } else { "al" });
        assert_eq!(listed(&sessions, &owner).await, [id(&session)]);
        assert_eq!(sessions.destroy_all(&owner).await, Ok(1));
        if done {
            return assert!(polls > 3);
        }
    }
}

async fn f25_a_dropped_update_is_whole_or_not_at_all(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    let mut stored = HashSet::new();
    for polls in 0.. {
        let (session, token) = created(&sessions).await;
        session.insert("b", 2).unwrap();
        session.insert("c", 3).unwrap();
        let done = drop_after(polls, session.update()).await.is_some();
        let again = open(&sessions, &token).await.unwrap();
        assert_eq!(again.contains_key("b"), again.contains_key("c"));
        stored.insert(again.contains_key("b"));
        session
            .update()
            .await
            .expect("a dropped update may be repeated");
        assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
        if done {
            return assert_eq!(stored.len(), 2, "dropped both before and after the write");
        }
    }
}
