//! A server that is absent, killed again and again, or frozen half-open.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_server_is_reported_immediately_and_served_when_it_comes() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let error = timed(RedisStore::connect(&url)).await.expect_err("absent");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>()));
    let store = RedisStore::lazy(&url).expect("a good url");
    assert_eq!(store.load_many(&[]).await, Ok(vec![]), "nothing to send");
    server.restart();
    back(&store, "started").await;
}

/// How many reads were served, and how many failed.
type Counts = [AtomicUsize; 2];

fn count(counts: &Counts) -> [usize; 2] {
    counts.each_ref().map(|count| count.load(Ordering::Relaxed))
}

/// Starts clients that read until they are dropped.
fn clients(store: &RedisStore, number: usize) -> (Arc<Counts>, tokio::task::JoinSet<()>) {
    let counts = Arc::new(Counts::default());
    let client = |_| {
        let (store, counts) = (store.clone(), Arc::clone(&counts));
        async move {
            loop {
                let is_failed = read(&store).await.is_err();
                counts[usize::from(is_failed)].fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    let clients = (0..number).map(client).collect();
    (counts, clients)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_of_a_killed_server_do_not_flood_it_and_lose_nothing() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    write(&store).await.expect("redis answers");
    let (counts, mut clients) = clients(&store, 200);
    let served = || async { (count(&counts)[0] > 400).then_some(()) };
    eventually("all are served", served).await;
    assert_eq!(count(&counts)[1], 0);

    server.kill();
    let (connections, killed) = (proxy.accepted(), Instant::now());
    let failed = || async { (count(&counts)[1] > 2000).then_some(()) };
    eventually("all fail", failed).await;
    let rate = (proxy.accepted() - connections) as f64 / killed.elapsed().as_secs_f64();
    assert!(rate < 40.0, "{rate} connections a second");

    server.restart();
    back(&store, "restarted").await;
    assert!(clients.try_join_next().is_none(), "no client panicked");
    let record = read(&store).await.expect("redis answers");
    assert!(record.is_some(), "what was acknowledged is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_killed_in_a_row_do_not_pile_up() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let (counts, mut clients) = clients(&store, 20);
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.run(&KILL_CLIENTS);
    }
    let [served, failed] = count(&counts);
    assert!(served > 50 * failed, "{served} served, {failed} failed");
    eventually("one connection, and that of the test", || async {
        let clients = text(&server, &["CLIENT", "LIST"]);
        (clients.lines().count() <= 2).then_some(())
    })
    .await;
    assert!(clients.try_join_next().is_none(), "no client panicked");
}

/// The deadline is long, and no new connection is accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_for_a_new_connection_for_a_short_time_only() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let patience = Duration::from_secs(10);
    let config = RedisConfig::new(proxy.url())
        .deadline(patience)
        .connect_timeout(patience);
    let store = config.connect().await.expect("connect");
    proxy.blackhole(true);
    proxy.reset_open();
    for _ in 0..3 {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Connection));
    }
}
