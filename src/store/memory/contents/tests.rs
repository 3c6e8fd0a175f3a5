//! Tests of expiry and capacity.

use super::*;

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn expired_values_stay_a_fraction_of_the_live_ones() {
    let mut contents = Contents::new(usize::MAX);
    for now in 0..10_000_i64 {
        contents.now = now;
        let key = now.to_string();
        let record = NewRecord::new(&key, b"", 100 * MILLI);
        assert_eq!(contents.insert(record), Ok(true));
    }
    assert!(contents.values.len() <= 200, "{}", contents.values.len());
    assert_eq!(contents.records, contents.values.len());
}

#[test]
fn full_contents_remove_expired_values_before_they_reject() {
    let mut contents = Contents::new(2);
    let mut insert = |now, key: &str, ttl| {
        contents.now = now;
        let inserted = contents.insert(NewRecord::new(key, b"", ttl));
        inserted.map_err(|error| error.kind())
    };
    assert_eq!(insert(0, "short", 10 * MILLI), Ok(true));
    assert_eq!(insert(0, "long", 1000 * MILLI), Ok(true));
    assert_eq!(insert(9, "new", MILLI), Err(StoreErrorKind::Full));
    assert_eq!(insert(9, "long", MILLI), Ok(false), "it exists");
    assert_eq!(insert(10, "new", 10 * MILLI), Ok(true));
    assert_eq!(insert(19, "newer", MILLI), Err(StoreErrorKind::Full));
    assert_eq!(insert(20, "newer", MILLI), Ok(true));
    assert_eq!(contents.records, 2);
}

#[test]
fn index_entries_are_bounded() {
    let mut contents = Contents::new(1);
    let put = |contents: &mut Contents, member| {
        let entry = NewEntry::new("index", member, 1, MILLI);
        let put = contents.index_put(entry, PutMode::KeepTombstone);
        put.map_err(|error| error.kind())
    };
    for member in ["a", "b", "b"] {
        assert_eq!(put(&mut contents, member), Ok(()));
    }
    assert_eq!(put(&mut contents, "c"), Err(StoreErrorKind::Full));
    let removed = contents.index("index", |entries| entries.remove(&["a"], None));
    assert_eq!(removed, Ok(()));
    assert_eq!(put(&mut contents, "c"), Ok(()));
}

#[test]
fn an_expiry_is_at_least_a_millisecond_away_and_never_overflows() {
    let contents = Contents::new(1);
    assert_eq!(contents.expiry(Duration::ZERO), 1);
    assert_eq!(contents.expiry(Duration::MAX), i64::MAX);
}
