//! Fewer and larger writes to a connection that many tasks share.
//!
//! The first command that a caller sends wakes the task of the connection, and tokio runs that task
//! next. So under load it would write nearly each command by itself, and a system call costs more
//! than the rest of a command. While an answer is awaited, a write waits until the tasks that are
//! ready have run: 20 of them cause 2 writes instead of 20. A command on an idle connection is
//! written at once.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Stream whose writes wait for other tasks.
pub(super) struct Batching<S> {
    stream: S,
    /// Whether nothing arrived since the last write.
    is_awaiting: bool,
    /// Whether the next write has waited.
    has_waited: bool,
}

impl<S> Batching<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            is_awaiting: false,
            has_waited: false,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Batching<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.is_awaiting = false;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Batching<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_awaiting && !mem::replace(&mut self.has_waited, true) {
            // A task that wakes itself runs after those that are ready.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if polled.is_ready() {
            (self.is_awaiting, self.has_waited) = (true, false);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use redis::aio::MultiplexedConnection;
    use redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
    use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
    use tokio::net::TcpStream;

    use super::Batching;
    use crate::store::redis::traffic::{Traffic, Watched};

    #[tokio::test]
    async fn a_write_waits_once_while_an_answer_is_awaited() {
        let (stream, mut server) = tokio::io::duplex(64);
        let mut stream = Batching::new(stream);
        let mut context = Context::from_waker(Waker::noop());
        let mut is_written = |stream: &mut Batching<DuplexStream>| {
            let polled = Pin::new(stream).poll_write(&mut context, b"PING");
            matches!(polled, Poll::Ready(Ok(4)))
        };
        assert!(is_written(&mut stream), "nothing is awaited");
        for _ in 0..2 {
            assert!(!is_written(&mut stream));
            assert!(is_written(&mut stream));
        }
        server.write_all(b"PONG").await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        assert!(is_written(&mut stream), "the answer has arrived");
    }

    /// Answers each `PING` of one connection, in a thread of its own.
    fn serve() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut received) {
                let pings = received[..count].iter().filter(|&&byte| byte == b'P');
                let pongs = "+PONG\r\n".repeat(pings.count());
                stream.write_all(pongs.as_bytes()).unwrap();
            }
        });
        address
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn commands_of_tasks_that_are_ready_are_written_together() {
        let traffic = Traffic::new();
        let stream = TcpStream::connect(serve()).await.unwrap();
        let stream = Batching::new(Watched::new(stream, Arc::clone(&traffic)));
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new();
        let opening = MultiplexedConnection::new_with_config(&settings, stream, config);
        let (handle, driver) = opening.await.unwrap();
        tokio::spawn(driver);
        let ping = |mut handle: MultiplexedConnection| async move {
            handle.send_packed_command(&cmd("PING")).await.unwrap()
        };
        // In a task, so that its thread is busy until all are ready.
        let pings = async move {
            let pings: Vec<_> = (0..20)
                .map(|_| tokio::spawn(ping(handle.clone())))
                .collect();
            for ping in pings {
                ping.await.unwrap();
            }
        };
        tokio::spawn(pings).await.unwrap();
        assert!(traffic.writes() <= 3, "{} writes", traffic.writes());
    }
}
