//! Who breaks things while the clients work.

use std::time::Duration;

use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

/// A server that loses nothing it has acknowledged, and a proxy to it for every client.
pub(super) struct Nemesis {
    server: RedisServer,
    proxies: Vec<Proxy>,
    strikes: usize,
}

/// How many kinds of strikes there are.
const KINDS: usize = 7;

impl Nemesis {
    pub(super) async fn start() -> Self {
        let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let mut proxies = Vec::new();
        for _ in 0..super::CLIENTS {
            proxies.push(Proxy::to(server.address()).await);
        }
        let nemesis = Self {
            server,
            proxies,
            strikes: 0,
        };
        nemesis.heal();
        nemesis
    }

    pub(super) fn url(&self, client: usize) -> String {
        self.proxies[client].url()
    }

    pub(super) fn strikes(&self) -> usize {
        self.strikes
    }

    /// Ends every fault.
    pub(super) fn heal(&self) {
        for proxy in &self.proxies {
            proxy.blackhole(false);
            proxy.cut_replies_after(None);
            proxy.delay(Duration::ZERO);
            proxy.jitter(Duration::from_micros(500));
        }
    }

    /// Waits a little, breaks something, and mends it after a while: each kind in turn, on some
    /// of the proxies, for a random time.
    pub(super) async fn strike(&mut self) {
        pause(50, 250).await;
        let kind = self.strikes % KINDS;
        self.strikes += 1;
        match kind {
            0 => {
                self.server.kill();
                pause(0, 300).await;
                self.server.restart();
            }
            // For longer than an answer may take, often.
            1 => {
                self.server.pause();
                pause(100, 900).await;
                self.server.resume();
            }
            2 => self.some().for_each(Proxy::reset_open),
            // Frozen for good: what was sent over them arrives never, or when they are cut.
            3 => self.some().for_each(Proxy::freeze_open),
            // Held up, and let through later: writes that were given up are applied then.
            4 => {
                self.some().for_each(|proxy| proxy.blackhole(true));
                pause(300, 900).await;
            }
            5 => {
                self.server.run(&["REPLICAOF", "127.0.0.1", "1"]);
                pause(100, 400).await;
                self.server.run(&["REPLICAOF", "NO", "ONE"]);
            }
            _ => {
                self.some().for_each(|proxy| {
                    let limit = rand::random::<u32>() % 2000;
                    proxy.cut_replies_after(Some(limit as usize));
                });
                pause(100, 300).await;
            }
        }
        self.heal();
    }

    fn some(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.iter().filter(|_| rand::random::<bool>())
    }
}

async fn pause(least: u64, most: u64) {
    let millis = least + rand::random::<u64>() % (most - least);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
