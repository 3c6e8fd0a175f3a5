//! Limits of time, size and number of connections.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use crate::serve::sockets::{REQUEST, SHORT, connect, request, rest};
use crate::service::Service;

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

#[tokio::test]
async fn an_idle_connection_outlives_the_header_timeout() {
    let service = Service::memory_with(|settings| settings.http.header_timeout = SHORT).await;
    let mut socket = connect(&service).await;
    for _ in 0..2 {
        let response = request(&mut socket).await;
        assert!(
            response.contains("\r\nconnection: keep-alive\r\n"),
            "{response}"
        );
        assert!(
            response.contains("\r\nkeep-alive: timeout=75\r\n"),
            "{response}"
        );
        tokio::time::sleep(2 * SHORT).await;
    }
    // From the first byte on, the head has its own limit again.
    let start = Instant::now();
    socket.write_all(&REQUEST[..20]).await.expect("send");
    assert_eq!(rest(&mut socket).await, "");
    assert!(start.elapsed() >= SHORT, "not before the timeout");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_timeout() {
    let service = Service::memory_with(|settings| settings.http.idle_timeout = SHORT).await;
    let mut socket = connect(&service).await;
    assert!(request(&mut socket).await.contains("200 OK"));
    let start = Instant::now();
    assert_eq!(rest(&mut socket).await, "");
    assert!(
        start.elapsed() >= SHORT - Duration::from_millis(20),
        "not before the timeout"
    );
}

#[tokio::test]
async fn only_a_connection_that_stays_open_is_announced_as_such() {
    let service = Service::memory().await;
    for (version, connection, announced) in [
        ("1.1", "Connection: close\r\n", "connection: close\r\n"),
        ("1.1", "Connection: x, Close\r\n", "connection: close\r\n"),
        ("1.0", "", ""),
    ] {
        let request = format!("GET /healthz HTTP/{version}\r\nHost: a\r\n{connection}\r\n");
        let response = service.raw(request).await;
        assert!(
            response.contains(announced) && !response.contains("keep-alive"),
            "{response}"
        );
    }
}
