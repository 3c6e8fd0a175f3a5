//! Rotations with a grace beside other requests, on real stores and threads.

use futures_util::future::join_all;

use super::grace::GRACE;
use super::hooks::yielding;
use super::*;

const ROUNDS: usize = 40;

on_every_store!(
    no_write_is_lost_and_no_logout_undone,
    two_rotations_give_two_tokens_that_work,
);

/// Opens the session anew for each of several requests.
async fn handles(sessions: &Sessions, token: &Token, count: usize) -> Vec<Session> {
    let opening = (0..count).map(|_| open(sessions, token));
    let opened = join_all(opening).await.into_iter();
    opened.map(|session| session.unwrap()).collect()
}

async fn no_write_is_lost_and_no_logout_undone(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for round in 0..ROUNDS {
        let owner = (round % 2 == 0).then_some("jo");
        let (session, old) = created(&sessions, owner).await;
        let writers = handles(&sessions, &old, 6).await;
        let writes = writers.iter().enumerate().map(|(at, writer)| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for _ in 0..at % 4 {
                    tokio::task::yield_now().await;
                }
                writer.insert(format!("w{at}"), at).unwrap();
                writer.update().await
            })
        });
        let writes: Vec<_> = writes.collect();
        let rotating = session.clone();
        let rotation = tokio::spawn(async move { rotating.rotate_with_grace(GRACE).await });
        let written = join_all(writes).await;
        let new = rotation.await.unwrap().unwrap();
        for token in [&old, &new] {
            let opened = open(&sessions, token).await.unwrap();
            assert_eq!(id(&opened), id(&session));
            for (at, written) in written.iter().enumerate() {
                assert_eq!(*written.as_ref().unwrap(), Ok(()));
                assert!(opened.contains_key(&format!("w{at}")), "round {round}");
            }
        }

        // A logout with the token of before, while others rotate and write.
        let mut others = handles(&sessions, &new, 4).await;
        let leaving = open(&sessions, &old).await.unwrap();
        let last = others.pop().unwrap();
        let busy = others.into_iter().enumerate().map(|(at, other)| {
            tokio::spawn(async move {
                other.insert(format!("x{at}"), at).unwrap();
                if at == 0 {
                    return other.rotate_with_grace(GRACE).await.ok();
                }
                let _ = other.update().await;
                None
            })
        });
        let busy: Vec<_> = busy.collect();
        let ended = match round % 4 {
            3 => last.destroy().await,
            _ => leaving.destroy().await,
        };
        assert_eq!(ended, Ok(true), "round {round}");
        let rotated = join_all(busy).await;
        for token in rotated
            .iter()
            .filter_map(|token| token.as_ref().unwrap().as_ref())
        {
            assert_ended(&sessions, token).await;
        }
        assert_ended(&sessions, &old).await;
        assert_ended(&sessions, &new).await;
        assert_eq!(listed(&sessions, "jo").await, []);
    }
}

async fn two_rotations_give_two_tokens_that_work(store: impl Store + Clone) {
    let opaque = Sessions::builder(yielding(store.clone()), OpaqueTokens::new());
    for sessions in [sessions(yielding(store)), opaque.build().unwrap()] {
        for round in 0..ROUNDS {
            let owner = (round % 2 == 0).then_some("jo");
            let (session, old) = created(&sessions, owner).await;
            let tabs = handles(&sessions, &old, 2).await;
            let rotate = |at: usize| {
                let tab = tabs[at].clone();
                tab.insert(format!("tab{at}"), at).unwrap();
                tokio::spawn(async move { tab.rotate_with_grace(GRACE).await })
            };
            let rotations = join_all([rotate(0), rotate(1)]).await;
            let mut ids = Vec::new();
            for rotation in rotations {
                let token = rotation.unwrap().unwrap();
                let opened = open(&sessions, &token).await.unwrap();
                assert_eq!(opened.to_json(), json!({"a": 1, "tab0": 0, "tab1": 1}));
                ids.push(id(&opened));
                assert_eq!(opened.claims().is_some(), session.claims().is_some());
            }
            // Both clients have the same session, also those whose tab has lost.
            assert_eq!(ids[0], ids[1]);
            if owner.is_some() {
                assert_eq!(listed(&sessions, "jo").await, ids[..1]);
            }
            assert_eq!(id(&open(&sessions, &old).await.unwrap()), ids[0]);
            assert_eq!(sessions.destroy(&ids[0]).await, Ok(true));
        }
    }
}

/// Four threads, and for Redis as many connections, so that the requests of a round meet anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_and_connections_meet_anywhere() {
    let memory = MemoryStore::new();
    meet(&[memory.clone().into(), memory.into()]).await;
    #[cfg(feature = "redis")]
    {
        use jwt_redis_session::RedisStore;

        let server = crate::support::redis_server::RedisServer::start();
        let mut stores: Vec<SharedStore> = Vec::new();
        for _ in 0..4 {
            stores.push(RedisStore::connect(&server.url()).await.unwrap().into());
        }
        meet(&stores).await;
    }
}

/// Requests of several processes write, rotate with a grace and log out.
async fn meet(stores: &[SharedStore]) {
    let processes: Vec<_> = stores.iter().map(sessions_of).collect();
    for round in 0..200 {
        let owner = (round % 2 == 0).then_some("jo");
        let (session, old) = created(&processes[0], owner).await;
        let ends = round % 4 > 1;
        let requests = (0..6).map(|at| {
            let (process, old) = (processes[at % processes.len()].clone(), old.clone());
            tokio::spawn(async move {
                let session = process.open(old.as_str()).await.ok()?;
                session.insert(format!("w{at}"), at).unwrap();
                match at {
                    0 | 1 => session.rotate_with_grace(GRACE).await.ok().map(Some),
                    2 if ends => session.destroy().await.ok().map(|_| None),
                    _ => session.update().await.ok().map(|()| None),
                }
            })
        });
        let results = join_all(requests.collect::<Vec<_>>()).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        let newest = results.iter().flatten().flatten();
        let tokens: Vec<_> = newest.chain([&old]).collect();
        let mut ids = Vec::new();
        for token in &tokens {
            let opened = open(&processes[round % processes.len()], token).await;
            if ends && results[2].is_some() {
                assert_eq!(opened.err(), Some(UNKNOWN), "round {round}");
                continue;
            }
            let opened = opened.unwrap_or_else(|error| panic!("round {round}: {error}"));
            ids.push(id(&opened));
            for (at, result) in results.iter().enumerate() {
                let is_written = result.is_none() || opened.contains_key(&format!("w{at}"));
                assert!(is_written, "round {round}, request {at}");
            }
        }
        if !ends {
            assert!(
                results.iter().all(Option::is_some),
                "round {round}: {results:?}"
            );
            ids.dedup();
            assert_eq!(ids.len(), 1, "round {round}");
            let (process, last) = (processes[1].clone(), ids[0].clone());
            assert_eq!(process.destroy(&last).await, Ok(true));
        }
        assert_eq!(listed(&processes[0], "jo").await, [], "round {round}");
        drop(session);
    }
}

fn sessions_of(store: &SharedStore) -> Sessions {
    sessions(store.clone())
}
