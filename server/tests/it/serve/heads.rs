//! Heads of requests.

use tokio::io::AsyncWriteExt as _;

use crate::serve::sockets::{connect, rest};
use crate::service::Service;

/// Each row is the head of a request without the last line, and the status of the response.
#[tokio::test]
async fn ambiguous_heads_are_400() {
    let service = Service::memory().await;
    for (head, status) in [
        ("GET /healthz HTTP/1.1\r\nHost: a", 200),
        ("GET /healthz HTTP/1.0", 200),
        ("GET /healthz HTTP/1.1", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET http://a/healthz HTTP/1.1\r\nHost: a", 200),
        (
            "POST /rpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked",
            400,
        ),
        (
            "POST /rpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip",
            400,
        ),
        (
            "POST /rpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked",
            400,
        ),
    ] {
        let request = format!("{head}\r\nConnection: close\r\n\r\n0\r\n\r\n");
        let response = service.raw(request).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}"))
                || response.starts_with(&format!("HTTP/1.0 {status}")),
            "{head}: {response}"
        );
    }
    let response = service
        .raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        response
            .contains(r#"{"error":"the `Host` header is missing or repeated; send exactly one"}"#),
        "{response}"
    );
    assert!(response.contains("\r\nx-request-id: "), "{response}");
}

#[tokio::test]
async fn a_large_head_is_431() {
    let service = Service::memory().await;
    for (size, status) in [
        (32_000, 200),
        (33_000, 431),
        (300_000, 431),
        (20_000_000, 431),
    ] {
        let mut socket = connect(&service).await;
        let many = "X: 01234567890123456789012345678901234567890123456789\r\n".repeat(90);
        let start = format!(
            "GET /healthz HTTP/1.1\r\nHost: a\r\n{}",
            if size > 32_000 { "" } else { &many }
        );
        let filler = "x".repeat(size - start.len() - 40);
        let head = format!("{start}Y: {filler}\r\nConnection: close\r\n\r\n");
        // The response must not be lost if the client still sends.
        socket.write_all(head.as_bytes()).await.expect("send");
        let response = rest(&mut socket).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{size}: {response}"
        );
    }
}
