//! Raw connections to the service.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::service::Service;

/// A timeout under test, far below all others.
pub(super) const SHORT: Duration = Duration::from_millis(200);

pub(super) const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

pub(super) async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.expect("connect")
}

/// Connects and sends a request before any other task of this runtime runs.
pub(super) fn sent(address: impl std::net::ToSocketAddrs, request: &[u8]) -> TcpStream {
    let mut socket = std::net::TcpStream::connect(address).expect("connect");
    std::io::Write::write_all(&mut socket, request).expect("send");
    socket.set_nonblocking(true).expect("an option");
    TcpStream::from_std(socket).expect("a socket")
}

/// Reads until the service closes the connection, within five seconds.
pub(super) async fn rest(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut text));
    let read = read.await.expect("the connection is closed");
    read.expect("it is not reset");
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends a request and reads the head of the response; the connection stays open.
pub(super) async fn request(socket: &mut TcpStream) -> String {
    socket.write_all(REQUEST).await.expect("send");
    response(socket).await
}

/// Reads a short response.
pub(super) async fn response(socket: &mut TcpStream) -> String {
    let mut response = vec![0; 4096];
    let read = socket.read(&mut response).await.expect("a response");
    String::from_utf8_lossy(&response[..read]).into_owned()
}
