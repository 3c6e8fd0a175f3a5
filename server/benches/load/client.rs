//! A client that costs little: one connection, one request after the other, no parsing to speak of.

use std::net::SocketAddr;

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
        Self {
            socket,
            buffer: Vec::with_capacity(8192),
        }
    }

    /// Sends a request and returns the status and the body of the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.socket.write_all(request).await.expect("send");
        self.buffer.clear();
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("read");
            assert!(read > 0, "the server has closed the connection");
            if let Some((status, body)) = complete(&self.buffer) {
                return (status, &self.buffer[body..]);
            }
        }
    }
}

/// The status and the place of the body, once the whole answer is there.
fn complete(answer: &[u8]) -> Option<(u16, usize)> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).expect("a head in ASCII");
    let status = text.get(9..12)?.parse().expect("a status");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>())
    });
    let length = length.expect("a length").expect("a number");
    (answer.len() >= head + 4 + length).then_some((status, head + 4))
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
