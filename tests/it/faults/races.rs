//! Operations that race each other over two connections.
//!
//! `interleavings` explores all orders of their steps in memory; here Redis decides.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jwt_redis_session::{RedisStore, Session, SessionError, Sessions, Token};

use super::{UNKNOWN, builder, connect, created, id, listed, open, records};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{rounds, until_it_went_both_ways};

const GONE: SessionError = SessionError::Gone;

/// Two handles of one session of `jo`, each in a separate application.
struct Race<'a> {
    server: &'a RedisServer,
    keyspace: String,
    sessions: [Sessions; 2],
    one: Session,
    other: Session,
    token: Token,
}

impl<'a> Race<'a> {
    async fn start(server: &'a RedisServer, stores: [RedisStore; 2], number: usize) -> Self {
        let keyspace = format!("{number}:");
        let sessions = stores.map(|store| {
            let sessions = builder(store).keyspace(&*keyspace);
            sessions.build().expect("a good configuration")
        });
        let (one, token) = created(&sessions[0], "jo").await;
        let other = open(&sessions[1], &token).await.expect("it exists");
        other.insert("b", 2).expect("a number");
        Self {
            server,
            keyspace,
            sessions,
            one,
            other,
            token,
        }
    }

    /// Checks that only these sessions are left: as records, in the list, and for both
    /// applications.
    async fn leaves(&self, tokens: &[&Token]) {
        let mut left = Vec::new();
        for token in tokens {
            let session = open(&self.sessions[1], token).await;
            left.push(id(&session.expect("it exists")));
        }
        left.sort_unstable();
        for sessions in &self.sessions {
            assert_eq!(open(sessions, &self.token).await.err(), Some(UNKNOWN));
            assert_eq!(listed(sessions, "jo").await, left);
        }
        assert_eq!(records(self.server, &self.keyspace), left);
    }
}

/// Runs races until they have returned both values. A proxy in front of each application delays
/// every packet by a random time of at most 2 ms.
async fn repeat(usual: usize, long: usize, race: impl AsyncFn(Race<'_>) -> bool) {
    let server = RedisServer::start();
    let one = Proxy::to(server.address()).await;
    let other = Proxy::to(server.address()).await;
    let stores = [connect(&one.url()).await, connect(&other.url()).await];
    for proxy in [&one, &other] {
        proxy.jitter(Duration::from_millis(2));
    }
    let rounds = rounds(usual, long);
    let mut first = 0;
    until_it_went_both_ways(async |_| {
        let won = stream::iter(first..first + rounds)
            .map(async |number| race(Race::start(&server, stores.clone(), number).await).await)
            .buffer_unordered(8)
            .filter(|won| std::future::ready(*won))
            .count()
            .await;
        first += rounds;
        eprintln!("{won} of {rounds}");
        0 < won && won < rounds
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_never_brings_a_destroyed_session_back() {
    repeat(300, 10_000, async |race| {
        let (updated, destroyed) = tokio::join!(race.other.update(), race.one.destroy());
        assert_eq!(destroyed, Ok(true));
        assert!(matches!(updated, Ok(()) | Err(GONE)), "{updated:?}");
        race.leaves(&[]).await;
        assert_eq!(race.other.update().await, Err(GONE));
        updated.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_rotations_one_wins() {
    repeat(100, 3_000, async |race| {
        let (one, other) = tokio::join!(race.one.rotate(), race.other.rotate());
        let first = one.is_ok();
        let (won, lost) = if first { (one, other) } else { (other, one) };
        assert_eq!(lost.err(), Some(GONE));
        race.leaves(&[&won.expect("one wins")]).await;
        first
    })
    .await;
}

/// Logins at the same time as a `destroy_all` work and are listed, or fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destroy_all_leaves_no_session_unlisted() {
    repeat(60, 2_000, async |race| {
        let [here, there] = &race.sessions;
        let create = async |_| {
            let session = there.new_session();
            session.set_owner("jo").expect("a valid owner");
            session.create().await
        };
        let creates = join_all((0..6).map(create));
        let (destroyed, creates) = tokio::join!(here.destroy_all("jo"), creates);
        assert!(destroyed.expect("redis answers") >= 1);
        let mut alive = Vec::new();
        for outcome in &creates {
            match outcome {
                Ok(token) => match open(here, token).await {
                    Ok(_) => alive.push(token),
                    Err(error) => assert_eq!(error, UNKNOWN),
                },
                Err(error) => assert_eq!(*error, SessionError::Revoked),
            }
        }
        race.leaves(&alive).await;
        assert_eq!(there.destroy_all("jo").await, Ok(alive.len()));
        race.leaves(&[]).await;
        !alive.is_empty()
    })
    .await;
}
