//! Two processes of a server over one Redis.

use std::time::Duration;

use peers::Peer;
use test_support::program::Program;
use test_support::redis_server::RedisServer;
use tokio::task::block_in_place;

use crate::client::Site;

/// Sessions outlive every case, except those about their end.
const MAX_AGE: u32 = 86_400;

/// A Redis that loses nothing itself, and two processes of a server.
#[derive(Debug)]
pub(crate) struct Harness {
    pub redis: RedisServer,
    pub peer: Peer,
    pub a: Process,
    pub b: Process,
    patience: Duration,
}

#[derive(Debug)]
pub(crate) struct Process {
    _program: Program,
    pub site: Site,
}

impl Harness {
    pub(crate) fn start(peer: Peer, patience: Duration) -> Self {
        Self::start_with(peer, patience, MAX_AGE)
    }

    pub(crate) fn start_with(peer: Peer, patience: Duration, max_age: u32) -> Self {
        block_in_place(|| {
            let redis =
                RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
            let process = || Process::start(peer, &redis.url(), max_age, patience);
            Self {
                a: process(),
                b: process(),
                redis,
                peer,
                patience,
            }
        })
    }

    /// Starts one more process, which has nothing in its memory.
    pub(crate) fn fresh(&self) -> Process {
        self.process(&self.redis.url())
    }

    /// Starts one more process, whose Redis is at another address.
    pub(crate) fn process(&self, redis_url: &str) -> Process {
        block_in_place(|| Process::start(self.peer, redis_url, MAX_AGE, self.patience))
    }

    /// Returns the processes that serve two requests at the same time, with their description.
    pub(crate) fn pairs(&self) -> [(&'static str, [Site; 2]); 2] {
        let [a, b] = [&self.a, &self.b].map(|process| process.site.clone());
        [
            ("one process", [a.clone(), a.clone()]),
            ("two processes", [a, b]),
        ]
    }
}

impl Process {
    fn start(peer: Peer, redis_url: &str, max_age: u32, patience: Duration) -> Self {
        let program = peer.start(redis_url, max_age);
        let site = Site {
            address: program.address(),
            client: reqwest::Client::new(),
            patience,
        };
        Self {
            _program: program,
            site,
        }
    }
}
