//! The largest number of sessions of an owner.

use futures_util::FutureExt as _;
use jwt_redis_session::SessionEnd;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::config::Evict::{self, LeastRecentlyUsed, Refuse};
use tokio::task::JoinSet;

use super::*;

const TOO_MANY: &str = "the owner has 3 sessions, which is the limit; end one of them first";

on_every_store!(
    the_sessions_that_were_not_used_for_longest_end,
    every_way_to_get_an_owner_counts,
    a_refused_login_changes_nothing,
    a_refused_login_leaves_a_chosen_id_free,
    only_sessions_that_work_count,
    a_lower_limit_ends_all_that_are_too_many,
    concurrent_logins_keep_the_limit,
    one_of_two_logins_gets_the_last_place,
    a_login_that_loses_ends_nothing,
);

/// At most 3 sessions of an owner.
fn limited(store: impl Into<SharedStore>, evict: Evict) -> (Sessions, ManualClock) {
    let clock = ManualClock::at(1_700_000_000);
    let builder = builder(store).clock(clock.clone()).max_sessions(3, evict);
    (builder.build().unwrap(), clock)
}

/// Logs `jo` in once a second.
async fn log_in(sessions: &Sessions, clock: &ManualClock, count: usize) -> Vec<Session> {
    let mut logged_in = Vec::new();
    for _ in 0..count {
        clock.advance(Duration::from_secs(1));
        let session = sessions.new_session();
        session.login("jo").await.unwrap();
        logged_in.push(session);
    }
    logged_in
}

async fn assert_alive(sessions: &[Session], expected: &[bool]) {
    let mut alive = Vec::new();
    for session in sessions {
        alive.push(session.is_alive().await.unwrap());
    }
    assert_eq!(alive, expected);
}

async fn the_sessions_that_were_not_used_for_longest_end(store: impl Store + Clone) {
    let (sessions, clock) = limited(store.clone(), LeastRecentlyUsed);
    let mut all = log_in(&sessions, &clock, 3).await;
    assert!(all.iter().all(|session| session.evicted().is_empty()));
    let mut ended = all[1].ended();
    assert_eq!((&mut ended).now_or_never(), None);
    clock.advance(Duration::from_secs(1));
    all[0].touch().await.unwrap();
    all.extend(log_in(&sessions, &clock, 1).await);
    assert_eq!(all[3].evicted(), [id(&all[1])]);
    assert_alive(&all, &[true, false, true, true]).await;
    assert_eq!(ended.await, SessionEnd::Evicted);
    assert_eq!(all[1].update().await, Err(SessionError::Gone));
    assert_eq!(entries(&store, INDEX).await.len(), 3);
    // A rotation is no new session.
    all[2].rotate().await.unwrap();
    all[2].login("jo").await.unwrap();
    assert!(all[2].evicted().is_empty());
    assert_alive(&all, &[true, false, true, true]).await;
    all.extend(log_in(&sessions, &clock, 1).await);
    assert_eq!(all[4].evicted(), [id(&all[0])]);
    assert_eq!(sessions.count("jo").await, Ok(3));
}

/// Handles that become a session of `jo`, each in another way.
async fn newcomers(sessions: &Sessions) -> Vec<(&'static str, Session)> {
    let mut newcomers = Vec::new();
    for way in ["create", "login", "guest", "other", "update", "rotate"] {
        let session = sessions.new_session();
        session.insert("way", way).unwrap();
        match way {
            "guest" => drop(session.create().await.unwrap()),
            "other" => drop(session.login("al").await.unwrap()),
            "update" | "rotate" => drop(session.login("sam").await.unwrap()),
            _ => {}
        }
        newcomers.push((way, session));
    }
    newcomers
}

async fn enter(way: &str, session: &Session) -> Result<(), SessionError> {
    match way {
        "login" | "guest" | "other" => return session.login("jo").await.map(drop),
        _ => session.set_owner("jo").unwrap(),
    }
    match way {
        "create" => session.create().await.map(drop),
        "update" => session.update().await,
        _ => session.rotate().await.map(drop),
    }
}

async fn every_way_to_get_an_owner_counts(store: impl Store + Clone) {
    let (sessions, clock) = limited(store, LeastRecentlyUsed);
    let mut all = log_in(&sessions, &clock, 3).await;
    for (oldest, (way, session)) in newcomers(&sessions).await.into_iter().enumerate() {
        clock.advance(Duration::from_secs(1));
        enter(way, &session).await.unwrap();
        assert_eq!(session.evicted(), [id(&all[oldest])], "{way}");
        assert_eq!(all[oldest].is_alive().await, Ok(false), "{way}");
        assert_eq!(session.is_alive().await, Ok(true), "{way}");
        assert_eq!(sessions.count("jo").await, Ok(3), "{way}");
        all.push(session);
    }
}

