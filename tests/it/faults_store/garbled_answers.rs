//! Answers that are cut, or that are not Redis.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

/// Returns how many bytes the server answers to the greeting of a new connection.
fn greeting(server: &RedisServer) -> usize {
    let mut stream = TcpStream::connect(server.address()).expect("connect");
    stream.write_all(b"HELLO\r\n").expect("redis reads");
    let (mut answer, mut byte) = (Vec::new(), [0]);
    // The last field is the list of modules, which is empty.
    while !answer.ends_with(b"*0\r\n") {
        stream.read_exact(&mut byte).expect("redis answers");
        answer.extend(byte);
    }
    answer.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_cut_at_any_byte_is_never_a_partial_value() {
    let (server, proxy, store) = behind_proxy().await;
    write(&store).await.expect("redis answers");
    let (mut cut, mut served) = (0, 0);
    let greeting = greeting(&server);
    for limit in greeting - 8..greeting + 48 {
        proxy.cut_replies_after(Some(limit));
        proxy.reset_open();
        match read(&store).await.map_err(|error| error.kind()) {
            Ok(stored) => {
                let stored = stored.expect("stored");
                assert_eq!(stored.value, MARKER);
                assert!(stored.ttl.is_some_and(|ttl| ttl > TTL / 2), "{stored:?}");
                served += 1;
            }
            Err(StoreErrorKind::Connection | StoreErrorKind::Protocol) => cut += 1,
            Err(kind) => panic!("{kind:?} after {limit} bytes"),
        }
        proxy.cut_replies_after(None);
        proxy.reset_open();
        eventually("whole again", || async { read(&store).await.ok() }).await;
    }
    assert!(cut >= 20 && served >= 5, "{cut} cut, {served} served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_before_use_are_not_made_in_a_storm() {
    let (server, proxy, store) = lazy_behind_proxy().await;
    // The number of the connection, which is part of the greeting, may have another digit.
    proxy.cut_replies_after(Some(greeting(&server) + 2));
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(600) {
        let calls = (0..20).map(|_| read(&store));
        for result in futures_util::future::join_all(calls).await {
            let kind = kind(result);
            assert!(
                matches!(
                    kind,
                    Some(StoreErrorKind::Connection | StoreErrorKind::Protocol)
                ),
                "{kind:?}"
            );
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let connections = proxy.accepted();
    assert!((5..60).contains(&connections), "{connections} connections");
    proxy.cut_replies_after(None);
    back(&store, "whole again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_an_error_in_time() {
    let (_server, proxy, _) = lazy_behind_proxy().await;
    for garbage in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "-ERR hush-hush\r\n",
        "-HUSH-hush-hush\r\n",
        "$9999999999\r\n",
        "$99999999999999999999\r\n",
        "*9999999999\r\n",
        "*-5\r\n",
        "%9223372036854775807\r\n",
        ":1\r\n",
        "\0\0\0\0",
        "+PONG\r\n",
        // A greeting that is accepted, then garbage.
        "*0\r\n",
        "*0\r\n+PONG\r\n",
        "*0\r\n$5\r\nhush-\r\n+hush\r\n",
        "*0\r\n:1\r\n*1\r\n:1\r\n",
    ] {
        proxy.garbage(Some(garbage.as_bytes()));
        let store = RedisStore::lazy(&proxy.url()).expect("a good url");
        for _ in 0..2 {
            assert!(kind(read(&store).await).is_some(), "{garbage}");
        }
        proxy.garbage(None);
        let _ = read(&store).await;
        proxy.reset_open();
        back(&store, garbage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_redis_is_a_wrong_configuration() {
    let (_server, proxy, _) = lazy_behind_proxy().await;
    proxy.garbage(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let connected = RedisStore::connect(&proxy.url()).await;
    let error = connected.expect_err("not redis");
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains("is not redis"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_garbage_takes_bounded_memory() {
    let (_server, proxy, store) = lazy_behind_proxy().await;
    proxy.endless_garbage(&[b'+'; 4096]);
    for _ in 0..3 {
        assert!(kind(read(&store).await).is_some());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next()?.parse().ok());
    assert!(peak.unwrap_or(0) < 2 * 1024 * 1024, "{peak:?} kB");
}
