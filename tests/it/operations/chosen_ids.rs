//! Sessions under an id that the caller chose.

use super::*;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::testing::Hooked;
use jwt_redis_session::{MemoryStore, token::TokenError};

on_every_store!(
    create_as_takes_the_id_it_is_given,
    create_as_of_a_taken_id_leaves_no_trace,
    create_as_at_once_succeeds_exactly_once,
    create_as_of_a_loser_leaves_the_winner_with_its_owner,
    create_as_again_after_the_end_of_the_first,
    create_as_that_meets_a_destroy_all_leaves_a_listed_session_or_none,
    create_as_gives_up_on_a_mark_that_stays,
    create_as_takes_no_opaque_tokens,
    f25_a_dropped_create_as_leaves_a_whole_session_or_none,
);

const ID: &str = "chosen-by-the-caller";

const INDEX: &str = "sess:owner:am8:";

fn chosen() -> SessionId {
    SessionId::parse(ID).unwrap()
}

async fn create_as(sessions: &Sessions, owner: Option<&str>) -> Result<Token, SessionError> {
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    owner
        .into_iter()
        .for_each(|owner| session.set_owner(owner).unwrap());
    session.create().id(chosen()).claims(json!({"v": 1})).await
}

async fn create_as_takes_the_id_it_is_given(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    session.set_owner("jo").unwrap();
    let token = session
        .create()
        .id(chosen())
        .claims(json!({"v": 1}))
        .await
        .unwrap();
    assert_eq!(id(&session), chosen());
    assert_eq!(session.claims().unwrap().get("v"), Ok(Some(1)));
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(
        (again.to_json(), again.owner()),
        (json!({"a": 1}), Some("jo".into()))
    );
    assert!(text(&store, &key(&session)).await.contains("nonce"));
    session.insert("b", 2).unwrap();
    session.update().await.unwrap();
    assert_eq!(session.keep_alive().await.map(drop), Ok(()));
    assert!(
        !text(&store, &key(&session)).await.contains("nonce"),
        "of no use any more"
    );
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
    let bad = sessions.new_session().create().id(chosen()).claims(5).await;
    assert!(matches!(bad, Err(SessionError::Encode { .. })));
    let bad = sessions
        .new_session()
        .create()
        .id(chosen())
        .claims(json!({"jti": "x"}))
        .await;
    assert!(matches!(bad, Err(SessionError::Token(_))));
}

async fn create_as_of_a_taken_id_leaves_no_trace(store: impl Store + Clone) {
    let counting = Counting::new(store.clone());
    let sessions = sessions(counting.clone());
    let token = create_as(&sessions, Some("jo")).await.unwrap();
    let key = format!("sess:{ID}");
    let before = (text(&store, &key).await, entries(&store, INDEX).await);
    for owner in [None, Some("jo"), Some("al")] {
        let calls = counting.calls();
        let refused = sessions.new_session();
        refused.insert("mine", 1).unwrap();
        owner
            .into_iter()
            .for_each(|owner| refused.set_owner(owner).unwrap());
        let outcome = refused.create().id(chosen()).await;
        assert_eq!(outcome.unwrap_err(), SessionError::Taken);
        assert_eq!(counting.calls() - calls, 1);
        assert!(matches!(refused.state(), SessionState::Absent { .. }));
        assert!(refused.contains_key("mine"), "what was set is kept");
    }
    settle().await;
    let after = (text(&store, &key).await, entries(&store, INDEX).await);
    assert_eq!(after, before);
    assert!(entries(&store, "sess:owner:YWw:").await.is_empty());
    assert!(open(&sessions, &token).await.is_ok());
    let shared = builder(store.clone()).keyspace("other:").build().unwrap();
    assert!(
        create_as(&shared, Some("jo")).await.is_ok(),
        "another keyspace"
    );
    sessions.destroy(&chosen()).await.unwrap();
    insert(&store, &chosen(), "no session").await;
    for owner in [None, Some("jo")] {
        let outcome = create_as(&sessions, owner).await;
        assert_eq!(outcome.unwrap_err(), SessionError::Taken);
    }
}

