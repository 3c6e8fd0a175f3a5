//! The libraries and their configurations.

use std::path::Path;
use std::process::Command;

use test_support::program::Program;

/// A library with one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name in the output, and in options.
    pub name: &'static str,
    /// The value of `VARIANT` for its server.
    pub variant: &'static str,
    pub server: Server,
}

/// The program of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The running program itself; see [`servers::run_if_asked`](crate::servers::run_if_asked).
    Rust(&'static str),
    /// A file in `node/`.
    Node(&'static str),
}

/// All libraries, each as documented and as configured best.
pub const PEERS: [Peer; 14] = [
    Peer::rust("ours", "ours", "eager"),
    Peer::rust("ours-lazy", "ours", "lazy"),
    Peer::rust("ours-cached", "ours", "cached"),
    Peer::rust("tower-sessions", "tower-sessions", "documented"),
    Peer::rust("tower-sessions-best", "tower-sessions", "best"),
    Peer::rust("tower-sessions-cached", "tower-sessions", "cached"),
    Peer::rust("axum_session", "axum_session", "documented"),
    Peer::rust("axum_session-best", "axum_session", "best"),
    Peer::rust("actix-session", "actix-session", "documented"),
    Peer::rust("actix-session-best", "actix-session", "best"),
    Peer::node("npm", "npm.mjs", "documented"),
    Peer::node("npm-best", "npm.mjs", "best"),
    Peer::node("express-session", "express.mjs", "documented"),
    Peer::node("express-session-best", "express.mjs", "best"),
];

/// What the libraries are compared with: no sessions, and sessions written by hand.
pub const FLOORS: [Peer; 3] = [
    Peer::rust("bare", "bare", ""),
    Peer::rust("by-hand", "by-hand", "redis"),
    Peer::rust("by-hand-map", "by-hand", "map"),
];

impl Peer {
    const fn rust(name: &'static str, server: &'static str, variant: &'static str) -> Self {
        let server = Server::Rust(server);
        Self {
            name,
            variant,
            server,
        }
    }

    const fn node(name: &'static str, file: &'static str, variant: &'static str) -> Self {
        let server = Server::Node(file);
        Self {
            name,
            variant,
            server,
        }
    }

    /// Returns whether this is jwt-redis-session, the crate of this repository.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.server == Server::Rust("ours")
    }

    /// Returns the name of its server.
    #[must_use]
    pub fn program(&self) -> &'static str {
        match self.server {
            Server::Rust(name) | Server::Node(name) => name,
        }
    }

    /// Starts its server on a free port.
    ///
    /// # Panics
    ///
    /// It does not start.
    #[must_use]
    pub fn start(&self, redis_url: &str, max_age: u32) -> Program {
        let mut command = self.command();
        command.env("PORT", "0").env("REDIS_URL", redis_url);
        command.env("MAX_AGE", max_age.to_string());
        Program::start(command.env("VARIANT", self.variant))
    }

    fn command(&self) -> Command {
        match self.server {
            Server::Rust(name) => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.args(["serve", name]);
                command
            }
            Server::Node(file) => {
                let mut command = Command::new("node");
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
                command.arg(folder.join(file));
                command
            }
        }
    }
}
