//! Promises about time.

use std::time::{Duration, Instant};

use super::harness::{Harness, LONG};
use crate::store::types::{CompareOutcome, NewEntry, NewRecord};

const SHORT: Duration = Duration::from_millis(80);
const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn records_expire(h: Harness) {
    let (key, since) = (h.key("record"), Instant::now());
    h.insert_for(SHORT, &key, b"value").await;
    if let Some(record) = h.load(&key).await {
        assert!(record.ttl.is_some_and(|ttl| ttl <= SHORT), "{h}");
    }
    h.assert_expires(&key, since, SHORT).await;
}

pub(super) async fn writes_set_the_ttl(h: Harness) {
    let key = h.key("record");
    h.insert_for(MINUTE, &key, b"one").await;
    h.assert_ttl(&key, MINUTE).await;
    h.set(&key, b"one", b"two").await;
    h.assert_ttl(&key, LONG).await;
    assert!(h.set_ttl(&key, MINUTE).await, "{h}");
    h.assert_ttl(&key, MINUTE).await;
    assert_eq!(h.value(&key).await, "two", "{h}");
}

pub(super) async fn set_ttl_shortens(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"value").await;
    let since = Instant::now();
    h.set_ttl(&key, SHORT).await;
    h.assert_expires(&key, since, SHORT).await;
}

pub(super) async fn reads_keep_the_ttl(h: Harness) {
    let key = h.key("record");
    h.insert_for(MINUTE, &key, b"value").await;
    h.load(&key).await;
    h.ok(h.store.load_many(&[&key])).await;
    h.insert(&key, b"other").await;
    h.set(&key, b"other", b"new").await;
    h.delete_if(&key, b"other").await;
    h.assert_ttl(&key, MINUTE).await;
}

pub(super) async fn expired_records_are_absent(h: Harness) {
    let (key, since) = (h.key("record"), Instant::now());
    h.insert_for(SHORT, &key, b"value").await;
    h.assert_expires(&key, since, SHORT).await;
    h.assert_absent(&key).await;
    assert!(h.insert(&key, b"new").await, "{h}");
    let outcome = h.set(&key, b"new", b"newer").await;
    assert_eq!(outcome, CompareOutcome::Applied, "{h}");
}

pub(super) async fn index_put_never_shortens_the_ttl(h: Harness) {
    let mut trial = Trial::new(&h, "index");
    while let Some((index, long)) = trial.next().await {
        h.put_for(long, &index, "kept", 1).await;
        h.put_for(long / 8, &index, "other", 1).await;
        h.put_for(long / 8, &index, "kept", 2).await;
        h.put_for(long / 8, &index, "kept", 1).await;
    }
}

pub(super) async fn other_changes_keep_the_ttl_of_an_index(h: Harness) {
    let mut trial = Trial::new(&h, "index");
    while let Some((index, long)) = trial.next().await {
        h.put_for(long, &index, "kept", 1).await;
        h.put_for(long / 8, &index, "old", 1).await;
        h.supersede(&index, "old", "kept").await;
        h.remove(&index, &["old"], None).await;
        h.tombstone_all(&index, None).await;
    }
}

pub(super) async fn index_put_extends_the_ttl(h: Harness) {
    for check_after in [2, 1, 0] {
        let mut trial = Trial::new(&h, &format!("index-{check_after}"));
        while let Some((index, long)) = trial.next().await {
            h.put_for(long / 8, &index, "kept", 1).await;
            h.put_for(long, &index, "kept", check_after).await;
        }
    }
}

pub(super) async fn provided_methods_extend_the_ttl(h: Harness) {
    for method in 0..4 {
        let mut trial = Trial::new(&h, &format!("index-{method}"));
        while let Some((index, long)) = trial.next().await {
            let (s, key) = (&h.store, format!("{index}-record"));
            let record = NewRecord::new(&key, b"value", LONG);
            h.put_for(long / 8, &index, "kept", 1).await;
            let kept = NewEntry::new(&index, "kept", 1, long);
            let short = NewEntry::new(&index, "kept", 1, long / 8);
            match method {
                0 => drop(h.ok(s.insert_indexed(&[kept, short], record, None)).await),
                1 => drop(h.ok(s.compare_and_set_indexed(kept, b"", record)).await),
                2 => drop(h.ok(s.set_ttl_indexed(kept, &key, LONG)).await),
                _ => h.ok(s.index_refresh(&index, &[kept, short], &[], 0)).await,
            }
        }
    }
}

/// Checks that an index still exists after two eighths of its TTL, but before the TTL is over. If
/// the machine or the store was too slow for that, repeats it with more time.
struct Trial<'a> {
    h: &'a Harness,
    name: String,
    long: Duration,
    running: Option<(String, Instant)>,
}

impl<'a> Trial<'a> {
    fn new(h: &'a Harness, name: &str) -> Self {
        Self {
            h,
            name: name.to_owned(),
            long: Duration::from_millis(400),
            running: None,
        }
    }

    /// Checks the index that was returned before. Returns an index to fill, with the TTL that it
    /// must get, or `None` if the check succeeded.
    async fn next(&mut self) -> Option<(String, Duration)> {
        if let Some((index, since)) = self.running.take() {
            tokio::time::sleep(self.long / 4).await;
            let exists = self.h.get(&index, "kept").await.is_some();
            let is_over = since.elapsed() >= self.long;
            assert!(exists || is_over, "{}; it expires too early", self.h);
            self.long *= 3;
            if exists || self.long > Duration::from_secs(12) {
                return None;
            }
        }
        let index = format!("{}-{}", self.name, self.long.as_millis());
        let index = self.h.key(&index);
        self.running = Some((index.clone(), Instant::now()));
        Some((index, self.long))
    }
}