async fn create_as_at_once_succeeds_exactly_once(store: impl Store + Clone) {
    for owners in [&[None][..], &[Some("jo")], &[Some("jo"), Some("al"), None]] {
        let sessions = sessions(yielding(store.clone()));
        let tasks: Vec<_> = (0..50)
            .map(|number| {
                let (sessions, owner) = (sessions.clone(), owners[number % owners.len()]);
                tokio::spawn(async move { (owner, create_as(&sessions, owner).await) })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                (owner, Ok(token)) => won.push((owner, token)),
                (_, Err(error)) => assert_eq!(error, SessionError::Taken),
            }
        }
        let [(owner, token)] = &won[..] else {
            panic!("{} of 50 succeeded", won.len());
        };
        let session = open(&sessions, token).await.unwrap();
        assert_eq!(session.owner().as_deref(), *owner);
        for name in ["jo", "al"] {
            let mine = usize::from(*owner == Some(name));
            assert_eq!(listed(&sessions, name).await.len(), mine);
            assert_eq!(sessions.destroy_all(name).await, Ok(mine));
        }
        let left = usize::from(owner.is_none());
        assert_eq!(usize::from(session.destroy().await.unwrap()), left);
    }
}

/// The loser has written to its own owner's list before it loses, and must not undo more.
async fn create_as_of_a_loser_leaves_the_winner_with_its_owner(store: impl Store + Clone) {
    let stale = intercepted(store.clone(), SeeNothing);
    let sessions = sessions(store);
    let token = create_as(&sessions, Some("jo")).await.unwrap();
    let blind = builder(stale).build().unwrap();
    for owner in ["jo", "al"] {
        let lost = create_as(&blind, Some(owner)).await;
        assert_eq!(lost.unwrap_err(), SessionError::Taken);
    }
    assert!(listed(&sessions, "al").await.is_empty());
    assert_eq!(sessions.destroy_all("al").await, Ok(0));
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
}

async fn create_as_again_after_the_end_of_the_first(store: impl Store + Clone) {
    let sessions = sessions(store);
    let first = create_as(&sessions, Some("jo")).await.unwrap();
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &first).await, Some(UNKNOWN));
    create_as(&sessions, Some("jo")).await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
    assert!(
        open(&sessions, &first).await.is_ok(),
        "a token names the id alone"
    );
}

