//! Callers that go away.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_cancelled_reads_never_cross_answers() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    let names: Arc<Vec<String>> = Arc::new((0..50).map(|number| format!("k{number}")).collect());
    for name in names.iter() {
        let insert = store.insert(NewRecord::new(name, name.as_bytes(), TTL));
        insert.await.expect("redis answers");
    }
    proxy.delay(Duration::from_millis(5));
    let (answered, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..20 {
        let calls = (0..200).map(|number| {
            let (store, names) = (&store, &names);
            let (answered, cancelled) = (&answered, &cancelled);
            let patience = Duration::from_micros(rand::random::<u64>() % 25_000);
            async move {
                let key = &*names[(round * 7 + number) % names.len()];
                match tokio::time::timeout(patience, store.load(key)).await {
                    Ok(Ok(stored)) => {
                        let stored = stored.expect("stored");
                        assert_eq!(stored.value, key, "an answer crossed");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Err(error)) => panic!("{error}"),
                    Err(_) => _ = cancelled.fetch_add(1, Ordering::Relaxed),
                }
            }
        });
        futures_util::future::join_all(calls).await;
    }
    let (answered, cancelled) = (answered.into_inner(), cancelled.into_inner());
    eprintln!("f26: {answered} answered, {cancelled} cancelled");
    assert_eq!(answered + cancelled, 4000);
    assert!(
        answered > 200 && cancelled > 200,
        "{answered} answered, {cancelled} cancelled"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_does_not_stop_the_renewal() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    proxy.delay(Duration::from_millis(20));
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    let hasty = tokio::time::timeout(Duration::from_millis(1), read(&store)).await;
    assert!(hasty.is_err());
    back(&store, "renewed without its caller").await;
    assert_eq!(proxy.accepted(), 1, "one attempt served both");
}

#[test]
fn a_store_outlives_the_runtime_that_connected_it() {
    let server = RedisServer::start();
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let store = runtime().block_on(connected(&server.url()));
    runtime().block_on(async { read(&store).await.expect("repeated over a new connection") });
}
