//! Sockets that systemd passes to the process.

use std::fmt::{self, Debug, Formatter};
use std::io::{self, ErrorKind};

use listenfd::ListenFd;

use crate::serve::socket::Socket;

/// The sockets that systemd has passed to this process, with the names in `FileDescriptorName=`.
pub(crate) struct PassedSockets {
    sockets: ListenFd,
    names: Vec<String>,
}

impl PassedSockets {
    /// Takes them from the environment. Call this before other threads start, because it removes
    /// the variables.
    pub(crate) fn from_environment() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            sockets: ListenFd::from_env(),
            names: names.split(':').map(str::to_owned).collect(),
        }
    }

    /// Takes all sockets of a name.
    /// Errors: there are none, or one is neither a TCP nor a Unix stream socket.
    pub(super) fn take(&mut self, name: &str) -> io::Result<Vec<Socket>> {
        let mut taken = Vec::new();
        for index in 0..self.sockets.len() {
            if self.names.get(index).is_none_or(|other| other != name) {
                continue;
            }
            if let Ok(Some(socket)) = self.sockets.take_unix_listener(index) {
                taken.push(Socket::Unix(socket));
            } else if let Some(socket) = self.sockets.take_tcp_listener(index)? {
                taken.push(Socket::Tcp(socket));
            }
        }
        if taken.is_empty() {
            let problem = format!("no socket was passed with `FileDescriptorName={name}`");
            return Err(io::Error::new(ErrorKind::NotFound, problem));
        }
        Ok(taken)
    }
}

impl Debug for PassedSockets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PassedSockets").field(&self.names).finish()
    }
}