async fn create_as_that_meets_a_destroy_all_leaves_a_listed_session_or_none(
    store: impl Store + Clone,
) {
    let (one, two) = (sessions(yielding(store.clone())), sessions(yielding(store)));
    for head_start in 0..30 {
        let creation = tokio::spawn({
            let one = one.clone();
            async move { create_as(&one, Some("jo")).await }
        });
        for _ in 0..head_start {
            tokio::task::yield_now().await;
        }
        two.destroy_all("jo").await.unwrap();
        let alive = match creation.await.unwrap() {
            Ok(token) => open(&one, &token).await.is_ok(),
            Err(SessionError::Revoked) => one.get(&chosen()).await.is_ok(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(listed(&one, "jo").await.len(), usize::from(alive));
        assert_eq!(one.destroy_all("jo").await, Ok(usize::from(alive)));
    }
}

async fn create_as_gives_up_on_a_mark_that_stays(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    create_as(&sessions, Some("jo")).await.unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    for (marked, expected) in [(now, Err(SessionError::Revoked)), (now - 61, Ok(()))] {
        let key = format!("sess:{ID}");
        let entry = NewEntry::new(INDEX, ID, 1, Duration::from_secs(60));
        let deleted = store.delete_indexed(&[&key], INDEX, &[ID]).await;
        deleted.unwrap();
        let put = store.index_put(entry, PutMode::KeepTombstone).await;
        put.unwrap();
        let marked = store.index_tombstone_all(INDEX, None, marked).await;
        marked.unwrap();
        let outcome = create_as(&sessions, Some("jo")).await.map(drop);
        assert_eq!(outcome, expected);
        assert_eq!(record(&store, &key).await.is_some(), expected.is_ok());
    }
    assert_eq!(listed(&sessions, "jo").await, [chosen()]);
}

async fn create_as_takes_no_opaque_tokens(store: impl Store + Clone) {
    let counting = Counting::new(store);
    let opaque = Sessions::builder(counting.clone(), OpaqueTokens::new());
    let refused = create_as(&opaque.build().unwrap(), Some("jo")).await;
    assert_eq!(
        refused.unwrap_err(),
        SessionError::Token(TokenError::IdUnsupported)
    );
    assert_eq!(counting.calls(), 0);
}

async fn f25_a_dropped_create_as_leaves_a_whole_session_or_none(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for polls in 0.. {
        let done = drop_after(polls, create_as(&sessions, Some("jo")))
            .await
            .is_some();
        assert_eq!(listed(&sessions, "jo").await.len(), usize::from(polls > 0));
        assert_eq!(sessions.get(&chosen()).await.is_ok(), polls > 0);
        assert_eq!(sessions.destroy_all("jo").await, Ok(usize::from(polls > 0)));
        if done {
            return assert!(polls > 3);
        }
    }
}

#[tokio::test]
async fn a_create_as_whose_reply_is_lost_is_taken_back_and_can_be_repeated() {
    for owner in [None, Some("jo")] {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let sessions = sessions(faults.wrap(store.clone()));
        faults.on(Step::Insert).lose_replies(1);
        let lost = create_as(&sessions, owner).await;
        assert!(matches!(lost, Err(SessionError::Unavailable(_))));
        settle().await;
        assert!(store.is_empty());
        assert!(listed(&sessions, "jo").await.is_empty());
        let token = create_as(&sessions, owner).await.unwrap();
        assert!(open(&sessions, &token).await.is_ok());
        assert_eq!(listed(&sessions, "jo").await.len(), owner.iter().count());
    }
}

/// Both ask for the very same session in the same second; one does not know how it went.
#[tokio::test]
async fn a_create_as_whose_reply_is_lost_never_takes_back_anothers() {
    for owner in [None, Some("jo")] {
        let clock = ManualClock::at(1_700_000_000);
        let store = MemoryStore::new().with_clock(clock.clone());
        let (gate, faults) = (Arc::new(tokio::sync::Notify::new()), Faults::new());
        let late = Hooked::new(faults.wrap(store.clone()), Late(Arc::clone(&gate)));
        let [slow, sessions] = [SharedStore::from(late), store.clone().into()]
            .map(|store| builder(store).clock(clock.clone()).build().unwrap());
        faults.on(Step::Insert).lose_replies(1);
        let lost = create_as(&slow, owner).await;
        assert!(matches!(lost, Err(SessionError::Unavailable(_))));
        settle().await;
        let key = format!("sess:{ID}");
        let written = text(&store, &key).await;
        // It ends, and another creates its like, before it is taken back.
        store.delete(&key).await.unwrap();
        let token = create_as(&sessions, owner).await.unwrap();
        assert_eq!(written.len(), text(&store, &key).await.len());
        gate.notify_one();
        settle().await;
        assert!(open(&sessions, &token).await.is_ok());
        assert_eq!(listed(&sessions, "jo").await.len(), owner.iter().count());
    }
}

#[tokio::test]
async fn a_create_as_that_cannot_be_taken_back_holds_the_id_until_it_is_freed() {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let sessions = sessions(faults.wrap(store.clone()));
    faults.on(Step::Insert).lose_replies(1);
    faults.on(Step::CompareAndDelete).lose_replies(1);
    let lost = create_as(&sessions, Some("jo")).await;
    assert!(matches!(lost, Err(SessionError::Unavailable(_))));
    settle().await;
    // The second reply was that of the taking back, which took place: nothing is left.
    assert!(store.is_empty());
    faults.on(Step::Insert).lose_replies(1);
    faults
        .on(Step::CompareAndDelete)
        .fail_with(StoreErrorKind::ReadOnly);
    let lost = create_as(&sessions, Some("jo")).await;
    assert!(matches!(lost, Err(SessionError::Unavailable(_))));
    settle().await;
    assert_eq!(
        create_as(&sessions, Some("jo")).await.unwrap_err(),
        SessionError::Taken
    );
    let left = sessions.get_without_touch(&chosen()).await.unwrap();
    assert_eq!(left.owner().as_deref(), Some("jo"));
    assert_eq!(
        listed(&sessions, "jo").await,
        [chosen()],
        "it is not hidden"
    );
    assert_eq!(sessions.destroy(&chosen()).await, Ok(true));
    assert!(create_as(&sessions, Some("jo")).await.is_ok());
}
