//! Promises about time.

use std::time::{Duration, Instant};

use super::bench::{Bench, LONG};
use super::records::must_refuse_absent;
use crate::store::legacy::Compared;

const SHORT: Duration = Duration::from_millis(80);
const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn insert_expires(bench: Bench) {
    let key = bench.name("record");
    let since = Instant::now();
    bench.insert(&key, b"value", SHORT).await;
    if let Some(stored) = bench.load(&key).await {
        bench.must(
            stored.ttl.is_some_and(|ttl| ttl <= SHORT),
            "a load must report the time to live that is left",
        );
    }
    bench.must_vanish(&key, since, SHORT).await;
}

pub(super) async fn writes_set_the_time_to_live(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"one", LONG).await;
    must_have_left(&bench, &key, LONG, "an insert must set the time to live").await;
    bench.replace(&key, b"two", MINUTE).await;
    must_have_left(&bench, &key, MINUTE, "a replace must set the time to live").await;
    bench.set_if(&key, b"two", b"three", LONG).await;
    must_have_left(
        &bench,
        &key,
        LONG,
        "a compare-and-set must set the time to live",
    )
    .await;
    bench.must(
        bench.expire(&key, MINUTE).await,
        "an expire must be applied where a record stands",
    );
    must_have_left(&bench, &key, MINUTE, "an expire must set the time to live").await;
    bench.must(
        bench.value(&key).await.as_deref() == Some(b"three"),
        "an expire must leave the value alone",
    );
}

pub(super) async fn expire_shortens(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", LONG).await;
    let since = Instant::now();
    bench.expire(&key, SHORT).await;
    bench.must_vanish(&key, since, SHORT).await;
}

pub(super) async fn a_load_leaves_the_time_to_live(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", MINUTE).await;
    bench.load(&key).await;
    bench.insert(&key, b"other", LONG).await;
    bench.set_if(&key, b"other", b"new", LONG).await;
    bench.delete_if(&key, b"other").await;
    let sentence = "loads and refused writes must leave the time to live alone";
    must_have_left(&bench, &key, MINUTE, sentence).await;
}

pub(super) async fn the_expired_is_absent(bench: Bench) {
    let key = bench.name("record");
    let since = Instant::now();
    bench.insert(&key, b"value", SHORT).await;
    bench.must_vanish(&key, since, SHORT).await;
    must_refuse_absent(&bench, &key).await;
    bench.must(
        bench.insert(&key, b"anew", LONG).await,
        "an insert must be applied where a record has expired",
    );
    bench.must(
        bench.set_if(&key, b"anew", b"newer", LONG).await == Compared::Equal,
        "a record inserted where one has expired must be a record like any other",
    );
}

pub(super) async fn an_index_lives_on(bench: Bench) {
    let outlived = outlives(&bench, "shortened", |index, long| {
        let (bench, short) = (bench.clone(), long / 8);
        async move {
            bench.put(&index, "kept", 1, long).await;
            bench.put(&index, "other", 1, short).await;
            bench.put(&index, "kept", 2, short).await;
            bench.put(&index, "kept", 1, short).await;
        }
    });
    bench.must(
        outlived.await,
        "an index-put must not shorten the index's time to live",
    );
}

pub(super) async fn an_index_is_prolonged(bench: Bench) {
    let raised = outlives(&bench, "raised", |index, long| {
        let (bench, short) = (bench.clone(), long / 8);
        async move {
            bench.put(&index, "kept", 1, short).await;
            bench.put(&index, "kept", 2, long).await;
        }
    });
    bench.must(
        raised.await,
        "an index-put must let the index live at least its time to live longer",
    );
    let lower = outlives(&bench, "lower", |index, long| {
        let (bench, short) = (bench.clone(), long / 8);
        async move {
            bench.put(&index, "kept", 2, short).await;
            bench.put(&index, "kept", 1, long).await;
        }
    });
    bench.must(
        lower.await,
        "an index-put that raises no score must prolong the index all the same",
    );
}

/// Whether the index still stands after an eighth of `long`, but before `long` has passed. If
/// the machine or the store was too slow to tell, asks again with more time.
async fn outlives<F: Future<Output = ()>>(
    bench: &Bench,
    name: &str,
    fill: impl Fn(String, Duration) -> F,
) -> bool {
    let mut long = Duration::from_millis(400);
    for round in 0..4 {
        let index = bench.name(&format!("{name}-{round}"));
        let since = Instant::now();
        fill(index.clone(), long).await;
        tokio::time::sleep(long / 4).await;
        let stands = bench.check(&index, "kept").await;
        if stands || since.elapsed() < long {
            return stands;
        }
        long *= 3;
    }
    true
}

/// At most `ttl` and, however slow the machine is, at least half of it: all others used here are
/// twice as long or half as long.
async fn must_have_left(bench: &Bench, key: &str, ttl: Duration, sentence: &str) {
    let left = bench.ttl(key).await;
    bench.must(left <= ttl && left > ttl / 2, sentence);
}
