//! Sends health checks to the running service.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::settings::ListenAddress;

/// The longest time to connect, to send, and to wait for the response.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Sends `GET path` to the service at `address`.
/// Errors: it cannot be reached, or does not answer 200.
pub(crate) fn probe(address: &ListenAddress, path: &str) -> io::Result<()> {
    match address {
        ListenAddress::Unix(file) => {
            let socket = UnixStream::connect(file)?;
            socket.set_read_timeout(Some(TIMEOUT))?;
            socket.set_write_timeout(Some(TIMEOUT))?;
            get(socket, path)
        }
        ListenAddress::Ip(address) => get(connect(*address)?, path),
        ListenAddress::AllInterfaces(port) => {
            get(connect((Ipv4Addr::LOCALHOST, *port).into())?, path)
        }
        ListenAddress::Host(host, port) => {
            let address = (&**host, *port).to_socket_addrs()?.next();
            let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
            get(connect(address)?, path)
        }
        ListenAddress::Systemd => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the settings do not contain the address; pass it with --listen",
        )),
    }
}

fn connect(mut address: SocketAddr) -> io::Result<TcpStream> {
    // A service on all interfaces is also on loopback.
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let socket = TcpStream::connect_timeout(&address, TIMEOUT)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

fn get(mut socket: impl Read + Write, path: &str) -> io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut line = String::new();
    // A status line is short; something else may send no end of a line.
    BufReader::new(socket.take(256)).read_line(&mut line)?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|it| it.get(..3));
    match status {
        Some("200") => Ok(()),
        Some(status) => Err(io::Error::other(format!("{path} answers {status}"))),
        None => Err(io::Error::other("the answer is not HTTP")),
    }
}
