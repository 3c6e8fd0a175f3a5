//! Promises about time.

use std::time::{Duration, Instant};

use super::harness::{Harness, LONG, MINUTE};
use crate::store::types::{CompareOutcome, NewEntry};

const SHORT: Duration = Duration::from_millis(80);

pub(super) async fn records_expire(h: Harness) {
    let since = Instant::now();
    h.insert_for(SHORT, "value").await;
    if let Some(record) = h.load().await {
        assert!(record.ttl.is_some_and(|ttl| ttl <= SHORT), "{h}");
    }
    h.assert_expires(since, SHORT).await;
    h.assert_absent().await;
    h.assert_eq(h.insert("new").await, true);
    h.assert_eq(h.set("new", "newer").await, CompareOutcome::Applied);
}

pub(super) async fn writes_set_the_ttl(h: Harness) {
    h.insert_for(MINUTE, "one").await;
    h.assert_ttl(MINUTE).await;
    h.set("one", "two").await;
    h.assert_ttl(LONG).await;
    h.assert_eq(h.set_ttl(MINUTE).await, true);
    h.assert_ttl(MINUTE).await;
    h.assert_value("two").await;
    let since = Instant::now();
    h.set_ttl(SHORT).await;
    h.assert_expires(since, SHORT).await;
}

pub(super) async fn reads_keep_the_ttl(h: Harness) {
    h.insert_for(MINUTE, "value").await;
    h.load().await;
    h.ok(h.store.load_many(&[&h.key])).await;
    h.insert("other").await;
    h.set("other", "new").await;
    h.delete_if("other").await;
    h.assert_ttl(MINUTE).await;
}

pub(super) async fn index_put_never_shortens_the_ttl(h: Harness) {
    let mut trial = Trial::new(&h, "");
    while let Some((h, long)) = trial.next().await {
        h.put_entry(kept(&h, 1, long)).await;
        h.put_entry(NewEntry::new(&h.index, "other", 1, long / 8))
            .await;
        h.put_entry(kept(&h, 2, long / 8)).await;
        h.put_entry(kept(&h, 1, long / 8)).await;
    }
}

pub(super) async fn other_changes_keep_the_ttl_of_an_index(h: Harness) {
    let mut trial = Trial::new(&h, "");
    while let Some((h, long)) = trial.next().await {
        h.put_entry(kept(&h, 1, long)).await;
        h.put_entry(NewEntry::new(&h.index, "old", 1, long / 8))
            .await;
        h.supersede("old", "kept").await;
        h.remove(&["old"], None).await;
        h.tombstone_all(None).await;
    }
}

pub(super) async fn index_put_extends_the_ttl(h: Harness) {
    for check_after in [2, 1, 0] {
        let mut trial = Trial::new(&h, &check_after.to_string());
        while let Some((h, long)) = trial.next().await {
            h.put_entry(kept(&h, 1, long / 8)).await;
            h.put_entry(kept(&h, check_after, long)).await;
        }
    }
}

pub(super) async fn provided_methods_extend_the_ttl(h: Harness) {
    for method in 0..4 {
        let mut trial = Trial::new(&h, &method.to_string());
        while let Some((h, long)) = trial.next().await {
            let (s, record) = (&h.store, h.record(b"value"));
            let (kept, short) = (kept(&h, 1, long), kept(&h, 1, long / 8));
            h.put_entry(short).await;
            match method {
                0 => drop(h.ok(s.insert_indexed(&[kept, short], record, None)).await),
                1 => drop(h.ok(s.compare_and_set_indexed(kept, b"", record)).await),
                2 => drop(h.ok(s.set_ttl_indexed(kept, &h.key, LONG)).await),
                _ => {
                    let entries = [kept, short];
                    let refresh = s.index_refresh(&h.index, &entries, &[], 0);
                    h.ok(refresh).await;
                }
            }
        }
    }
}

/// The entry whose index a [`Trial`] checks.
fn kept(h: &Harness, check_after: i64, ttl: Duration) -> NewEntry<'_> {
    NewEntry::new(&h.index, "kept", check_after, ttl)
}

/// Checks that an index still exists after two eighths of its TTL, but before the TTL is over. If
/// the machine or the store was too slow for that, repeats it with more time.
struct Trial<'a> {
    h: &'a Harness,
    name: String,
    long: Duration,
    running: Option<(Harness, Instant)>,
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
    async fn next(&mut self) -> Option<(Harness, Duration)> {
        if let Some((index, since)) = self.running.take() {
            tokio::time::sleep(self.long / 4).await;
            let exists = index.get("kept").await.is_some();
            let is_over = since.elapsed() >= self.long;
            assert!(exists || is_over, "{}; it expires too early", self.h);
            self.long *= 3;
            if exists || self.long > Duration::from_secs(12) {
                return None;
            }
        }
        let name = format!("{}-{}", self.name, self.long.as_millis());
        let index = self.h.named(&name);
        self.running = Some((index.clone(), Instant::now()));
        Some((index, self.long))
    }
}
