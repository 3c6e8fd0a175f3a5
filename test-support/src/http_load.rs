//! HTTP requests as load, from a client that takes little CPU time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A keep-alive connection: one request after the other, little parsing.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a server.
    pub async fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("connect");
        socket.set_nodelay(true).expect("no delay");
        let buffer = Vec::with_capacity(8192);
        Self { socket, buffer }
    }

    /// Sends a request that must succeed; returns the head and the body of the response, which is
    /// not decoded if it is sent in chunks.
    pub async fn send(&mut self, request: &[u8]) -> (&str, &[u8]) {
        let (head, body) = self.exchange(request).await;
        assert!(is_success(head), "{head}{}", String::from_utf8_lossy(body));
        (head, body)
    }

    /// As [`send`](Self::send), whatever the status of the response.
    async fn exchange(&mut self, request: &[u8]) -> (&str, &[u8]) {
        self.socket.write_all(request).await.expect("send");
        self.buffer.clear();
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("read");
            assert!(read > 0, "the server has closed the connection");
            if let Some(body) = body(&self.buffer) {
                let (head, body) = self.buffer.split_at(body);
                return (std::str::from_utf8(head).expect("a head in ASCII"), body);
            }
        }
    }
}

fn is_success(head: &str) -> bool {
    head.starts_with("HTTP/1.1 20")
}

/// Returns where the body starts, once the response is complete.
fn body(response: &[u8]) -> Option<usize> {
    let head = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&response[..head]).expect("a head in ASCII");
    let length = values(text, "content-length").next();
    let length = length.map(|length| length.parse::<usize>().expect("a number"));
    // Without a length it is sent in chunks, of which the last one is empty.
    let is_complete = length.map_or_else(
        || response.ends_with(b"\r\n0\r\n\r\n"),
        |length| response.len() >= head + 4 + length,
    );
    is_complete.then_some(head + 4)
}

/// Returns the values of a header in the head of a response.
pub fn values<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.filter_map(move |(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
}

/// Writes a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    request.into_bytes()
}

/// What [`run`] has done.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The number of requests.
    pub requests: usize,
    /// How many of them were not answered with success.
    pub failed: usize,
    /// How long it took.
    pub took: Duration,
}

/// Sends these requests, over and over, on concurrent connections for `span`.
pub async fn run(
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    span: Duration,
) -> Sent {
    let start = Instant::now();
    let clients = (0..connections).map(|number| async move {
        let mut connection = Connection::to(address).await;
        let first = number * requests.len() / connections;
        let mut requests = requests.iter().cycle().skip(first);
        let (mut sent, mut failed) = (0, 0);
        while start.elapsed() < span {
            let request = requests.next().expect("requests");
            let (head, _) = connection.exchange(request).await;
            sent += 1;
            failed += usize::from(!is_success(head));
        }
        (sent, failed)
    });
    let counts = join_all(clients).await;
    Sent {
        requests: counts.iter().map(|(sent, _)| sent).sum(),
        failed: counts.iter().map(|(_, failed)| failed).sum(),
        took: start.elapsed(),
    }
}