async fn a_refused_login_changes_nothing(store: impl Store + Clone) {
    let (sessions, clock) = limited(store.clone(), Refuse);
    let all = log_in(&sessions, &clock, 3).await;
    for (way, session) in newcomers(&sessions).await {
        let owner = session.owner();
        let before = session.id();
        let refused = enter(way, &session).await.unwrap_err();
        assert!(matches!(
            refused,
            SessionError::TooManySessions { limit: 3, .. }
        ));
        assert_eq!(refused.to_string(), TOO_MANY);
        assert_alive(&all, &[true; 3]).await;
        assert_eq!(sessions.count("jo").await, Ok(3), "{way}");
        // Except for a login in place of another user, whose session has ended before.
        if let Some(before) = before.filter(|_| way != "other") {
            let stored = sessions.get(&before).await.unwrap();
            assert_eq!(stored.owner(), owner, "{way}");
        }
        session.clear();
    }
    assert_eq!(
        entries(&store, INDEX)
            .await
            .iter()
            .filter(|it| it.state.score() < 0)
            .count(),
        0
    );
}

async fn a_refused_login_leaves_a_chosen_id_free(store: impl Store + Clone) {
    let (sessions, clock) = limited(store, Refuse);
    log_in(&sessions, &clock, 2).await;
    let (first, second) = (SessionId::random(), SessionId::random());
    for (id, fits) in [(&first, true), (&second, false)] {
        let session = sessions.new_session();
        session.set_owner("jo").unwrap();
        assert_eq!(session.create().id(id.clone()).await.is_ok(), fits);
        assert_eq!(sessions.get(id).await.is_ok(), fits);
    }
    assert_eq!(sessions.destroy(&first).await, Ok(true));
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    session.create().id(second).await.unwrap();
}

async fn only_sessions_that_work_count(store: impl Store + Clone) {
    for evict in [LeastRecentlyUsed, Refuse] {
        let (sessions, clock) = limited(store.clone(), evict);
        let all = log_in(&sessions, &clock, 3).await;
        // As if it had expired: the index is not changed.
        assert_eq!(store.delete(&key(&all[1])).await, Ok(true));
        // Another owner has it now.
        all[2].set_owner("al").unwrap();
        all[2].update().await.unwrap();
        let more = log_in(&sessions, &clock, 2).await;
        assert_alive(&more, &[true; 2]).await;
        assert_alive(&all, &[true, false, true]).await;
        assert!(more.iter().all(|session| session.evicted().is_empty()));
        // What an interrupted `destroy_all` has left is ended, and does not count.
        store
            .index_tombstone_all(INDEX, None, 1_700_000_000)
            .await
            .unwrap();
        let last = log_in(&sessions, &clock, 1).await;
        assert_alive(&more, &[false; 2]).await;
        assert_alive(&last, &[true]).await;
        assert_eq!(sessions.destroy_all("jo").await, Ok(1));
        assert_eq!(sessions.destroy_all("al").await, Ok(1));
    }
}

async fn a_lower_limit_ends_all_that_are_too_many(store: impl Store + Clone) {
    let (sessions, clock) = limited(store.clone(), LeastRecentlyUsed);
    let unlimited = builder(store).clock(clock.clone()).build().unwrap();
    let all = log_in(&unlimited, &clock, 300).await;
    let new = log_in(&sessions, &clock, 1).await.remove(0);
    assert_eq!(new.evicted().len(), 298);
    assert_eq!(sessions.count("jo").await, Ok(3));
    assert_alive(&all[297..], &[false, true, true]).await;
    assert_eq!(new.is_alive().await, Ok(true));
}

/// Logs in `count` times at once, and rotates a session meanwhile.
async fn log_in_at_once(sessions: &Sessions, count: usize) -> Vec<Result<Session, SessionError>> {
    let mut logins = JoinSet::new();
    let rotated = sessions.list("jo").await.unwrap().pop();
    for number in 0..count {
        let (sessions, rotated) = (sessions.clone(), rotated.clone());
        logins.spawn(async move {
            if let Some(entry) = rotated.filter(|_| number == 0) {
                let session = sessions.get(entry.id()).await?;
                session.rotate().await?;
                return Ok(session);
            }
            let session = sessions.new_session();
            session.login("jo").await.map(|_| session)
        });
    }
    logins.join_all().await
}

async fn concurrent_logins_keep_the_limit(store: impl Store + Clone) {
    let (sessions, _) = limited(store.clone(), LeastRecentlyUsed);
    for round in 0..50 {
        let logins = log_in_at_once(&sessions, 2 + round % 5).await;
        let count = sessions.count("jo").await.unwrap();
        assert!(count <= 3, "{count} sessions in round {round}");
        let succeeded = logins.iter().filter(|login| login.is_ok()).count();
        assert!(succeeded >= 1, "{logins:?}");
        assert!(count >= 1, "round {round}");
        let entries = entries(&store, INDEX).await;
        assert_eq!(entries.len(), count, "nothing is left");
    }
}

