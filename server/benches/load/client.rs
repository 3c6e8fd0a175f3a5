//! A cheap client: one connection, one request after the other, little parsing.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A keep-alive connection.
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("connect");
        socket.set_nodelay(true).expect("no delay");
        let buffer = Vec::with_capacity(8192);
        Self { socket, buffer }
    }

    /// Sends a request that must succeed and returns the body of the response.
    pub(crate) async fn send(&mut self, request: &[u8]) -> &[u8] {
        self.socket.write_all(request).await.expect("send");
        self.buffer.clear();
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("read");
            assert!(read > 0, "the server has closed the connection");
            if let Some(body) = body(&self.buffer) {
                let text = || String::from_utf8_lossy(&self.buffer);
                assert!(self.buffer.starts_with(b"HTTP/1.1 20"), "{}", text());
                return &self.buffer[body..];
            }
        }
    }

    /// As [`send`](Self::send), with a JSON body.
    pub(crate) async fn json(&mut self, request: &[u8]) -> Value {
        serde_json::from_slice(self.send(request).await).expect("JSON")
    }
}

/// Returns where the body starts, once the response is complete.
fn body(response: &[u8]) -> Option<usize> {
    let head = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&response[..head]).expect("a head in ASCII");
    let mut lines = text.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("a length").parse().expect("a number");
    (response.len() >= head + 4 + length).then_some(head + 4)
}

/// Writes a request.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    request.into_bytes()
}
