//! Just enough HTTP/1.1 for tests with sockets.

use std::io::{ErrorKind, Result};
use std::net::SocketAddr;

use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request and returns the answer, unless the connection was cut.
pub(crate) async fn call(to: SocketAddr, request: &Request<String>) -> Result<Response<String>> {
    let (method, uri, body) = (request.method(), request.uri(), request.body());
    let mut text = format!("{method} {uri} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let mut socket = TcpStream::connect(to).await?;
    socket.write_all(text.as_bytes()).await?;
    let mut text = String::new();
    socket.read_to_string(&mut text).await?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(ErrorKind::UnexpectedEof)?;
    let mut answer = Response::builder().status(&head[9..12]);
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").expect("a header");
        answer = answer.header(name, value);
    }
    Ok(answer.body(body.to_owned()).expect("an answer"))
}
