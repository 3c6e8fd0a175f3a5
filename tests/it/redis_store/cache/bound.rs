//! The promise: nothing is served for longer than `max_staleness` after it was deleted.

use super::*;
use crate::support::proxy::Proxy;

const READERS: usize = 4;
const ROUNDS: usize = 2500;

/// Reads race with deletions by another process. Prints for how long deleted records were served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_of_reads_and_deletions() {
    let server = RedisServer::start();
    let pairs = (0..READERS).map(|reader| {
        let url = server.url();
        tokio::spawn(async move {
            let cached = patient(&url).cache(bounded()).connect().await;
            let cached = cached.expect("connect");
            let plain = patient(&url).connect().await.expect("connect");
            let mut all = Vec::with_capacity(ROUNDS);
            for round in 0..ROUNDS {
                let key = format!("{reader}:{round}");
                assert_eq!(plain.insert(record(&key, b"v")).await, Ok(true));
                // In every other round the first read is in flight during the deletion.
                if round % 2 == 0 {
                    load(&cached, &key).await;
                }
                let reading = read_until_gone(&cached, &key);
                for _ in 0..round % 5 {
                    yield_now().await;
                }
                assert_eq!(plain.delete(&key).await, Ok(true));
                all.push(staleness(reading, Instant::now()).await);
            }
            (all, stats(&cached))
        })
    });
    let mut all = Vec::new();
    for pair in pairs.collect::<Vec<_>>() {
        let (each, stats) = pair.await.expect("no panic");
        assert!(stats.hits > 100, "{stats:?}");
        all.extend(each);
    }
    all.sort_unstable();
    let [half, most, worst] = [50, 99, 100].map(|percent| all[(all.len() - 1) * percent / 100]);
    println!(
        "{} rounds: {half:?}, 99 % {most:?}, at most {worst:?} stale",
        all.len()
    );
    assert!(worst < BOUND, "{worst:?}");
}

/// What happens to the connection or the server, before or while another client deletes the
/// record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outlasts_the_bound() {
    for event in ["nothing", "kill", "freeze", "blackhole", "flush", "stop"] {
        let server = RedisServer::start();
        let proxy = Proxy::to(server.address()).await;
        let cached = with_cache(&proxy.url(), bounded()).await;
        insert_hot(&cached, "k").await;
        let reader = read_until_gone(&cached, "k");
        tokio::time::sleep(Duration::from_millis(50)).await;
        match event {
            "kill" => drop(server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])),
            "freeze" => proxy.freeze_open(),
            "blackhole" => proxy.blackhole(true),
            "stop" => {
                // Nothing can be deleted meanwhile.
                server.pause();
                tokio::time::sleep(2 * BOUND).await;
                let before = stats(&cached).hits;
                tokio::time::sleep(BOUND).await;
                assert_eq!(stats(&cached).hits, before, "the server is silent");
                server.resume();
            }
            _ => {}
        }
        let deletion = if event == "flush" {
            &["FLUSHALL"][..]
        } else {
            &["DEL", "k"]
        };
        server.run(deletion);
        let acknowledged = Instant::now();
        if event == "blackhole" {
            tokio::time::sleep(2 * BOUND).await;
            let before = stats(&cached).hits;
            tokio::time::sleep(BOUND).await;
            assert_eq!(stats(&cached).hits, before, "the network is silent");
            proxy.blackhole(false);
        }
        let stale = staleness(reader, acknowledged).await;
        println!("{event}: at most {stale:?} stale");
        assert!(stale < BOUND, "{event}: {stale:?}");
        assert!(stats(&cached).hits > 10, "{event}");
    }
}

/// Not even just after an answer: it shows what was true when its command was sent.
#[tokio::test]
async fn on_a_connection_that_is_slower_than_the_bound_nothing_is_hot() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let config = patient(&proxy.url()).cache(bounded());
    let cached = config.connect().await.expect("connect");
    assert_eq!(cached.insert(record("k", b"v")).await, Ok(true));
    proxy.delay(BOUND);
    tokio::time::sleep(2 * BOUND).await;
    let before = stats(&cached).hits;
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let cached = cached.clone();
        reads.spawn(async move { load(&cached, "k").await });
        tokio::time::sleep(BOUND / 8).await;
    }
    assert!(reads.join_all().await.iter().all(Option::is_some));
    assert_eq!(stats(&cached).hits, before);
}

/// Entries of a connection that was replaced are not served, whatever the new one proves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_connection_begins_empty() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let cached = with_cache(&proxy.url(), bounded()).await;
    insert_hot(&cached, "k").await;
    insert_hot(&cached, "other").await;
    proxy.freeze_open();
    server.run(&["DEL", "k"]);
    tokio::time::sleep(BOUND).await;
    let before = proxy.accepted();
    // Reads that wait for the frozen connection, until it is replaced.
    eventually("a new connection", async || {
        let _ = cached.load("other").await;
        (proxy.accepted() > before).then_some(())
    })
    .await;
    heat(&cached, "other").await;
    assert_eq!(load(&cached, "k").await, None);
    assert_eq!(stats(&cached).entries, 1, "the former ones are removed");
}

/// The worst case is nearly reached: the bound is not kept by chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_connection_is_used_up_to_the_bound() {
    let server = RedisServer::start();
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let proxy = Proxy::to(server.address()).await;
        let cached = with_cache(&proxy.url(), bounded()).await;
        insert_hot(&cached, "k").await;
        let reader = read_until_gone(&cached, "k");
        tokio::time::sleep(Duration::from_millis(20)).await;
        proxy.freeze_open();
        server.run(&["DEL", "k"]);
        worst = worst.max(staleness(reader, Instant::now()).await);
    }
    println!("at most {worst:?} stale");
    assert!((BOUND / 3..BOUND).contains(&worst), "{worst:?}");
}
