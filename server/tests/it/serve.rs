//! Connections: how long they may take, how many there may be, how they end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::{Program, sessiond};
use crate::service::{Service, json};
use crate::support::redis_server::RedisServer;

/// A timeout under test, and far below any other.
const SHORT: Duration = Duration::from_millis(200);

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.expect("connect")
}

/// Reads until the other side closes, which it must within five seconds.
async fn rest(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut text));
    let _ = read.await.expect("the connection is closed");
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends a request and reads the head of the answer, leaving the connection open.
async fn ask(socket: &mut TcpStream) -> String {
    socket.write_all(REQUEST).await.expect("send");
    let mut answer = vec![0; 4096];
    let read = socket.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

async fn with_short_header_timeout() -> Service {
    Service::memory_with(|settings| settings.http.header_timeout = SHORT).await
}

/// Stops a process as if the machine were too busy to run it; `CONT` lets it go on.
fn signal(redis: &RedisServer, name: &str) {
    let mut kill = std::process::Command::new("kill");
    kill.args(["-s", name, &redis.pid().to_string()]);
    assert!(kill.status().expect("kill").success());
}

#[tokio::test]
async fn a_connection_that_sends_half_a_header_is_closed() {
    let service = with_short_header_timeout().await;
    let mut socket = connect(&service).await;
    let start = Instant::now();
    socket.write_all(&REQUEST[..20]).await.expect("send");
    assert!(!rest(&mut socket).await.contains("200 OK"));
    assert!(start.elapsed() >= SHORT, "it had its time");
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let service = with_short_header_timeout().await;
    assert_eq!(rest(&mut connect(&service).await).await, "");
}

#[tokio::test]
async fn a_connection_that_stays_idle_after_a_request_is_closed() {
    let service = with_short_header_timeout().await;
    let mut socket = connect(&service).await;
    assert!(ask(&mut socket).await.contains("200 OK"));
    assert_eq!(rest(&mut socket).await, "");
}

/// One byte at a time, each well within the time: the time is that of the whole header.
#[tokio::test]
async fn a_header_that_drips_is_closed() {
    let service = with_short_header_timeout().await;
    let mut socket = connect(&service).await;
    let start = Instant::now();
    let head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ".iter();
    let drip = async {
        for byte in head.chain(std::iter::repeat(&b'a')) {
            if socket.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), drip)
        .await
        .expect("the connection is closed");
    assert!(start.elapsed() >= SHORT, "it had its time");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let service = Service::memory_with(|settings| settings.http.body_timeout = SHORT).await;
    let mut socket = connect(&service).await;
    let head = b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                 Content-Length: 100\r\n\r\n{\"name";
    socket.write_all(head).await.expect("send");
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn one_connection_too_many_waits_until_another_closes() {
    let service = Service::memory_with(|settings| settings.http.max_connections = 2).await;
    let (mut first, mut second) = (connect(&service).await, connect(&service).await);
    assert!(ask(&mut first).await.contains("200 OK"));
    assert!(ask(&mut second).await.contains("200 OK"));
    let mut third = connect(&service).await;
    let mut answer = Box::pin(ask(&mut third));
    let waiting = tokio::time::timeout(SHORT, &mut answer).await;
    assert!(waiting.is_err(), "it was served beside the others");
    drop(first);
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await;
    assert!(answer.expect("room").contains("200 OK"));
    assert!(ask(&mut second).await.contains("200 OK"));
}

/// Else it would keep the place of others for ever: an answer that nobody takes has no end.
#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut_off() {
    let service = Service::memory_with(|settings| {
        settings.http.max_connections = 1;
        settings.http.write_timeout = SHORT;
    })
    .await;
    let mut greedy = connect(&service).await;
    let request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    greedy.write_all(&request.repeat(50)).await.expect("send");
    let mut other = connect(&service).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), ask(&mut other)).await;
    assert!(answer.expect("its place is free").contains("200 OK"));
    drop(greedy);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503() {
    let redis = RedisServer::start();
    let service = Service::redis_at(&redis.url(), |settings| {
        settings.http.request_timeout = SHORT;
        settings.store.deadline = Duration::from_secs(20);
    })
    .await;
    assert_eq!(
        service
            .get("/readyz")
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
    signal(&redis, "STOP");
    let answer = service.get("/readyz").send().await.expect("an answer");
    signal(&redis, "CONT");
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(answer.headers().contains_key("x-request-id"));
    let (status, body) = json(answer).await;
    assert_eq!(
        (status, body["error"].as_str()),
        (503, Some("the request took too long"))
    );
}

#[tokio::test]
async fn a_header_that_is_too_large_is_431() {
    let service = Service::memory().await;
    let request = format!(
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let answer = service.raw(request).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(
        service
            .get("/healthz")
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
}

/// The program on a Redis that has just stopped answering, with requests in flight.
struct Stuck {
    redis: RedisServer,
    program: Program,
    answers: Vec<tokio::task::JoinHandle<Option<u16>>>,
}

async fn stuck(requests: usize, settings: &[(&str, &str)]) -> Stuck {
    let redis = RedisServer::start();
    let mut command = sessiond(&["--listen", "127.0.0.1:0", "--redis", &redis.url()]);
    command
        .env("SESSIOND__TOKENS__SECRET", crate::service::SECRET)
        .env("SESSIOND__STORE__DEADLINE", "10s")
        .envs(settings.iter().copied());
    let program = Program::start(&mut command);
    let url = format!("http://{}/readyz", program.address());
    let warm = reqwest::get(&url).await.expect("an answer");
    assert_eq!(warm.status(), 200);
    signal(&redis, "STOP");
    let ask = |_| {
        let url = url.clone();
        tokio::spawn(async move { Some(reqwest::get(url).await.ok()?.status().as_u16()) })
    };
    let answers: Vec<_> = (0..requests).map(ask).collect();
    let metrics = format!("http://{}/metrics", program.address());
    crate::support::eventually("the requests are in flight", || async {
        let text = reqwest::get(&metrics).await.ok()?.text().await.ok()?;
        let open = text
            .lines()
            .find(|line| line.starts_with("sessiond_connections "))?;
        let open: usize = open.rsplit_once(' ')?.1.parse().ok()?;
        (open > requests).then_some(())
    })
    .await;
    // A connection is counted before its request has come.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Stuck {
        redis,
        program,
        answers,
    }
}

/// F27.
#[tokio::test]
async fn f27_requests_in_flight_at_sigterm_are_answered() {
    let mut stuck = stuck(100, &[]).await;
    stuck.program.signal("TERM");
    stuck.program.wait_for("sessiond stops");
    tokio::time::sleep(SHORT).await;
    assert!(
        TcpStream::connect(stuck.program.address()).await.is_err(),
        "no new ones"
    );
    signal(&stuck.redis, "CONT");
    let answers = join_all(stuck.answers).await;
    let answers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("no panic"))
        .collect();
    assert_eq!(answers, [Some(200); 100]);
    let (status, log) = stuck.program.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("sessiond has stopped"), "{log}");
}

#[tokio::test]
async fn the_second_signal_ends_it_at_once() {
    let mut stuck = stuck(1, &[]).await;
    stuck.program.signal("INT");
    stuck.program.wait_for("sessiond stops");
    let start = Instant::now();
    stuck.program.signal("INT");
    assert_eq!(stuck.program.wait().0.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn it_does_not_wait_for_requests_for_ever() {
    let mut stuck = stuck(1, &[("SESSIOND__HTTP__SHUTDOWN_TIMEOUT", "200ms")]).await;
    let start = Instant::now();
    stuck.program.signal("TERM");
    let (status, log) = stuck.program.wait();
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("cut off"), "{log}");
}

/// Whether they have sent a request before or not.
#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let mut service = Service::memory().await;
    let mut used = connect(&service).await;
    assert!(ask(&mut used).await.contains("200 OK"));
    let _fresh = connect(&service).await;
    tokio::time::sleep(SHORT).await;
    let start = Instant::now();
    service.stop().await;
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

/// They have connected, but nobody has accepted them yet.
#[tokio::test]
async fn those_who_wait_to_be_accepted_when_it_stops_are_answered() {
    let mut service = Service::memory().await;
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = std::net::TcpStream::connect(service.address).expect("connect");
        std::io::Write::write_all(&mut socket, REQUEST).expect("send");
        socket.set_nonblocking(true).expect("an option");
        sockets.push(TcpStream::from_std(socket).expect("a socket"));
    }
    // This test's runtime has one thread: the service has not run since they connected.
    service.stop().await;
    for mut socket in sockets {
        assert!(rest(&mut socket).await.contains("200 OK"));
    }
}
