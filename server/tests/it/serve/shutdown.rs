//! Graceful shutdown.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::program::{Program, server};
use crate::request::status;
use crate::serve::http2::curl;
use crate::serve::sockets::{REQUEST, SHORT, connect, request, rest, sent};
use crate::service::{SECRET, Service};
use crate::support::redis_server::RedisServer;

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

#[tokio::test]
async fn readiness_fails_before_connections_are_refused() {
    let delay = Duration::from_secs(2);
    let mut service = Service::memory_with(|settings| settings.http.drain_delay = delay).await;
    let mut used = connect(&service).await;
    assert!(request(&mut used).await.contains("200 OK"));
    let start = Instant::now();
    service.begin_stop();
    crate::support::eventually("readiness fails", || async {
        (status(service.get("/readyz")).await == 503).then_some(())
    })
    .await;
    let mut new = connect(&service).await;
    assert!(request(&mut new).await.contains("keep-alive"), "as before");
    assert!(request(&mut used).await.contains("keep-alive"), "as before");
    assert!(start.elapsed() < delay, "too slow to show anything");
    service.stop().await;
    assert!(start.elapsed() >= delay);
    assert_eq!(rest(&mut used).await, "");
    assert!(TcpStream::connect(service.address).await.is_err());
}

#[tokio::test]
async fn requests_over_http2_in_progress_at_sigterm_are_finished() {
    let mut busy = Busy::start(1, &[]).await;
    let url = format!("http://{}/rpc/create", busy.program.address());
    let body = r#"{"args":"{\"session\":{},\"userId\":\"sam\"}"}"#;
    let request = std::thread::spawn(move || curl(&[&url, "-d", body]));
    // Only its connection is counted, not its request.
    tokio::time::sleep(Duration::from_millis(500)).await;
    busy.program.signal("TERM");
    busy.program.wait_for("sessiond is stopping");
    tokio::time::sleep(SHORT).await;
    busy.redis.resume();
    assert_eq!(request.join().expect("curl"), (0, "2 200".to_owned()));
    assert!(busy.program.wait().0.success());
}
