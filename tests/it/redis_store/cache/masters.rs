//! A cache behind sentinels.

use super::*;
use crate::support::redis_sentinels::{RedisSentinels, SERVICE};

async fn hot() -> (RedisSentinels, RedisStore) {
    let sentinels = RedisSentinels::start();
    let cached = with_cache(&sentinels.url(), bounded()).await;
    insert_hot(&cached, "k").await;
    sentinels.server(0).run(&["WAIT", "1", "5000"]);
    (sentinels, cached)
}

/// Waits until every sentinel names the server that was the replica.
async fn replaced(sentinels: &RedisSentinels) {
    let port = sentinels.server(1).port();
    eventually("a decision", async || {
        (0..3)
            .all(|index| sentinels.master_port(index) == port)
            .then_some(())
    })
    .await;
}

/// The former master stays connected for some ten seconds, and announces nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_on_the_next_master_is_served() {
    let (sentinels, cached) = hot().await;
    let reader = read_until_gone(&cached, "k");
    sentinels.sentinels()[0].run(&["SENTINEL", "FAILOVER", SERVICE]);
    replaced(&sentinels).await;
    sentinels.server(1).run(&["DEL", "k"]);
    let stale = staleness(reader, Instant::now()).await;
    println!("at most {stale:?} stale");
    assert!(stale < BOUND, "{stale:?}");
    insert_hot(&cached, "next").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_leaves_nothing_behind() {
    let (mut sentinels, cached) = hot().await;
    let reader = read_until_gone(&cached, "k");
    sentinels.server_mut(0).kill();
    replaced(&sentinels).await;
    eventually("a deletion", async || {
        sentinels.server(1).command(&["DEL", "k"]).ok()
    })
    .await;
    let stale = staleness(reader, Instant::now()).await;
    assert!(stale < BOUND, "{stale:?}");
    insert_hot(&cached, "next").await;
}

/// Without a word of the sentinels, this server may be a former master.
#[tokio::test]
async fn silent_sentinels_stop_the_cache_and_nothing_else() {
    let (sentinels, cached) = hot().await;
    let connected = Instant::now();
    for sentinel in sentinels.sentinels() {
        sentinel.pause();
    }
    tokio::time::sleep(BOUND).await;
    let before = stats(&cached);
    for _ in 0..10 {
        assert!(load(&cached, "k").await.is_some());
    }
    let after = stats(&cached);
    assert_eq!(
        (after.hits, after.bypasses),
        (before.hits, before.bypasses + 10)
    );
    assert!(connected.elapsed() < Duration::from_secs(1));
    sentinels.sentinels()[1].resume();
    tokio::time::sleep(2 * BOUND).await;
    let hits = stats(&cached).hits;
    assert!(load(&cached, "k").await.is_some());
    assert_eq!(stats(&cached).hits, hits, "one of three proves nothing");
    sentinels.sentinels()[0].resume();
    heat(&cached, "k").await;
    sentinels.sentinels()[2].resume();
}

#[tokio::test]
async fn sentinels_are_asked_often_enough() {
    let (_sentinels, cached) = hot().await;
    let before = stats(&cached).hits;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        load(&cached, "k").await;
    }
    let hits = stats(&cached).hits - before;
    assert!(hits >= 16, "{hits} of 20 are hot");
}

#[tokio::test]
async fn every_case_passes_behind_sentinels() {
    let sentinels = RedisSentinels::start();
    let store = patient(&sentinels.url()).cache(bounded()).connect().await;
    conformance::check(store.expect("connect")).await;
}
