//! Promises about time.

use std::time::{Duration, Instant};

use super::harness::{Harness, LONG, MINUTE};
use crate::store::types::CompareOutcome::{Applied, Mismatch, Missing};
use crate::store::types::NewEntry;

const SHORT: Duration = Duration::from_millis(80);

/// The TTL of an index that must not expire early.
const LIFE: Duration = Duration::from_millis(800);

pub(super) async fn records_expire(h: Harness) {
    let since = Instant::now();
    h.insert_for(SHORT, "value").await;
    if let Some(record) = h.load().await {
        assert!(record.ttl.is_some_and(|ttl| ttl <= SHORT), "{h}");
    }
    h.assert_expires(since, SHORT).await;
    h.assert_absent().await;
    h.assert_eq(h.insert("new").await, true);
    h.assert_eq(h.set("new", "newer").await, Applied);
}

pub(super) async fn only_writes_set_the_ttl(h: Harness) {
    h.insert_for(MINUTE, "one").await;
    h.load().await;
    h.ok(h.store.load_many(&[&h.key])).await;
    h.insert("other").await;
    h.set("other", "new").await;
    h.delete_if("other").await;
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

pub(super) async fn no_change_shortens_the_ttl_of_an_index(h: Harness) {
    let since = Instant::now();
    h.put_entry(kept(&h, 1, LIFE)).await;
    let old = NewEntry::new(&h.index, "old", 1, LIFE / 8);
    for entry in [old, kept(&h, 2, LIFE / 8), kept(&h, 1, LIFE / 8)] {
        h.put_entry(entry).await;
    }
    h.supersede("old", "kept").await;
    h.remove(&["old"], None).await;
    h.tombstone_all(None).await;
    assert_outlives(&h, since).await;
}

pub(super) async fn a_prefix_limits_set_ttl(h: Harness) {
    let set = async |prefix: &'static [u8]| h.ok(h.store.set_ttl_if(&h.key, prefix, LONG)).await;
    h.assert_eq(set(b"").await, Missing);
    h.assert_eq(set(b"val").await, Missing);
    h.assert_absent().await;
    for (prefix, is_set) in [
        (&b"other"[..], false),
        (b"values", false),
        (b"al", false),
        (b"value\0", false),
        (b"", true),
        (b"v", true),
        (b"value", true),
    ] {
        h.insert_for(MINUTE, "value").await;
        let expected = match is_set {
            true => Applied,
            false => Mismatch("value".into()),
        };
        h.assert_eq(set(prefix).await, expected);
        h.assert_ttl(if is_set { LONG } else { MINUTE }).await;
        h.assert_value("value").await;
        h.ok(h.store.delete(&h.key)).await;
    }
}

pub(super) async fn puts_extend_the_ttl_of_an_index(h: Harness) {
    for method in 0..7 {
        let (h, since) = (h.named(&method.to_string()), Instant::now());
        let (s, record) = (&h.store, h.record(b"value"));
        let (long, short) = (kept(&h, 1, LIFE), kept(&h, 1, LIFE / 8));
        let both = [long, short];
        h.put_entry(short).await;
        match method {
            0 => drop(h.ok(s.insert_indexed(&both, record, None)).await),
            1 => drop(h.ok(s.compare_and_set_indexed(long, b"", record)).await),
            2 => drop(h.ok(s.set_ttl_indexed(long, &h.key, b"", LONG)).await),
            3 => h.ok(s.index_refresh(&h.index, &both, &[], 0)).await,
            _ => h.put_entry(kept(&h, method - 4, LIFE)).await,
        }
        assert_outlives(&h, since).await;
    }
}

/// The entry that [`assert_outlives`] checks.
fn kept(h: &Harness, check_after: i64, ttl: Duration) -> NewEntry<'_> {
    NewEntry::new(&h.index, "kept", check_after, ttl)
}

/// Asserts that an index with a TTL of [`LIFE`] since `since` exists after a quarter of it.
async fn assert_outlives(h: &Harness, since: Instant) {
    tokio::time::sleep(LIFE / 4).await;
    let exists = h.get("kept").await.is_some();
    // On a machine that is too busy the check comes too late and shows nothing.
    let is_over = since.elapsed() >= LIFE;
    assert!(exists || is_over, "{h}; it expires too early");
}
