//! What was acknowledged stays true while Redis is killed, paused and cut off.
//!
//! Concurrent operations on one session are in `interleavings`, on a store in memory. Here each
//! client works on its own sessions, so it knows what to expect of every one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jwt_redis_session::{Keyring, RedisStore, SessionError, Sessions, TokenRejection};

use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

const CLIENTS: usize = 4;

struct Client {
    sessions: Sessions,
    name: String,
    shared: String,
    /// The tokens of sessions that ended, acknowledged.
    ended: Vec<String>,
    /// The number of the last acknowledged update of the shared session.
    acknowledged: u64,
    answers: Arc<Answers>,
}

#[derive(Default)]
struct Answers {
    stopped: AtomicBool,
    known: AtomicUsize,
    unknown: AtomicUsize,
}

impl Client {
    /// Returns the result if it is known whether the operation was applied.
    fn known<T>(&self, result: Result<T, SessionError>) -> Option<T> {
        match result {
            Ok(value) => {
                self.answers.known.fetch_add(1, Ordering::SeqCst);
                Some(value)
            }
            Err(SessionError::Unavailable(_) | SessionError::Conflict) => {
                self.answers.unknown.fetch_add(1, Ordering::SeqCst);
                None
            }
            Err(error) => panic!("{}: {error}", self.name),
        }
    }

    async fn work(mut self) -> Self {
        let mut round = 0;
        while !self.answers.stopped.load(Ordering::SeqCst) {
            round += 1;
            let _ = self.one_life(round).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self
    }

    /// Creates, updates, rotates and ends a session; gives up when a result is unknown.
    async fn one_life(&mut self, round: u64) -> Option<()> {
        let shared = self.known(self.sessions.open(&self.shared).await)?;
        shared.insert(&self.name, round).unwrap();
        if self.known(shared.update().await).is_some() {
            self.acknowledged = round;
        }
        let session = self.sessions.new_session();
        // A `destroy_all` whose result is unknown may be applied later, to this owner only.
        let owner = format!("{} in round {round}", self.name);
        session.set_owner(&owner).unwrap();
        let first = self.known(session.create().await)?.into_string();
        session.insert("round", round).unwrap();
        self.known(session.update().await)?;
        let opened = self.known(self.sessions.open(&first).await)?;
        assert_eq!(
            opened.get("round").unwrap(),
            Some(round),
            "an update is lost"
        );
        let second = self.known(session.rotate().await)?.into_string();
        self.ended.push(first);
        let opened = self.known(self.sessions.open(&second).await)?;
        assert_eq!(
            opened.get("round").unwrap(),
            Some(round),
            "a rotation lost data"
        );
        if round % 2 == 0 {
            self.known(session.destroy().await)?;
        } else {
            self.known(self.sessions.destroy_all(&owner).await)?;
        }
        self.ended.push(second);
        self.assert_ended(&self.ended[self.ended.len().saturating_sub(4)..])
            .await;
        Some(())
    }

    async fn assert_ended(&self, tokens: &[String]) {
        for token in tokens {
            match self.sessions.open(token).await {
                Err(SessionError::Rejected(TokenRejection::Unknown)) => {}
                opened => drop(self.known(opened.map(|_| panic!("an ended session works")))),
            }
        }
    }
}

/// Breaks something, and repairs it after a while: each kind in turn.
async fn disturb(server: &mut RedisServer, proxies: &[Proxy], kind: usize) {
    let wait = |millis| tokio::time::sleep(Duration::from_millis(millis));
    match kind % 6 {
        0 => {
            server.kill();
            wait(100).await;
            server.restart();
        }
        // Longer than an answer may take.
        1 => {
            server.pause();
            wait(1200).await;
            server.resume();
        }
        2 => proxies.iter().for_each(Proxy::reset_open),
        3 => proxies.iter().for_each(Proxy::freeze_open),
        4 => {
            server.run(&["REPLICAOF", "127.0.0.1", "1"]);
            wait(200).await;
            server.run(&["REPLICAOF", "NO", "ONE"]);
        }
        // The writes are applied, but the replies are lost.
        _ => {
            proxies
                .iter()
                .for_each(|proxy| proxy.cut_replies_after(Some(300)));
            wait(200).await;
            proxies
                .iter()
                .for_each(|proxy| proxy.cut_replies_after(None));
        }
    }
    wait(150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_operations_survive_faults() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let sessions = |url: String| {
        let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
        Sessions::builder(RedisStore::lazy(&url).unwrap(), keyring)
            .build()
            .unwrap()
    };
    let direct = sessions(server.url());
    let shared = direct.new_session().create().await.unwrap().into_string();
    let answers = Arc::new(Answers::default());
    let (mut proxies, mut clients) = (Vec::new(), Vec::new());
    for number in 0..CLIENTS {
        let proxy = Proxy::to(server.address()).await;
        let client = Client {
            sessions: sessions(proxy.url()),
            name: format!("client {number}"),
            shared: shared.clone(),
            ended: Vec::new(),
            acknowledged: 0,
            answers: Arc::clone(&answers),
        };
        proxies.push(proxy);
        clients.push(tokio::spawn(client.work()));
    }
    for kind in 0..12 {
        disturb(&mut server, &proxies, kind).await;
    }
    answers.stopped.store(true, Ordering::SeqCst);
    for client in clients {
        let mut client = client.await.expect("no client panics");
        client.sessions = direct.clone();
        let shared = eventually("an answer", async || direct.open(&shared).await.ok()).await;
        let shown: u64 = shared.get(&client.name).unwrap().unwrap_or_default();
        assert!(
            shown >= client.acknowledged,
            "an acknowledged update is lost"
        );
        client.assert_ended(&client.ended).await;
    }
    let counts = [&answers.known, &answers.unknown].map(|count| count.load(Ordering::SeqCst));
    assert!(counts[0] > 100 && counts[1] > 0, "{counts:?}");
}
