//! Connections: timeouts, limits and graceful shutdown.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::{Program, server};
use crate::service::{SECRET, Service};
use crate::support::redis_server::RedisServer;

/// A timeout under test, far below all others.
const SHORT: Duration = Duration::from_millis(200);

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.expect("connect")
}

/// Connects and sends a request before any other task of this runtime runs.
fn sent(address: impl std::net::ToSocketAddrs, request: &[u8]) -> TcpStream {
    let mut socket = std::net::TcpStream::connect(address).expect("connect");
    std::io::Write::write_all(&mut socket, request).expect("send");
    socket.set_nonblocking(true).expect("an option");
    TcpStream::from_std(socket).expect("a socket")
}

/// Reads until the service closes the connection, within five seconds.
async fn rest(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut text));
    let _ = read.await.expect("the connection is closed");
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends a request and reads the head of the response; the connection stays open.
async fn request(socket: &mut TcpStream) -> String {
    socket.write_all(REQUEST).await.expect("send");
    let mut response = vec![0; 4096];
    let read = socket.read(&mut response).await.expect("a response");
    String::from_utf8_lossy(&response[..read]).into_owned()
}

#[tokio::test]
async fn a_connection_without_a_whole_header_is_closed() {
    let service = Service::memory_with(|settings| settings.http.header_timeout = SHORT).await;
    for sent in [&b""[..], &REQUEST[..20]] {
        let mut socket = connect(&service).await;
        let start = Instant::now();
        socket.write_all(sent).await.expect("send");
        assert!(!rest(&mut socket).await.contains("200 OK"));
        assert!(start.elapsed() >= SHORT, "not before the timeout");
    }
    let mut idle = connect(&service).await;
    assert!(request(&mut idle).await.contains("200 OK"));
    assert_eq!(rest(&mut idle).await, "");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let service = Service::memory_with(|settings| settings.http.body_timeout = SHORT).await;
    let mut socket = connect(&service).await;
    let head = b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                 Content-Length: 100\r\n\r\n{\"name";
    socket.write_all(head).await.expect("send");
    let response = rest(&mut socket).await;
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_closes() {
    let service = Service::memory_with(|settings| settings.http.max_connections = 2).await;
    let (mut first, mut second) = (connect(&service).await, connect(&service).await);
    assert!(request(&mut first).await.contains("200 OK"));
    assert!(request(&mut second).await.contains("200 OK"));
    let mut third = connect(&service).await;
    let mut response = Box::pin(request(&mut third));
    let waiting = tokio::time::timeout(SHORT, &mut response).await;
    assert!(waiting.is_err(), "served beyond the limit");
    drop(first);
    let response = tokio::time::timeout(Duration::from_secs(5), response).await;
    assert!(response.expect("its turn").contains("200 OK"));
}

#[tokio::test]
async fn a_client_that_reads_no_responses_is_cut_off() {
    let service = Service::memory_with(|settings| {
        settings.http.max_connections = 1;
        settings.http.write_timeout = SHORT;
    })
    .await;
    let mut greedy = connect(&service).await;
    let bundle = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    greedy.write_all(&bundle.repeat(50)).await.expect("send");
    let mut other = connect(&service).await;
    let response = tokio::time::timeout(Duration::from_secs(10), request(&mut other)).await;
    assert!(response.expect("a permit").contains("200 OK"));
    drop(greedy);
}

/// The program with requests that create sessions in progress, on a paused Redis.
struct Busy {
    redis: RedisServer,
    program: Program,
    sockets: Vec<TcpStream>,
}

impl Busy {
    async fn start(requests: usize, settings: &[(&str, &str)]) -> Self {
        let redis = RedisServer::start();
        let mut command = server(&["--redis", &redis.url()]);
        command
            .env("SESSIOND__TOKENS__SECRET", SECRET)
            .env("SESSIOND__STORE__DEADLINE", "10s")
            .envs(settings.iter().copied());
        let program = Program::start(&mut command);
        let url = format!("http://{}", program.address());
        let ready = reqwest::get(format!("{url}/readyz")).await;
        assert_eq!(ready.expect("a response").status(), 200);
        redis.pause();
        let body = r#"{"args":"{\"session\":{},\"userId\":\"jo\"}"}"#;
        let length = body.len();
        let create = format!(
            "POST /rpc/create HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let create = |_| sent(program.address(), create.as_bytes());
        let sockets = (0..requests).map(create).collect();
        crate::support::eventually("the requests are in progress", || async {
            let metrics = reqwest::get(format!("{url}/metrics")).await.ok()?;
            let metrics = metrics.text().await.ok()?;
            let mut lines = metrics.lines();
            let open = lines.find_map(|line| line.strip_prefix("sessiond_connections "))?;
            (open.parse::<usize>().ok()? > requests).then_some(())
        })
        .await;
        // A connection is counted before its request is read.
        tokio::time::sleep(Duration::from_millis(200)).await;
        Self {
            redis,
            program,
            sockets,
        }
    }
}

#[tokio::test]
async fn requests_in_progress_at_sigterm_are_finished() {
    let mut busy = Busy::start(100, &[]).await;
    busy.program.signal("TERM");
    busy.program.wait_for("sessiond is stopping");
    tokio::time::sleep(SHORT).await;
    let new = TcpStream::connect(busy.program.address()).await;
    assert!(new.is_err(), "no new connections");
    busy.redis.resume();
    for socket in &mut busy.sockets {
        let response = rest(socket).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
    let (status, log) = busy.program.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("sessiond has stopped"), "{log}");
    let keys = busy.redis.run(&["KEYS", "sessiond:rpc:v1:*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("keys");
    assert_eq!(keys.len(), 101, "100 sessions and the index of the owner");
}

#[tokio::test]
async fn a_second_signal_ends_the_program_immediately() {
    let mut busy = Busy::start(1, &[]).await;
    busy.program.signal("INT");
    busy.program.wait_for("sessiond is stopping");
    let start = Instant::now();
    busy.program.signal("INT");
    assert_eq!(busy.program.wait().0.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn shutdown_has_a_timeout() {
    let mut busy = Busy::start(1, &[("SESSIOND__HTTP__SHUTDOWN_TIMEOUT", "200ms")]).await;
    let start = Instant::now();
    busy.program.signal("TERM");
    let (status, log) = busy.program.wait();
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("requests in progress were aborted"), "{log}");
}

#[tokio::test]
async fn idle_connections_do_not_delay_shutdown() {
    let mut service = Service::memory().await;
    let mut used = connect(&service).await;
    assert!(request(&mut used).await.contains("200 OK"));
    let _unused = connect(&service).await;
    let start = Instant::now();
    service.stop().await;
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn connections_in_the_queue_of_the_system_are_served_before_shutdown() {
    let mut service = Service::memory().await;
    let sockets: Vec<_> = (0..50).map(|_| sent(service.address, REQUEST)).collect();
    // This runtime has one thread, so the service has not accepted them yet.
    service.stop().await;
    for mut socket in sockets {
        assert!(rest(&mut socket).await.contains("200 OK"));
    }
}
