//! HTTP/2 with prior knowledge.

use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::program::{Program, run, server};
use crate::serve::sockets::{SHORT, connect};
use crate::service::Service;

/// Runs curl with prior knowledge; returns its exit code and what `--write-out` prints.
pub(super) fn curl(arguments: &[&str]) -> (i32, String) {
    let mut curl = Command::new("curl");
    curl.args(["-s", "--http2-prior-knowledge", "--max-time", "20"]);
    curl.args(["-o", "/dev/null", "-w", "%{http_version} %{http_code} "]);
    let (code, output, _) = run(curl.args(arguments));
    (code, output.trim_end().to_owned())
}

#[test]
fn both_versions_are_served_on_one_port() {
    let service = Program::start(&mut server(&[]));
    let url = |path: &str| format!("http://{}{path}", service.address());
    let body = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(body.path(), vec![b'x'; 5_000_000]).expect("write");
    let large = format!("@{}", body.path().display());
    let long = format!("X: {}", "x".repeat(33_000));
    for (arguments, expected) in [
        (&[&*url("/healthz")][..], "2 200"),
        (&[&url("/healthz"), "--http1.1"], "1.1 200"),
        (&[&url("/rpc"), "-d", r#"{"name":"methods"}"#], "2 200"),
        // Their bodies are not read.
        (&[&url("/rpc"), "--data-binary", &large], "2 413"),
        (
            &[&url("/session/shop"), "-X", "PUT", "--data-binary", &large],
            "2 401",
        ),
        (&[&url("/healthz"), "-H", &long], "2 431"),
        (&[&url("/healthz"), "-H", "Host: other.example"], "2 200"),
    ] {
        assert_eq!(curl(arguments), (0, expected.to_owned()), "{arguments:?}");
    }
}

/// The preface of a client, and its settings: none, or an initial window of no bytes.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const NO_WINDOW: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";

/// `GET /healthz` with the authority `a` (RFC 7541), on the streams 1 and 3.
const GET: &[u8] = b"\0\0\x0f\x01\x05\0\0\0\x01\x82\x86\x04\x08/healthz\x01\x01a";
const GET_AGAIN: &[u8] = b"\0\0\x0f\x01\x05\0\0\0\x03\x82\x86\x04\x08/healthz\x01\x01a";

/// The types of frames (RFC 9113 section 6).
const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Reads frames until the connection is closed, or `last` arrives; returns their types.
async fn frames(socket: &mut (impl AsyncRead + Unpin), last: Option<u8>) -> Vec<u8> {
    let mut types = Vec::new();
    let read = async {
        let mut head = [0; 9];
        while last.is_none_or(|last| !types.contains(&last))
            && socket.read_exact(&mut head).await.is_ok()
        {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            socket.read_exact(&mut payload).await.expect("a payload");
            types.push(head[3]);
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(5), read).await;
    read.expect("the connection is closed");
    types
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_a_notice() {
    let service = Service::memory_with(|settings| {
        settings.http.idle_timeout = 2 * SHORT;
        settings.http.header_timeout = SHORT;
        settings.http.write_timeout = SHORT;
    })
    .await;
    let mut socket = connect(&service).await;
    socket
        .write_all(&[PREFACE, GET].concat())
        .await
        .expect("send");
    assert!(frames(&mut socket, Some(HEADERS)).await.contains(&HEADERS));
    let start = Instant::now();
    // This client answers no PING, and control frames do not keep the connection open.
    socket.write_all(&PREFACE[24..]).await.expect("send");
    let rest = frames(&mut socket, None).await;
    assert!(rest.contains(&GOAWAY), "{rest:?}");
    assert!(start.elapsed() >= 2 * SHORT - Duration::from_millis(20));
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_cut_off() {
    let service = Service::memory_with(|settings| settings.http.header_timeout = SHORT).await;
    for sent in [&PREFACE[..10], PREFACE] {
        let mut socket = connect(&service).await;
        socket.write_all(sent).await.expect("send");
        frames(&mut socket, None).await;
    }
}

#[tokio::test]
async fn a_client_that_accepts_no_data_is_cut_off() {
    let service = Service::memory_with(|settings| {
        settings.http.request_timeout = SHORT;
        settings.http.write_timeout = SHORT;
    })
    .await;
    let mut socket = connect(&service).await;
    socket
        .write_all(&[NO_WINDOW, GET].concat())
        .await
        .expect("send");
    let start = Instant::now();
    let (mut received, mut sent) = socket.into_split();
    // Other requests, whose responses need no window, do not keep the connection open.
    let others = tokio::spawn(async move {
        for stream in (3..=u8::MAX).step_by(2) {
            let head = b"\0\0\x14\x01\x05\0\0\0S\x02\x04HEAD\x86\x04\x08/healthz\x01\x01a";
            let head = head.map(|byte| if byte == b'S' { stream } else { byte });
            if sent.write_all(&head).await.is_err() {
                break;
            }
            tokio::time::sleep(SHORT / 2).await;
        }
    });
    let types = frames(&mut received, None).await;
    others.abort();
    let responses = types.iter().filter(|frame| **frame == HEADERS);
    assert!(responses.count() > 2, "{types:?}");
    assert!(start.elapsed() >= 2 * SHORT - Duration::from_millis(20));
}

#[tokio::test]
async fn requests_share_a_connection_until_shutdown() {
    let mut service = Service::memory().await;
    let mut socket = connect(&service).await;
    for request in [[PREFACE, GET].concat(), GET_AGAIN.to_vec()] {
        socket.write_all(&request).await.expect("send");
        assert!(frames(&mut socket, Some(HEADERS)).await.contains(&HEADERS));
    }
    let read = tokio::spawn(async move {
        let notice = frames(&mut socket, Some(PING)).await;
        // The answer shows that the client has the notice.
        let answer = b"\0\0\x08\x06\x01\0\0\0\0\x0b\x7b\xa2\xf0\x8b\x9b\xfe\x54";
        socket.write_all(answer).await.expect("send");
        assert!(frames(&mut socket, None).await.contains(&GOAWAY));
        notice
    });
    let start = Instant::now();
    service.stop().await;
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(read.await.expect("frames").contains(&GOAWAY));
}
