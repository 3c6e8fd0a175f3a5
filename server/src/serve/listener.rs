//! Accepts connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use tokio::net::{TcpListener, UnixListener};

use crate::serve::socket::Socket;
use crate::serve::transport::Stream;

/// A socket that accepts connections, registered with the runtime of a thread.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Registers a socket. Must be called in a runtime.
    pub(crate) fn new(socket: Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(socket) => Self::Tcp(TcpListener::from_std(socket)?),
            Socket::Unix(socket) => Self::Unix(UnixListener::from_std(socket)?),
        })
    }

    /// Accepts a connection and returns it with the address of the peer. The peer of a Unix socket
    /// is this machine.
    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, IpAddr)> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (socket, peer) = listener.accept().await?;
                // Responses are small: waiting for more to send only delays them.
                let _ = socket.set_nodelay(true);
                (Box::new(socket), peer.ip().to_canonical())
            }
            Self::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                (Box::new(socket), Ipv4Addr::LOCALHOST.into())
            }
        })
    }
}
