//! A TCP proxy on loopback that delays, cuts and garbles connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

/// A proxy to one target. Every setting takes effect immediately, also on open connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    acceptor: JoinHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct State {
    target: String,
    delay: Duration,
    reply_limit: Option<usize>,
    frozen_before: usize,
    blackhole: bool,
    reset_before: usize,
    garbage: Option<Arc<[u8]>>,
    endless: bool,
    throughput: Option<u32>,
    /// When the bytes that `throughput` delays have passed.
    idle_from: Arc<Mutex<Option<Instant>>>,
}

impl Proxy {
    /// Starts a proxy to `target` on the current runtime.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("bind the proxy");
        let address = listener.local_addr().expect("the proxy's address");
        let state = watch::Sender::new(State {
            target: target.to_string(),
            ..State::default()
        });
        let accepted = Arc::new(AtomicUsize::new(0));
        let (seen, counter) = (state.clone(), Arc::clone(&accepted));
        let acceptor = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(client, number, seen.subscribe()));
            }
        });
        Self {
            address,
            state,
            accepted,
            acceptor,
        }
    }

    /// Returns the URL of the Redis behind it.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Returns the number of connections that it has accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Delays everything by `delay`, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Limits the throughput of all connections and both directions together.
    pub fn throughput(&self, bytes_per_second: u32) {
        self.state
            .send_modify(|state| state.throughput = Some(bytes_per_second));
    }

    /// Closes each connection after `limit` more bytes of replies.
    pub fn cut_replies_after(&self, limit: Option<usize>) {
        self.state.send_modify(|state| state.reply_limit = limit);
    }

    /// Freezes the connections open now; new ones work.
    pub fn freeze_open(&self) {
        let open = self.accepted();
        self.state.send_modify(|state| state.frozen_before = open);
    }

    /// Accepts connections but reads and answers nothing, on open connections too.
    pub fn blackhole(&self, on: bool) {
        self.state.send_modify(|state| state.blackhole = on);
    }

    /// Resets the connections open now.
    pub fn reset_open(&self) {
        let open = self.accepted();
        self.state.send_modify(|state| state.reset_before = open);
    }

    /// Connects new connections to `target`.
    pub fn retarget(&self, target: SocketAddr) {
        self.state
            .send_modify(|state| state.target = target.to_string());
    }

    /// Answers every request on new connections with `bytes`.
    pub fn garbage(&self, bytes: Option<&[u8]>) {
        let garbage = bytes.map(Arc::from);
        self.state.send_modify(|state| state.garbage = garbage);
    }

    /// Answers with `bytes` again and again without end.
    pub fn endless_garbage(&self, bytes: &[u8]) {
        self.garbage(Some(bytes));
        self.state.send_modify(|state| state.endless = true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.reset_open();
    }
}

async fn serve(client: TcpStream, number: usize, mut state: watch::Receiver<State>) {
    let _ = client.set_nodelay(true);
    let now = state.borrow_and_update().clone();
    if let Some(garbage) = now.garbage {
        return send_garbage(client, &garbage, now.endless).await;
    }
    let Ok(server) = TcpStream::connect(now.target).await else {
        return;
    };
    let _ = server.set_nodelay(true);
    #[allow(deprecated, reason = "a zero linger does not block: it resets")]
    let _ = client.set_linger(Some(Duration::ZERO));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (requests, replies) = (state.clone(), state.clone());
    tokio::select! {
        () = pump(from_client, to_server, number, requests, false) => {}
        () = pump(from_server, to_client, number, replies, true) => {}
        _ = state.wait_for(|state| number < state.reset_before) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: usize,
    mut state: watch::Receiver<State>,
    replies: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut replied = 0;
    let passing = |state: &State| !state.blackhole && number >= state.frozen_before;
    while state.wait_for(passing).await.is_ok() {
        let Ok(length @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let now = state.borrow().clone();
        // Even a sleep of no length takes up to a millisecond.
        if !now.delay.is_zero() {
            sleep(now.delay).await;
        }
        if let Some(throughput) = now.throughput {
            sleep_until(now.passed(length, throughput).into()).await;
        }
        if state.wait_for(passing).await.is_err() {
            return;
        }
        let limit = state.borrow().reply_limit.filter(|_| replies);
        let allowed = limit.map_or(length, |limit| length.min(limit.saturating_sub(replied)));
        replied += allowed;
        if to.write_all(&buffer[..allowed]).await.is_err() || allowed < length {
            // The linger is zero, so that closing resets. What may pass must arrive before.
            return sleep(Duration::from_millis(2)).await;
        }
    }
}

impl State {
    /// Returns when `length` more bytes have passed.
    fn passed(&self, length: usize, throughput: u32) -> Instant {
        // Timers are late by a millisecond or so, for which the link must not be idle.
        let earliest = Instant::now() - Duration::from_millis(5);
        let takes = Duration::from_secs_f64(length as f64 / f64::from(throughput));
        let mut idle_from = self.idle_from.lock().expect("no panic under the lock");
        let start = idle_from.map_or(earliest, |idle| idle.max(earliest));
        *idle_from.insert(start + takes)
    }
}

async fn send_garbage(mut client: TcpStream, garbage: &[u8], endless: bool) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = client.read(&mut buffer).await {
        while client.write_all(garbage).await.is_ok() && endless {}
    }
}
