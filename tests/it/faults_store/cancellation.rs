//! Cancelled calls.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_reads_never_cross_answers() {
    let (_server, proxy, store) = behind_proxy().await;
    for number in 0..50 {
        let name = format!("k{number}");
        let insert = store.insert(NewRecord::new(&name, name.as_bytes(), TTL));
        insert.await.expect("redis answers");
    }
    proxy.delay(Duration::from_millis(5));
    let mut answered = 0;
    for attempt in 0..20 {
        let calls = (0..200).map(|number| {
            let key = format!("k{}", (attempt * 7 + number) % 50);
            let patience = Duration::from_micros(rand::random::<u64>() % 25_000);
            let store = &store;
            async move {
                let load = tokio::time::timeout(patience, store.load(&key)).await;
                let stored = load.ok()?.expect("redis answers").expect("stored");
                assert_eq!(stored.value, key, "an answer crossed");
                Some(())
            }
        });
        let calls = futures_util::future::join_all(calls).await;
        answered += calls.into_iter().flatten().count();
    }
    assert!((51..3950).contains(&answered), "{answered} of 4000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_does_not_stop_the_renewal() {
    let (_server, proxy, store) = lazy_behind_proxy().await;
    proxy.delay(Duration::from_millis(20));
    let hasty = tokio::time::timeout(Duration::from_millis(1), read(&store)).await;
    assert!(hasty.is_err());
    back(&store, "renewed without its caller").await;
    assert_eq!(proxy.accepted(), 1, "one attempt served both");
}
