//! CPU of an HTTP server per request: a bare route, and a hot session.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use axum::Router;
use axum::routing::get;
use jwt_redis_session::store::Cache;
use jwt_redis_session::{ActiveSession, MemoryStore, RedisStore, SessionError};
use test_support::redis_server::RedisServer;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::connect;
use crate::support::Stored;

const CONNECTIONS: u32 = 8;
const ROUNDS: usize = 9;

/// Prints the server CPU of `GET /read` with and without a session.
pub(crate) fn compare(redis: &RedisServer, requests: u32) {
    let url = redis.url();
    let bare = Server::start(async |_| (route_without_session(), None));
    let hot_url = url.clone();
    let hot = Server::start(async move |_| {
        let store = connect(&hot_url, Cache::new()).await;
        let stored = Stored::create(store, None).await;
        (route(&stored), Some(stored))
    });
    let memory = Server::start(async |_| {
        let stored = Stored::create(MemoryStore::new(), None).await;
        (route(&stored), Some(stored))
    });
    let cold = Server::start(async move |_| {
        let store = RedisStore::connect(&url).await.unwrap();
        let stored = Stored::create(store, None).await;
        (route(&stored), Some(stored))
    });
    println!("GET /read over HTTP: CPU of the server thread, us");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        // All in turn, as the speed of the machine changes.
        let each = requests / ROUNDS as u32;
        rounds.push([&bare, &hot, &memory, &cold].map(|server| server.cpu_of(each)));
    }
    report(&rounds);
}

/// Prints the least CPU, and the median of the ratios to the first server.
fn report(rounds: &[[f64; 4]]) {
    let ratio = |of: usize| {
        let mut ratios: Vec<_> = rounds.iter().map(|round| round[of] / round[0]).collect();
        ratios.sort_by(f64::total_cmp);
        (ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1])
    };
    let names = [
        "a bare route",
        "a hot session",
        "a session in MemoryStore",
        "a session without a cache",
    ];
    for (of, name) in names.into_iter().enumerate() {
        let least = rounds
            .iter()
            .map(|round| round[of])
            .fold(f64::MAX, f64::min);
        let (median, low, high) = ratio(of);
        let target = if of == 1 { ", target 1.25" } else { "" };
        println!("{least:8.1}  {name}: {median:.2} of it ({low:.2} to {high:.2}){target}");
    }
}

fn route_without_session() -> Router {
    Router::new().route("/read", get(async || "dark".to_owned()))
}

fn route(stored: &Stored) -> Router {
    let read = async |session: ActiveSession| {
        Ok::<_, SessionError>(session.get::<String>("theme")?.unwrap_or_default())
    };
    Router::new()
        .route("/read", get(read))
        .layer(stored.layer())
}

type State = Option<Stored>;

/// A server that has one thread for all its connections.
struct Server {
    address: SocketAddr,
    token: String,
    /// The file with the CPU time of the thread.
    cpu: String,
}

impl Server {
    fn start(make: impl AsyncFnOnce(()) -> (Router, State) + Send + 'static) -> Self {
        let (report, started) = mpsc::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (router, state) = make(()).await;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let token = state.as_ref().map(|stored| stored.token.as_str());
                let own = std::fs::read_link("/proc/thread-self").unwrap();
                let server = Self {
                    address: listener.local_addr().unwrap(),
                    token: token.unwrap_or("none").to_owned(),
                    cpu: format!("/proc/{}/schedstat", own.display()),
                };
                report.send(server).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        started.recv().unwrap()
    }

    /// Returns the CPU time of one of `requests`, in microseconds.
    fn cpu_of(&self, requests: u32) -> f64 {
        let each = requests / CONNECTIONS;
        self.send(20);
        let before = self.nanoseconds();
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| self.send(each));
            }
        });
        let used = self.nanoseconds() - before;
        used as f64 / 1000.0 / f64::from(each * CONNECTIONS)
    }

    fn nanoseconds(&self) -> u64 {
        let text = std::fs::read_to_string(&self.cpu).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    }

    /// Sends `times` requests over one connection, one after the other.
    fn send(&self, times: u32) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /read HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\nuser-agent: bench\r\n\
             x-access-token: {}\r\n\r\n",
            self.token
        );
        let mut buffer = [0; 1024];
        for _ in 0..times {
            stream.write_all(request.as_bytes()).unwrap();
            let mut length = 0;
            while !buffer[..length].ends_with(b"\r\n\r\ndark") {
                length += stream.read(&mut buffer[length..]).unwrap();
            }
            assert!(buffer.starts_with(b"HTTP/1.1 200"));
        }
    }
}
