//! Acknowledged operations survive while Redis is killed, paused and cut off.
//!
//! Each client has private sessions, whose state it can predict, and uses one shared session. The
//! module `interleavings` tests concurrent operations on one session, in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jwt_redis_session::{Keyring, RedisConfig, RedisStore, SessionError, Sessions, TokenRejection};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

struct Client {
    sessions: Sessions,
    name: String,
    /// The token of a session that all clients update.
    shared: String,
    /// The last acknowledged update of the shared session.
    last_update: u64,
    /// The tokens of sessions whose end was acknowledged.
    ended: Vec<String>,
    failures: usize,
}

impl Client {
    /// Returns the value of an operation that succeeded. A failed one may have been applied.
    fn succeeded<T>(&mut self, result: Result<T, SessionError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(SessionError::Unavailable(_)) => {
                self.failures += 1;
                None
            }
            Err(SessionError::Conflict) => None,
            Err(error) => panic!("{}: {error}", self.name),
        }
    }

    async fn work(mut self, stopped: Arc<AtomicBool>) -> Self {
        for number in 1.. {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let _ = self.work_once(number).await;
            sleep(Duration::from_millis(1)).await;
        }
        self
    }

    /// Creates, updates, rotates and ends a session. Stops at the first operation that fails.
    async fn work_once(&mut self, number: u64) -> Option<()> {
        let opened = self.sessions.open(&self.shared).await;
        let shared = self.succeeded(opened)?;
        shared.insert(&self.name, number).unwrap();
        self.succeeded(shared.update().await)?;
        self.last_update = number;
        // A `destroy_all` that failed may be applied later, but only to this owner.
        let owner = format!("{}, {number}", self.name);
        let session = self.sessions.new_session();
        session.set_owner(&owner).unwrap();
        let first = self.succeeded(session.create().await)?.into_string();
        session.insert("number", number).unwrap();
        self.succeeded(session.update().await)?;
        let second = self.succeeded(session.rotate().await)?.into_string();
        self.ended.push(first);
        let opened = self.sessions.open(&second).await;
        let opened = self.succeeded(opened)?;
        assert_eq!(opened.get("number").unwrap(), Some(number), "data is lost");
        if number.is_multiple_of(2) {
            self.succeeded(session.destroy().await)?;
        } else {
            let destroyed = self.sessions.destroy_all(&owner).await;
            self.succeeded(destroyed)?;
        }
        self.ended.push(second);
        self.assert_ended(self.ended.len() - 2).await;
        Some(())
    }

    async fn assert_ended(&self, from: usize) {
        for token in &self.ended[from..] {
            let opened = self.sessions.open(token).await.map(drop);
            let is_unavailable = matches!(opened, Err(SessionError::Unavailable(_)));
            let unknown = Err(SessionError::Rejected(TokenRejection::Unknown));
            assert!(is_unavailable || opened == unknown, "it has ended");
        }
    }
}

/// Breaks something, and repairs it after a while.
async fn disturb(server: &mut RedisServer, proxies: &[Proxy], kind: usize) {
    let wait = |millis| sleep(Duration::from_millis(millis));
    match kind % 6 {
        0 => {
            server.kill();
            wait(100).await;
            server.restart();
        }
        // Longer than a response may take: writes that were given up are applied later.
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
        // Writes are applied, but their replies are lost.
        _ => {
            for limit in [Some(300), None] {
                proxies
                    .iter()
                    .for_each(|proxy| proxy.cut_replies_after(limit));
                wait(200).await;
            }
        }
    }
    wait(150).await;
}

/// Clients at work.
struct Clients {
    direct: Sessions,
    shared: String,
    stopped: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Client>>,
}

impl Clients {
    /// Creates the session that all use.
    async fn of(direct: Sessions) -> Self {
        let shared = direct.new_session().create().await.unwrap().into_string();
        Self {
            direct,
            shared,
            stopped: Arc::default(),
            tasks: Vec::new(),
        }
    }

    fn add(&mut self, sessions: Sessions) {
        let client = Client {
            sessions,
            name: format!("client {}", self.tasks.len()),
            shared: self.shared.clone(),
            last_update: 0,
            ended: Vec::new(),
            failures: 0,
        };
        let work = client.work(Arc::clone(&self.stopped));
        self.tasks.push(tokio::spawn(work));
    }

    /// Stops the clients, checks what is stored, and returns how many operations failed.
    async fn stop(self) -> Vec<usize> {
        self.stopped.store(true, Ordering::SeqCst);
        let direct = &self.direct;
        let mut failures = Vec::new();
        for task in self.tasks {
            let mut client = task.await.expect("no client panics");
            let opened = eventually("a response", async || direct.open(&self.shared).await.ok());
            let stored: u64 = opened.await.get(&client.name).unwrap().unwrap_or_default();
            assert!(stored >= client.last_update, "an update is lost");
            client.sessions = direct.clone();
            client.assert_ended(0).await;
            assert!(!client.ended.is_empty(), "no session was used");
            failures.push(client.failures);
        }
        failures
    }
}

fn sessions(url: &str) -> Sessions {
    sessions_in(RedisStore::lazy(url).unwrap())
}

fn sessions_in(store: RedisStore) -> Sessions {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_operations_survive_faults() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut clients = Clients::of(sessions(&server.url())).await;
    let mut proxies = Vec::new();
    for _ in 0..4 {
        let proxy = Proxy::to(server.address()).await;
        clients.add(sessions(&proxy.url()));
        proxies.push(proxy);
    }
    for kind in 0..12 {
        disturb(&mut server, &proxies, kind).await;
    }
    let failures = clients.stop().await;
    assert!(
        failures.iter().all(|failures| *failures > 0),
        "no fault was seen"
    );
}

/// Slots move to and fro, and replicas take over by order, which loses no write.
#[cfg(feature = "cluster")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_operations_survive_changes_of_a_cluster() {
    use crate::support::redis_cluster::RedisCluster;

    let cluster = Arc::new(RedisCluster::start());
    // Enough time for a small machine that runs many other tests.
    let config = RedisConfig::new(cluster.url()).deadline(Duration::from_secs(8));
    let config = config.response_timeout(Duration::from_secs(4));
    let sessions = || sessions_in(config.clone().lazy().unwrap());
    let mut clients = Clients::of(sessions()).await;
    for _ in 0..4 {
        clients.add(sessions());
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let cluster = Arc::clone(&cluster);
        let moving = move || cluster.move_slots(0..500, from, to);
        tokio::task::spawn_blocking(moving)
            .await
            .expect("slots move");
    }
    for replica in [3, 4, 0] {
        cluster.node(replica).run(&["CLUSTER", "FAILOVER"]);
        sleep(Duration::from_millis(700)).await;
    }
    let failures: usize = clients.stop().await.iter().sum();
    assert_eq!(failures, 0, "every change is waited for");
}
