//! Responses to requests whose bodies are not read.

use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use crate::program::{Program, run, server};
use crate::serve::sockets::{SHORT, connect, request, response, rest};
use crate::service::Service;

/// 5 MB and more ended a program whose connection was reset.
const SIZES: [usize; 5] = [1, 30_000, 200_000, 5_000_000, 20_000_000];

/// Runs a client with the address of a service and sizes of bodies; returns its output.
fn client(program: &str, script: &str, package: &str) -> String {
    let service = Program::start(&mut server(&[]));
    let path = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.arg(path).arg(service.address().to_string());
    command.args(SIZES.map(|size| size.to_string()));
    let is_installed = Command::new(program).arg("--version").output().is_ok();
    assert!(
        is_installed,
        "{program} is missing: apt-get install {package}"
    );
    let (code, output, errors) = run(&mut command);
    assert_eq!(code, 0, "{output}{errors}");
    output.trim_end().to_owned()
}

/// The expected output of the scripts: 413 only for bodies above `rpc.max_payload`.
fn statuses() -> String {
    let of_size = SIZES.map(|size| {
        let rpc = if size > 1 << 20 { 413 } else { 400 };
        format!("401 200 404 200 405 200 {rpc} 200")
    });
    of_size.join(" ")
}

#[test]
fn the_next_request_of_a_node_agent_works() {
    let output = client("node", "early_responses.mjs", "nodejs");
    assert_eq!(output, statuses());
}

#[test]
fn the_next_request_of_a_python_connection_works() {
    let output = client("python3", "early_responses.py", "python3");
    assert_eq!(output, statuses());
}

/// curl sends `Expect: 100-continue` before a large body.
#[test]
fn curl_does_not_send_a_body_that_is_not_read() {
    let service = Program::start(&mut server(&[]));
    let url = format!("http://{}/session/shop", service.address());
    let body = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(body.path(), vec![b'x'; 20_000_000]).expect("write");
    for (expect, uploaded) in [("Expect: 100-continue", "0"), ("Expect:", "20000000")] {
        let mut curl = Command::new("curl");
        curl.args([
            "-s",
            "--max-time",
            "20",
            "-o",
            "/dev/null",
            "-H",
            expect,
            "-T",
        ]);
        curl.arg(body.path()).arg(&url);
        curl.args(["-w", "%{http_code} %{size_upload}"]);
        let (code, output, _) = run(&mut curl);
        let (status, sent) = output.split_once(' ').expect("two values");
        assert_eq!((code, status), (0, "401"), "{expect}");
        // curl may stop as soon as it has the response.
        assert!(sent == uploaded || expect == "Expect:", "{expect} {sent}");
    }
}

fn put(length: usize) -> Vec<u8> {
    let head = format!("PUT /session/shop HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    head.into_bytes()
}

#[tokio::test]
async fn a_connection_is_kept_if_the_rest_of_the_body_is_short() {
    let service = Service::memory().await;
    let mut socket = connect(&service).await;
    let body = vec![b'x'; 60_000];
    socket.write_all(&put(body.len())).await.expect("send");
    socket.write_all(&body).await.expect("send");
    let first = response(&mut socket).await;
    assert!(first.starts_with("HTTP/1.1 401"), "{first}");
    assert!(first.contains("\r\nkeep-alive: timeout=75\r\n"), "{first}");
    assert!(request(&mut socket).await.contains("200 OK"));
}

#[tokio::test]
async fn a_connection_is_closed_in_order_if_the_body_does_not_end() {
    let service = Service::memory_with(|settings| settings.http.body_timeout = 5 * SHORT).await;
    let mut socket = connect(&service).await;
    socket.write_all(&put(1_000_000_000)).await.expect("send");
    let start = Instant::now();
    let answer = response(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    // The service has closed its half, and still reads.
    assert_eq!(rest(&mut socket).await, "");
    while start.elapsed() < 3 * SHORT {
        socket
            .write_all(&[b'x'; 1000])
            .await
            .expect("it still reads");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let late = async {
        while socket.write_all(&[b'x'; 1000]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let late = tokio::time::timeout(Duration::from_secs(5), late).await;
    late.expect("not without end");
}

#[tokio::test]
async fn a_response_does_not_wait_for_a_slow_body() {
    let service = Service::memory().await;
    let mut socket = connect(&service).await;
    socket.write_all(&put(10)).await.expect("send");
    let start = Instant::now();
    let answer = response(&mut socket).await;
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_gets_the_response_at_once() {
    let service = Service::memory().await;
    let mut socket = connect(&service).await;
    let head = String::from_utf8(put(10)).expect("text");
    let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("send");
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

/// The service closes the connection, because it cannot know where the next request begins.
#[tokio::test]
async fn a_connection_is_closed_in_order_after_a_broken_body() {
    let service = Service::memory().await;
    for (path, status) in [("/nothing", 404), ("/rpc", 400)] {
        let mut socket = connect(&service).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        // More than the service reads at once: a close without reading the rest is a reset.
        let body = [b"2\r\n{}\r\nzz\r\n", &[b'x'; 500_000][..]].concat();
        socket.write_all(head.as_bytes()).await.expect("send");
        socket.write_all(&body).await.expect("send");
        let answer = rest(&mut socket).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}
