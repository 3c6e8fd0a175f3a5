//! Fewer and larger writes to a connection that many tasks share.
//!
//! The first command that a caller sends wakes the task of the connection, and tokio runs that task
//! next. So under load it would write nearly each command by itself, and a system call costs more
//! than the rest of a command. While an answer is awaited, a write waits until the tasks that are
//! ready have run: 20 of them cause 2 writes instead of 20. A command on an idle connection is
//! written at once.

use std::mem;
use std::task::{Context, Poll, ready};

/// When a connection writes.
#[derive(Default)]
pub(super) struct Batching {
    /// Whether nothing arrived since the last write.
    is_awaiting: bool,
    /// Whether the next write has waited.
    has_waited: bool,
}

impl Batching {
    /// Runs `write`; while an answer is awaited, only at the second call.
    pub(super) fn poll_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.is_awaiting && !mem::replace(&mut self.has_waited, true) {
            // A task that wakes itself runs after those that are ready.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let written = ready!(write(cx));
        (self.is_awaiting, self.has_waited) = (true, false);
        Poll::Ready(written)
    }

    /// Records that bytes arrived.
    pub(super) const fn record_arrival(&mut self) {
        self.is_awaiting = false;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use redis::aio::MultiplexedConnection;
    use redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
    use tokio::net::TcpStream;

    use super::Batching;
    use crate::store::redis::traffic::{Traffic, Watched};

    #[test]
    fn a_write_waits_once_while_an_answer_is_awaited() {
        let mut batching = Batching::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut is_written = |batching: &mut Batching| {
            let polled = batching.poll_write(&mut context, |_| Poll::Ready(()));
            polled.is_ready()
        };
        assert!(is_written(&mut batching), "nothing is awaited");
        for _ in 0..2 {
            assert!(!is_written(&mut batching));
            assert!(is_written(&mut batching));
        }
        batching.record_arrival();
        assert!(is_written(&mut batching), "the answer has arrived");
    }

    /// Accepts a connection in another thread, and answers each `PING`.
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
        let stream = Watched::new(stream, Arc::clone(&traffic));
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
