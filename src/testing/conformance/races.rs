//! Promises about calls at the same time.

use tokio::task::JoinSet;

use super::bench::{Bench, LONG};
use crate::store::legacy::{Compared, Superseded};

const RACERS: usize = 50;

pub(super) async fn one_insert_wins(bench: Bench) {
    let key = bench.name("record");
    let winners = race(RACERS, |n| {
        let (bench, key) = (bench.clone(), key.clone());
        async move {
            bench
                .insert(&key, n.to_string().as_bytes(), LONG)
                .await
                .then_some(n)
        }
    });
    let winners = winners.await;
    bench.must(
        winners.len() == 1,
        "of parallel inserts exactly one must be applied",
    );
    bench.must(
        bench.value(&key).await == Some(winners[0].to_string().into_bytes()),
        "the record must hold what the winning insert wrote",
    );
}

pub(super) async fn one_delete_wins(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", LONG).await;
    let winners = race(RACERS, |n| {
        let (bench, key) = (bench.clone(), key.clone());
        async move { bench.delete(&key).await.then_some(n) }
    });
    bench.must(
        winners.await.len() == 1,
        "of parallel deletes exactly one must be applied",
    );
}

pub(super) async fn one_compare_and_delete_wins(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", LONG).await;
    let winners = race(RACERS, |n| {
        let (bench, key) = (bench.clone(), key.clone());
        async move { (bench.delete_if(&key, b"value").await == Compared::Equal).then_some(n) }
    });
    bench.must(
        winners.await.len() == 1,
        "of parallel compare-and-deletes exactly one must be Equal",
    );
}

pub(super) async fn no_update_is_lost(bench: Bench) {
    const WRITERS: usize = 8;
    const UPDATES: usize = 10;
    let key = bench.name("counter");
    bench.insert(&key, b"0", LONG).await;
    let done = race(WRITERS, |n| {
        let (bench, key) = (bench.clone(), key.clone());
        async move {
            for _ in 0..UPDATES {
                increment(&bench, &key).await;
            }
            Some(n)
        }
    });
    done.await;
    let total = (WRITERS * UPDATES).to_string();
    bench.must(
        bench.value(&key).await == Some(total.into_bytes()),
        "parallel compare-and-sets must not lose an update",
    );
}

pub(super) async fn one_supersede_wins(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("old", 1), ("new", 1)]).await;
    let winners = race(RACERS, |n| {
        let (bench, index) = (bench.clone(), index.clone());
        async move { (bench.supersede(&index, "old", "new").await == Superseded::Marked).then_some(n) }
    });
    bench.must(
        winners.await.len() == 1,
        "of parallel supersessions exactly one must mark the old member",
    );
}

pub(super) async fn every_put_stands(bench: Bench) {
    let index = bench.name("index");
    let put = race(RACERS, |n| {
        let (bench, index) = (bench.clone(), index.clone());
        async move {
            bench
                .put_all(&index, &[("shared", n as i64), (&n.to_string(), 1)])
                .await;
            Some(n)
        }
    });
    put.await;
    let entries = bench.entries(&index).await;
    bench.must(
        entries.len() == RACERS + 1,
        "no parallel index-put must be lost",
    );
    bench.must(
        entries.get("shared") == Some(&Some(RACERS as i64 - 1)),
        "of parallel index-puts the highest score must stand",
    );
}

/// Compares and sets until it succeeds. Whenever one fails another has succeeded, so the number
/// of tries is bounded.
async fn increment(bench: &Bench, key: &str) {
    let mut current = bench.value(key).await.unwrap_or_default();
    for _ in 0..1000 {
        let text = String::from_utf8_lossy(&current);
        let next = text.parse::<usize>().unwrap_or_default() + 1;
        let next = next.to_string().into_bytes();
        match bench.set_if(key, &current, &next, LONG).await {
            Compared::Equal => return,
            Compared::Different(newer) => current = newer.to_vec(),
            Compared::Gone => bench.broken("a counter must not vanish"),
        }
    }
    bench.broken("of parallel compare-and-sets one must always succeed");
}

/// Runs `count` tasks at the same time and collects what those say that win.
async fn race<F>(count: usize, racer: impl Fn(usize) -> F) -> Vec<usize>
where
    F: Future<Output = Option<usize>> + Send + 'static,
{
    let mut racers: JoinSet<_> = (0..count).map(racer).collect();
    let mut winners = Vec::new();
    while let Some(racer) = racers.join_next().await {
        match racer {
            Ok(winner) => winners.extend(winner),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
    winners
}
