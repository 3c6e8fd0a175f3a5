//! TCP streams to a server.

use std::io;
use std::time::Duration;

use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

/// Connects to all addresses of the host concurrently and takes the first that accepts.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    for address in lookup_host((host, port)).await? {
        attempts.spawn(TcpStream::connect(address));
    }
    let mut error = io::Error::from(io::ErrorKind::NotFound);
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return configured(stream),
            Ok(Err(failed)) => error = failed,
            Err(_) => {}
        }
    }
    Err(error)
}

/// Sets the socket options that detect a dead peer within seconds: the user timeout for
/// unacknowledged data, keepalive for an idle connection.
fn configured(stream: TcpStream) -> io::Result<TcpStream> {
    // Without these the kernel tries for a quarter of an hour.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(5))
        .with_interval(Duration::from_secs(1))
        .with_retries(2);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(2)))?;
    // A request is one write: waiting for more bytes would only delay it.
    socket.set_tcp_nodelay(true)?;
    Ok(stream)
}
