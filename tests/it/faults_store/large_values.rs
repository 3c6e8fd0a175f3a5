//! Large values over a slow link.

use super::*;

const MEBIBYTE: usize = 1024 * 1024;

/// Stores `count` records of one mebibyte and a small one, and returns the names of the former.
async fn prepared(server: &RedisServer, count: usize) -> Vec<String> {
    let store = connected(&server.url()).await;
    write(&store).await.expect("redis answers");
    let value = vec![b'x'; MEBIBYTE];
    let names: Vec<String> = (0..count).map(|number| format!("large{number}")).collect();
    for name in &names {
        let inserted = store.insert(NewRecord::new(name, &value, TTL)).await;
        assert_eq!(inserted, Ok(true));
    }
    names
}

/// Reads the small record until `stop`, and returns how often that worked, failed, and the
/// longest that a read took.
fn small_reads(
    store: &RedisStore,
    stop: &Arc<AtomicBool>,
) -> tokio::task::JoinHandle<(usize, usize, Duration)> {
    let (store, stop) = (store.clone(), Arc::clone(stop));
    tokio::spawn(async move {
        let (mut served, mut failed, mut longest) = (0, 0, Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            match read(&store).await {
                Ok(record) => {
                    assert!(record.is_some());
                    served += 1;
                }
                Err(_) => failed += 1,
            }
            longest = longest.max(start.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (served, failed, longest)
    })
}

/// 16 tasks, records of 1 MiB, 100 Mbit/s: 1.3 s of the link for one round of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_reads_on_a_slow_link_do_not_disturb_small_ones() {
    let server = RedisServer::start();
    let names = prepared(&server, 16).await;
    let proxy = Proxy::to(server.address()).await;
    let patient = RedisConfig::new(proxy.url()).deadline(Duration::from_secs(8));
    let store = patient.connect().await.expect("connect");
    proxy.throughput(Some(100_000_000 / 8));
    let stop = Arc::new(AtomicBool::new(false));
    let small = small_reads(&store, &stop);
    let tasks: Vec<_> = names
        .into_iter()
        .map(|name| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..2 {
                    let record = store.load(&name).await.expect("the link allows it");
                    assert_eq!(record.expect("stored").value.len(), MEBIBYTE);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every large read works");
    }
    stop.store(true, Ordering::Relaxed);
    let (served, failed, longest) = small.await.expect("no panic");
    eprintln!("large reads: {served} small reads served, {failed} failed, longest {longest:?}");
    assert!(served > 20, "{served} served");
    assert_eq!(failed, 0);
    assert_eq!(proxy.accepted(), 2, "one connection for large values");
}

/// So many reads at least are served by the link of the test below, on a busy machine after more
/// attempts.
const SERVED: usize = 4;

/// Reads four times, and more often until [`SERVED`] reads of all tasks were served. Returns how
/// many reads timed out.
async fn large_reads(store: &RedisStore, name: &str, served: &AtomicUsize) -> usize {
    let (start, mut late) = (Instant::now(), 0);
    let mut attempts = 0;
    while attempts < 4
        || (served.load(Ordering::Relaxed) < SERVED && start.elapsed() < Duration::from_secs(30))
    {
        attempts += 1;
        match timed(store.load(name)).await {
            Ok(record) => {
                assert_eq!(record.expect("stored").value.len(), MEBIBYTE);
                served.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Timeout);
                late += 1;
            }
        }
    }
    late
}

/// With a deadline too short for all of them, those that can be served are, and nothing breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_large_reads_than_the_link_carries_fail_alone() {
    let server = RedisServer::start();
    let names = prepared(&server, 16).await;
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    proxy.throughput(Some(100_000_000 / 8));
    let stop = Arc::new(AtomicBool::new(false));
    let small = small_reads(&store, &stop);
    let served = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = names
        .into_iter()
        .map(|name| {
            let (store, served) = (store.clone(), Arc::clone(&served));
            tokio::spawn(async move { large_reads(&store, &name, &served).await })
        })
        .collect();
    let mut late = 0;
    for task in tasks {
        late += task.await.expect("no panic");
    }
    let served = served.load(Ordering::Relaxed);
    stop.store(true, Ordering::Relaxed);
    let (small_served, failed, longest) = small.await.expect("no panic");
    eprintln!(
        "too many large reads: {served} served, {late} late; small ones: {small_served} served, \
         {failed} failed, longest {longest:?}"
    );
    assert!(served >= SERVED, "{served} served, {late} late");
    assert_eq!(failed, 0, "of {small_served} small reads");
    assert_eq!(proxy.accepted(), 2, "no connection was given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_writes_on_a_slow_link_do_not_disturb_small_reads() {
    let server = RedisServer::start();
    let names = prepared(&server, 8).await;
    let proxy = Proxy::to(server.address()).await;
    let patient = RedisConfig::new(proxy.url()).deadline(Duration::from_secs(8));
    let store = patient.connect().await.expect("connect");
    proxy.throughput(Some(100_000_000 / 8));
    let stop = Arc::new(AtomicBool::new(false));
    let small = small_reads(&store, &stop);
    let tasks: Vec<_> = names
        .into_iter()
        .map(|name| {
            let store = store.clone();
            tokio::spawn(async move {
                let (old, new) = (vec![b'x'; MEBIBYTE], vec![b'y'; MEBIBYTE / 2]);
                let record = NewRecord::new(&name, &new, TTL);
                let set = store.compare_and_set(&old, record).await;
                assert_eq!(set, Ok(CompareOutcome::Applied));
                let loaded = store.load_and_set_ttl(&name, 2 * TTL).await;
                let loaded = loaded.expect("redis answers").expect("stored");
                assert_eq!(loaded.value, new);
                assert!(loaded.ttl.is_some_and(|ttl| ttl <= TTL), "the TTL before");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every large write works");
    }
    stop.store(true, Ordering::Relaxed);
    let (served, failed, longest) = small.await.expect("no panic");
    eprintln!("large writes: {served} small reads served, {failed} failed, longest {longest:?}");
    assert_eq!(failed, 0, "of {served} small reads");
}

/// Values around the limit, empty ones too, are read whole by every method that reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_every_size_are_read_whole() {
    const LIMIT: usize = 64 * 1024;

    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let sizes = [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT];
    let names: Vec<String> = sizes.iter().map(|size| format!("size{size}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (name, size) in names.iter().zip(sizes) {
        let value: Vec<u8> = (0..size).map(|at| at as u8).collect();
        let inserted = store.insert(NewRecord::new(name, &value, TTL)).await;
        assert_eq!(inserted, Ok(true));
        let one = store
            .load(name)
            .await
            .expect("redis answers")
            .expect("stored");
        assert_eq!(one.value, value);
        let touched = store.load_and_set_ttl(name, TTL).await;
        assert_eq!(
            touched.expect("redis answers").expect("stored").value,
            value
        );
    }
    let mut keys = names.clone();
    keys.insert(3, "none");
    let many = store.load_many(&keys).await.expect("redis answers");
    let lengths = many
        .into_iter()
        .map(|record| record.map(|record| record.value.len()));
    let mut expected: Vec<_> = sizes.into_iter().map(Some).collect();
    expected.insert(3, None);
    assert_eq!(lengths.collect::<Vec<_>>(), expected);
}
