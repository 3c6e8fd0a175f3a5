//! Listens on the configured addresses.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};

use crate::app::Surface;
use crate::serve::activation::PassedSockets;
use crate::serve::socket::Socket;
use crate::serve::socket_file::SocketFile;
use crate::settings::{ListenAddress, Settings};

/// The listening sockets of the service. The files of Unix sockets are removed when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) sockets: Vec<(Surface, Socket)>,
    files: Vec<SocketFile>,
}

/// Error returned if the service cannot listen on an address.
#[derive(Debug, thiserror::Error)]
#[error("{section}.listen: {address}: {error}")]
pub(crate) struct BindError {
    section: &'static str,
    address: ListenAddress,
    error: io::Error,
}

impl Listeners {
    /// Listens on the addresses in `settings`. `passed` has those of systemd.
    pub(crate) fn bind(settings: &Settings, mut passed: PassedSockets) -> Result<Self, BindError> {
        let mut listeners = Self::default();
        let mode = settings.http.socket_mode.0;
        let operators = settings.operators.listen.as_ref();
        for (surface, section, address) in [
            (Surface::Public, "http", Some(&settings.http.listen)),
            (Surface::Operators, "operators", operators),
        ] {
            let Some(address) = address else { continue };
            let bound = match address {
                ListenAddress::Systemd => passed.take(section),
                address => listeners.bind_address(address, mode),
            };
            let error = |error| BindError {
                section,
                address: address.clone(),
                error,
            };
            for socket in bound.map_err(error)? {
                let socket = socket.nonblocking().map_err(error)?;
                listeners.sockets.push((surface, socket));
            }
        }
        Ok(listeners)
    }

    /// Closes the sockets, and returns the files.
    pub(crate) fn into_files(self) -> Vec<SocketFile> {
        self.files
    }

    fn bind_address(&mut self, address: &ListenAddress, mode: u32) -> io::Result<Vec<Socket>> {
        match address {
            ListenAddress::Ip(address) => bind_all([*address]),
            ListenAddress::Host(host, port) => bind_all((&**host, *port).to_socket_addrs()?),
            ListenAddress::AllInterfaces(port) => {
                // Where IPv6 is enabled, Linux accepts IPv4 connections on this socket too.
                let v6 = bind_all([(Ipv6Addr::UNSPECIFIED, *port).into()]);
                v6.or_else(|error| match error.kind() {
                    kind if is_final(kind) => Err(error),
                    _ => bind_all([(Ipv4Addr::UNSPECIFIED, *port).into()]),
                })
            }
            ListenAddress::Unix(path) => {
                let (socket, file) = SocketFile::bind(path, mode)?;
                self.files.push(file);
                Ok(vec![Socket::Unix(socket)])
            }
            // Handled by the caller, which has the sockets.
            ListenAddress::Systemd => Ok(Vec::new()),
        }
    }
}

/// Listens on all of `addresses`, except for those that this machine does not have: a name may have
/// an IPv6 address where IPv6 is disabled.
/// Errors: an address is in use, or none can be used.
fn bind_all(addresses: impl IntoIterator<Item = SocketAddr>) -> io::Result<Vec<Socket>> {
    let (mut bound, mut missing) = (Vec::new(), None);
    for address in addresses {
        match TcpListener::bind(address) {
            Ok(socket) => bound.push(Socket::Tcp(socket)),
            Err(error) if is_final(error.kind()) => return Err(error),
            Err(error) => missing = Some(error),
        }
    }
    match missing {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

/// Returns whether an error is not that of an address that this machine does not have.
fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}
