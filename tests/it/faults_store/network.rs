//! A server that is absent, slow, hung, cut off, or no Redis.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_absent_redis_is_reported_at_once_and_served_when_it_comes() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let error = timed(RedisStore::connect(&url)).await.expect_err("absent");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
    assert!(error.to_string().contains("connection refused"), "{error}");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert!(source.is_some_and(|source| source.contains("refused")));
    let store = RedisStore::lazy(&url).expect("a good url");
    assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Connection));
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Connection));
    assert_eq!(store.load_many(&[]).await, Ok(vec![]), "nothing to send");
    server.restart();
    back(&store, "f01 redis started").await;
}

/// What the clients of a test count.
#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    served: AtomicUsize,
    failed: AtomicUsize,
}

async fn read_until_stopped(store: RedisStore, counts: Arc<Counts>) {
    while !counts.stop.load(Ordering::Relaxed) {
        let is_served = read(&store).await.is_ok();
        let counter = if is_served {
            &counts.served
        } else {
            &counts.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_killed_redis_fails_fast_and_serves_again_when_restarted() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    write(&store).await.expect("redis answers");

    let counts = Arc::new(Counts::default());
    let clients: Vec<_> = (0..200)
        .map(|_| tokio::spawn(read_until_stopped(store.clone(), Arc::clone(&counts))))
        .collect();
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    eventually("all are served", || async {
        (count(&counts.served) > 400).then_some(())
    })
    .await;
    assert_eq!(count(&counts.failed), 0);
    server.kill();
    let connections = proxy.accepted();
    let killed = Instant::now();
    eventually("all fail", || async {
        (count(&counts.failed) > 2000).then_some(())
    })
    .await;
    let rate = (proxy.accepted() - connections) as f64 / killed.elapsed().as_secs_f64();
    eprintln!("f02: {rate:.1} connections a second while dead");
    assert!(rate < 40.0, "{rate} connections a second");
    server.restart();
    back(&store, "f02 redis restarted").await;
    counts.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no panic");
    }
    let record = read(&store).await.expect("redis answers");
    assert!(record.is_some(), "what was acknowledged is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_write_after_a_killed_connection_is_an_error_and_a_read_is_not() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    for _ in 0..2 {
        write(&store).await.expect("redis answers");
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        read(&store).await.expect("repeated over a new connection");
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        if let Some(kind) = kind(write(&store).await) {
            assert_eq!(kind, StoreErrorKind::Connection);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_write_after_an_idle_connection_was_closed_is_served() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    write(&store).await.expect("redis answers");
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    delete(&store).await.expect("over a new connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_hung_redis_costs_no_more_than_the_deadline() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    server.pause();
    let hung = Instant::now();
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Timeout));
    assert_eq!(kind(delete(&store).await), Some(StoreErrorKind::Timeout));
    let mut calls = 0;
    while hung.elapsed() < Duration::from_millis(2500) {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Timeout));
        calls += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(calls > 5, "the connection is given up: {calls} calls");
    let error = timed(RedisStore::connect(&server.url()))
        .await
        .expect_err("hung");
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    server.resume();
    back(&store, "f03 redis resumed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_slow_network_is_waited_for_up_to_the_deadline() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    for (millis, in_time) in [(5, true), (60, true), (400, false), (2000, false)] {
        proxy.delay(Duration::from_millis(millis));
        let result = read(&store).await;
        if in_time {
            result.expect("slow, not dead");
        } else {
            assert_eq!(kind(result), Some(StoreErrorKind::Timeout), "{millis}");
        }
    }
    proxy.delay(Duration::ZERO);
    back(&store, "f04 fast again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_reply_cut_at_every_byte_is_never_a_partial_value() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    write(&store).await.expect("redis answers");
    let (mut cut, mut served) = (0, 0);
    for limit in 0..48 {
        proxy.cut_replies_after(Some(limit));
        proxy.reset_open();
        match read(&store).await {
            Ok(stored) => {
                let stored = stored.expect("stored");
                assert_eq!(stored.value, MARKER);
                assert!(stored.ttl.is_some_and(|ttl| ttl > TTL / 2), "{stored:?}");
                served += 1;
            }
            Err(error) => {
                let kinds = [StoreErrorKind::Connection, StoreErrorKind::Protocol];
                assert!(kinds.contains(&error.kind()), "{error}");
                cut += 1;
            }
        }
        proxy.cut_replies_after(None);
        proxy.reset_open();
        eventually("whole again", || async { read(&store).await.ok() }).await;
    }
    assert!(cut >= 20 && served >= 5, "{cut} cut, {served} served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_connections_that_break_at_once_are_not_made_in_a_storm() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let pong = "+PONG\r\n".len();
    proxy.cut_replies_after(Some(pong));
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(600) {
        let calls = (0..20).map(|_| read(&store));
        for result in futures_util::future::join_all(calls).await {
            assert_eq!(kind(result), Some(StoreErrorKind::Connection));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let connections = proxy.accepted();
    eprintln!("f05: {connections} connections in 600 ms");
    assert!((5..60).contains(&connections), "{connections} connections");
    proxy.cut_replies_after(None);
    back(&store, "f05 whole again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_garbage_is_an_error_in_time() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let garbage: [&[u8]; 14] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-ERR hush-hush\r\n",
        b"-HUSH-hush-hush\r\n",
        b"$9999999999\r\n",
        b"$99999999999999999999\r\n",
        b"*9999999999\r\n",
        b"*-5\r\n",
        b"%9223372036854775807\r\n",
        b":1\r\n",
        b"\0\0\0\0",
        b"+PONG\r\n",
        b"+PONG\r\n+PONG\r\n",
        b"+PONG\r\n$5\r\nhush-\r\n+hush\r\n",
        b"+PONG\r\n:1\r\n*1\r\n:1\r\n",
    ];
    for bytes in garbage {
        proxy.garbage(Some(bytes));
        let store = RedisStore::lazy(&proxy.url()).expect("a good url");
        for _ in 0..2 {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(kind(read(&store).await).is_some(), "{text}");
        }
        proxy.garbage(None);
        let _ = read(&store).await;
        proxy.reset_open();
        back(&store, "f06 sane again").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_endless_garbage_takes_bounded_memory() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    proxy.endless_garbage(&[b'+'; 4096]);
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    for _ in 0..3 {
        assert!(kind(read(&store).await).is_some());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    eprintln!("f06: peak memory {} MB", peak.unwrap_or(0) / 1024);
    assert!(peak.unwrap_or(0) < 2 * 1024 * 1024, "{peak:?} kB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_black_hole_costs_no_more_than_the_deadline() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    proxy.blackhole(true);
    for _ in 0..5 {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Timeout));
    }
    let error = timed(RedisStore::connect(&proxy.url()))
        .await
        .expect_err("black");
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    proxy.blackhole(false);
    back(&store, "f07 light again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_a_connection_frozen_half_open_is_replaced() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let config = RedisConfig::new(proxy.url()).response_timeout(Duration::from_millis(150));
    let store = config.connect().await.expect("connect");
    proxy.freeze_open();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { read(&store).await })
        })
        .collect();
    for call in calls {
        let _ = call.await.expect("no panic");
    }
    back(&store, "f07 frozen connection replaced").await;
    assert_eq!(proxy.accepted(), 2, "by one other");
}
