//! Rotations with a grace beside other requests, on real stores and threads.

use futures_util::future::join_all;
use tokio::task::JoinHandle;

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
        let writes: Vec<_> = writers.into_iter().enumerate().map(write).collect();
        let rotation = rotate(&session);
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

        // A logout, with the token of before in most rounds, while others rotate and write.
        let mut others = handles(&sessions, &new, 4).await;
        let leaving = match round % 4 {
            3 => others.pop().unwrap(),
            _ => open(&sessions, &old).await.unwrap(),
        };
        let rotation = rotate(&others.pop().unwrap());
        let writes: Vec<_> = others.into_iter().enumerate().map(write).collect();
        assert_eq!(leaving.destroy().await, Ok(true), "round {round}");
        join_all(writes).await;
        let newest = rotation.await.unwrap().ok();
        for token in newest.iter().chain([&old, &new]) {
            assert_ended(&sessions, token).await;
        }
        assert_eq!(listed(&sessions, "jo").await, []);
    }
}

/// Writes `w{at}` in a task.
fn write((at, session): (usize, Session)) -> JoinHandle<Result<(), SessionError>> {
    tokio::spawn(async move {
        for _ in 0..at % 4 {
            tokio::task::yield_now().await;
        }
        session.insert(format!("w{at}"), at).unwrap();
        session.update().await
    })
}

fn rotate(session: &Session) -> JoinHandle<Result<Token, SessionError>> {
    let session = session.clone();
    tokio::spawn(async move { session.rotate_with_grace(GRACE).await })
}

async fn two_rotations_give_two_tokens_that_work(store: impl Store + Clone) {
    let opaque = Sessions::builder(yielding(store.clone()), OpaqueTokens::new());
    for sessions in [sessions(yielding(store)), opaque.build().unwrap()] {
        for round in 0..ROUNDS {
            let owner = (round % 2 == 0).then_some("jo");
            let (session, old) = created(&sessions, owner).await;
            let tabs = handles(&sessions, &old, 2).await;
            for (at, tab) in tabs.iter().enumerate() {
                tab.insert(format!("tab{at}"), at).unwrap();
            }
            let rotations = join_all(tabs.iter().map(rotate)).await;
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
    let processes: Vec<_> = stores.iter().map(|store| sessions(store.clone())).collect();
    for round in 0..200 {
        let owner = (round % 2 == 0).then_some("jo");
        let ends = round % 4 > 1;
        let (_, old) = created(&processes[0], owner).await;
        let requests = (0..6).map(|at| {
            let process = processes[at % processes.len()].clone();
            tokio::spawn(request(process, old.clone(), at, ends))
        });
        let results = join_all(requests.collect::<Vec<_>>()).await;
        let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        let ended = ends && results[2].is_some();
        let process = &processes[round % processes.len()];
        let mut ids = Vec::new();
        for token in results.iter().flatten().flatten().chain([&old]) {
            let opened = open(process, token).await;
            assert_eq!(opened.is_err(), ended, "round {round}");
            if let Ok(opened) = opened {
                assert_written(&opened, &results);
                ids.push(id(&opened));
            }
        }
        if !ends {
            let all = results.iter().all(Option::is_some);
            assert!(all, "round {round}: {results:?}");
            ids.dedup();
            assert_eq!(ids.len(), 1, "round {round}");
            assert_eq!(process.destroy(&ids[0]).await, Ok(true));
        }
        assert_eq!(listed(&processes[0], "jo").await, [], "round {round}");
    }
}

/// Sends one request. Returns the new token, if it has one, or `None` if the request fails.
async fn request(process: Sessions, token: Token, at: usize, ends: bool) -> Option<Option<Token>> {
    let session = open(&process, &token).await.ok()?;
    session.insert(format!("w{at}"), at).unwrap();
    match at {
        0 | 1 => session.rotate_with_grace(GRACE).await.ok().map(Some),
        2 if ends => session.destroy().await.ok().map(|_| None),
        _ => session.update().await.ok().map(|()| None),
    }
}

/// Asserts that the session has what the requests that succeeded have written.
fn assert_written(session: &Session, results: &[Option<Option<Token>>]) {
    for (at, result) in results.iter().enumerate() {
        let is_written = result.is_none() || session.contains_key(&format!("w{at}"));
        assert!(is_written, "request {at}");
    }
}
