//! Large values over a slow link of 100 Mbit/s, on which a mebibyte takes 84 ms.

use super::*;

const MEBIBYTE: usize = 1024 * 1024;
const SLOW_LINK: u32 = 100_000_000 / 8;

/// Runs `call` with the name of each of `count` large records concurrently, while a client reads a
/// small one all the time. No small read may fail, and large values share one more connection.
async fn with_large_records(
    count: usize,
    deadline: Duration,
    call: impl AsyncFn(&RedisStore, &str),
) {
    let (_server, proxy, store) = behind_proxy().await;
    write(&store).await.expect("redis answers");
    let names: Vec<String> = (0..count).map(|number| format!("large{number}")).collect();
    for name in &names {
        let record = NewRecord::new(name, &[b'x'; MEBIBYTE], TTL);
        assert_eq!(store.insert(record).await, Ok(true));
    }
    let before = proxy.accepted();
    let config = RedisConfig::new(proxy.url()).deadline(deadline);
    let store = config.connect().await.expect("connect");
    proxy.throughput(SLOW_LINK);
    let mut served = 0;
    let small_reads = async {
        loop {
            let record = read(&store).await.expect("a small read is not disturbed");
            assert!(record.is_some());
            served += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let calls = names.iter().map(|name| call(&store, name));
    tokio::select! {
        () = small_reads => {}
        _ = futures_util::future::join_all(calls) => {}
    }
    assert!(served > 20, "{served} small reads");
    assert_eq!(proxy.accepted() - before, 2, "connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_reads_and_writes_do_not_disturb_small_reads() {
    with_large_records(12, Duration::from_secs(8), async |store, name| {
        let record = store.load(name).await.expect("the link allows it");
        let old = record.expect("stored").value;
        assert_eq!(old.len(), MEBIBYTE);
        let new = vec![b'y'; MEBIBYTE / 2];
        let record = NewRecord::new(name, &new, TTL);
        let set = store.compare_and_set(&old, record).await;
        assert_eq!(set, Ok(CompareOutcome::Applied));
        let set = store.set_ttl_if(name, &old, 2 * TTL).await;
        assert_eq!(set, Ok(CompareOutcome::Mismatch(new.clone().into())));
        let set = store.set_ttl_if(name, &new, 2 * TTL).await;
        assert_eq!(set, Ok(CompareOutcome::Applied));
        let loaded = store.load(name).await.expect("redis answers");
        let loaded = loaded.expect("stored");
        assert_eq!(loaded.value, new);
        assert!(loaded.ttl.is_some_and(|ttl| ttl > TTL), "the TTL is set");
    })
    .await;
}

/// With a deadline too short for all of them, those that can be served are, and nothing breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_large_reads_than_the_link_carries_fail_alone() {
    /// The number of reads that the link serves at least, after more attempts on a busy machine.
    const SERVED: usize = 4;

    let (served, start) = (AtomicUsize::new(0), Instant::now());
    with_large_records(16, Duration::from_secs(1), async |store, name| {
        let mut attempts = 0;
        let is_short = || served.load(Ordering::Relaxed) < SERVED;
        while attempts < 4 || (is_short() && start.elapsed() < Duration::from_secs(30)) {
            attempts += 1;
            match timed(store.load(name)).await {
                Ok(record) => {
                    assert_eq!(record.expect("stored").value.len(), MEBIBYTE);
                    served.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Timeout),
            }
        }
    })
    .await;
    assert!(served.into_inner() >= SERVED);
}

/// The server reads nothing, so what was sent by the deadline shows how many calls may be sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_large_requests_are_sent_at_a_time() {
    let server = RedisServer::start();
    // With a shorter response timeout, the next call would be sent after the first has timed out.
    let config = RedisConfig::new(server.url()).response_timeout(Duration::from_secs(1));
    let store = config.connect().await.expect("connect");
    let value = vec![b'x'; 70_000];
    let insert = |name| timed(store.insert(NewRecord::new(name, &value, TTL)));
    assert_eq!(insert("first").await, Ok(true));
    server.pause();
    let calls = ["a", "b", "c", "d"].map(insert);
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(kind(result), Some(StoreErrorKind::Timeout));
    }
    server.resume();
    // Answers come in order: behind this one, all that was sent has been applied.
    eventually("answers", || async { store.load("first").await.ok() }).await;
    assert_eq!(server.run(&["DBSIZE"]), redis::Value::Int(3));
}

/// Values around the limit, empty ones too, are read whole by every method that reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_every_size_are_read_whole() {
    const LIMIT: usize = 64 * 1024;

    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let sizes = [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT];
    let names = sizes.map(|size| format!("size{size}"));
    let values = sizes.map(|size| (0..size).map(|at| at as u8).collect::<Vec<_>>());
    for (name, value) in names.iter().zip(&values) {
        let inserted = store.insert(NewRecord::new(name, value, TTL)).await;
        assert_eq!(inserted, Ok(true));
        let record = store.load(name).await.expect("redis answers");
        assert_eq!(record.expect("stored").value, *value);
    }
    let mut keys: Vec<_> = names.iter().map(String::as_str).collect();
    keys.insert(3, "none");
    let mut many = store.load_many(&keys).await.expect("redis answers");
    assert_eq!(many.remove(3), None);
    let many = many.into_iter().flatten().map(|record| record.value);
    assert!(many.eq(values));
}