async fn one_of_two_logins_gets_the_last_place(store: impl Store + Clone) {
    let (sessions, clock) = limited(store, Refuse);
    for round in 0..50 {
        log_in(&sessions, &clock, 2).await;
        let mut logins = JoinSet::new();
        for _ in 0..2 + round % 3 {
            let session = sessions.new_session();
            logins.spawn(async move { session.login("jo").await });
        }
        let logins = logins.join_all().await;
        let succeeded = logins.iter().filter(|login| login.is_ok()).count();
        assert_eq!(succeeded, 1, "round {round}: {logins:?}");
        assert_eq!(sessions.destroy_all("jo").await, Ok(3));
    }
}

/// The memory store never waits, so only threads make its calls concurrent.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_logins_keep_the_limit_on_threads() {
    for _ in 0..4 {
        concurrent_logins_keep_the_limit(MemoryStore::new()).await;
        one_of_two_logins_gets_the_last_place(MemoryStore::new()).await;
    }
}

/// One of the ways in which a request gets another session of `jo`, or another id for one.
async fn meet(process: Sessions, token: Token, at: usize) -> Result<Token, SessionError> {
    let session = match at % 6 {
        1..=3 => process.open(token.as_str()).await?,
        _ => process.new_session(),
    };
    match at % 6 {
        1 => session.reauthenticated().await,
        2 => session.rotate().await,
        3 => session.rotate_with_grace(Duration::from_secs(60)).await,
        4 => {
            session.set_owner("al")?;
            let token = session.create().await?;
            session.set_owner("jo")?;
            session.update().await?;
            Ok(token)
        }
        5 => {
            session.create().await?;
            session.login("jo").await
        }
        _ => session.login("jo").await,
    }
}

/// Requests of processes with separate connections.
async fn processes_keep_the_limit(stores: Vec<SharedStore>) {
    // A login that is refused waits before.
    for (evict, rounds) in [(LeastRecentlyUsed, 30), (Refuse, 4)] {
        let processes = stores.iter().map(|store| limited(store.clone(), evict).0);
        let processes: Vec<_> = processes.collect();
        for round in 0..rounds {
            let mut tokens = Vec::new();
            for _ in 0..2 {
                tokens.push(created(&processes[0], Some("jo")).await.1);
            }
            let mut meeting = JoinSet::new();
            for at in 0..6 {
                let (process, token) = (&processes[at % processes.len()], &tokens[at % 2]);
                meeting.spawn(meet(process.clone(), token.clone(), at + round));
            }
            let met = meeting.join_all().await;
            tokens.extend(met.iter().filter_map(|token| token.clone().ok()));
            let mut opened = std::collections::HashSet::new();
            for token in &tokens {
                let session = open(&processes[0], token).await.ok();
                let owned = session.filter(|it| it.owner().as_deref() == Some("jo"));
                opened.extend(owned.and_then(|session| session.id()));
            }
            let ended = processes[0].destroy_all("jo").await.unwrap();
            let context = format!("{evict:?} {round}: {} {ended} {met:?}", opened.len());
            assert!(opened.len() <= 3 && ended <= 3, "{context}");
            assert!(ended >= 1 && met.iter().any(Result::is_ok), "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_holds_beside_every_rotation() {
    let memory = MemoryStore::new();
    processes_keep_the_limit(vec![memory.clone().into(), memory.into()]).await;
    #[cfg(feature = "redis")]
    {
        let server = crate::support::redis_server::RedisServer::start();
        let mut stores = Vec::new();
        for _ in 0..3 {
            let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
            stores.push(store.unwrap().into());
        }
        processes_keep_the_limit(stores).await;
    }
}

#[tokio::test]
async fn a_limit_of_none_is_rejected() {
    let built = builder(MemoryStore::new()).max_sessions(0, Refuse).build();
    assert_eq!(built.unwrap_err(), ConfigError::MaxSessions);
}

/// A double click on the button: the login that loses ends no other device.
async fn a_login_that_loses_ends_nothing(store: impl Store + Clone) {
    let (sessions, clock) = limited(store, LeastRecentlyUsed);
    let all = log_in(&sessions, &clock, 3).await;
    clock.advance(Duration::from_secs(1));
    let (_, guest) = created(&sessions, None).await;
    let [first, second] = [
        open(&sessions, &guest).await.unwrap(),
        open(&sessions, &guest).await.unwrap(),
    ];
    first.login("jo").await.unwrap();
    assert_eq!(first.evicted(), [id(&all[0])]);
    assert_eq!(second.login("jo").await, Err(SessionError::Gone));
    assert_alive(&all, &[false, true, true]).await;
    assert_eq!(first.is_alive().await, Ok(true));
}
