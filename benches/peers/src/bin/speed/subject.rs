//! The servers that are measured.

use std::path::Path;
use std::process::Command;

use peers::{FLOORS, PEERS, Peer, Server, versions};
use test_support::program::Program;

use crate::build;
use crate::options::Options;

/// A server that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Peer(Peer),
    /// The service of this repository, with its RPC API.
    Sessiond,
}

impl Subject {
    /// Returns those that the options select. The first one is `bare`.
    pub(crate) fn selected(options: &Options) -> Vec<Self> {
        let peers = FLOORS.into_iter().chain(PEERS).map(Self::Peer);
        let all = peers.chain([Self::Sessiond]);
        all.filter(|subject| options.selects(subject.name()))
            .collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Peer(peer) => peer.name,
            Self::Sessiond => "sessiond",
        }
    }

    /// Returns the peer if its server is an application on axum.
    pub(crate) fn on_axum(self) -> Option<Peer> {
        match self {
            Self::Peer(peer) => match peer.server {
                Server::Rust("actix-session") | Server::Node(_) => None,
                Server::Rust(_) => Some(peer),
            },
            Self::Sessiond => None,
        }
    }

    /// Returns what runs it, and on how many threads.
    pub(crate) fn runtime(self) -> &'static str {
        let Self::Peer(peer) = self else {
            return "tokio, one runtime in each of 2 threads; mimalloc";
        };
        match peer.server {
            Server::Node(_) => "Node.js, one thread",
            Server::Rust("actix-session") => "actix, one runtime in each of 2 threads",
            Server::Rust(_) => "tokio, one runtime with 2 threads",
        }
    }

    /// Returns the packages that make it up, with their versions.
    pub(crate) fn versions(self) -> String {
        match self {
            Self::Peer(peer) => versions(&peer),
            Self::Sessiond => "that of this repository".to_owned(),
        }
    }

    /// Builds what it needs, and starts it.
    pub(crate) fn start(self, redis_url: &str) -> Program {
        match self {
            Self::Peer(peer) => peer.start(redis_url, 86_400),
            Self::Sessiond => sessiond(&build::sessiond(), redis_url),
        }
    }
}

/// Returns the peers among them.
pub(crate) fn peers(subjects: &[Subject]) -> Vec<Peer> {
    let peers = subjects.iter().filter_map(|subject| match subject {
        Subject::Peer(peer) => Some(*peer),
        Subject::Sessiond => None,
    });
    peers.collect()
}

fn sessiond(program: &Path, redis_url: &str) -> Program {
    let secret = "a signing secret of at least 32 characters";
    let mut command = Command::new(program);
    command
        .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
        .env("SESSIOND__HTTP__THREADS", "2")
        .env("SESSIOND__STORE__REDIS", redis_url)
        .env("SESSIOND__TOKENS__SECRET", secret)
        .env("SESSIOND__BUCKETS__ENABLED", "false");
    Program::start(&mut command)
}
