//! A map whose values expire.

use std::time::Duration;

use indexmap::IndexMap;

/// The number of entries that a write checks for expiry. A write adds one entry at most, so
/// checking several keeps the expired ones a fraction of the live ones.
const SWEPT_PER_WRITE: usize = 4;

/// The part of the capacity that a value takes.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

/// Values by key, each with the time (Unix milliseconds) at which it expires.
pub(super) struct ExpiringMap<T> {
    entries: IndexMap<Box<str>, Entry<T>>,
    capacity: usize,
    weight: usize,
    cursor: usize,
    /// No entry expires before this: a full map can refuse without checking every entry.
    earliest: i64,
}

pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) expires: i64,
}

impl<T: Weight> ExpiringMap<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: IndexMap::new(),
            capacity,
            weight: 0,
            cursor: 0,
            earliest: i64::MAX,
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// Returns the weight of all live entries.
    pub(super) fn live_weight(&self, now: i64) -> usize {
        self.iter(now).map(|(_, entry)| entry.value.weight()).sum()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    pub(super) fn contains(&self, key: &str, now: i64) -> bool {
        self.entries
            .get(key)
            .is_some_and(|entry| entry.expires > now)
    }

    /// Returns the live entry of `key`. Removes it if it has expired.
    pub(super) fn get(&mut self, key: &str, now: i64) -> Option<&mut Entry<T>> {
        let at = self.entries.get_index_of(key)?;
        if self.entries[at].expires <= now {
            self.remove_at(at);
            return None;
        }
        self.entries.get_index_mut(at).map(|(_, entry)| entry)
    }

    /// Inserts or replaces the value of `key`. The caller has checked the capacity.
    pub(super) fn put(&mut self, key: &str, value: T, expires: i64) {
        self.weight += value.weight();
        let entry = Entry { value, expires };
        if let Some(before) = self.entries.insert(key.into(), entry) {
            self.weight -= before.value.weight();
        }
        self.note_expiry(expires);
    }

    pub(super) fn remove(&mut self, key: &str, now: i64) -> bool {
        let Some(at) = self.entries.get_index_of(key) else {
            return false;
        };
        let live = self.entries[at].expires > now;
        self.remove_at(at);
        live
    }

    /// Notes that an entry expires at `expires`. Must be called when [`Entry::expires`] is set.
    pub(super) fn note_expiry(&mut self, expires: i64) {
        self.earliest = self.earliest.min(expires);
    }

    /// Notes that a value weighs more or less than before.
    pub(super) fn reweigh(&mut self, before: usize, after: usize) {
        self.weight = (self.weight + after) - before;
    }

    /// Returns whether one more entry fits, if necessary after removing all expired ones.
    pub(super) fn has_room(&mut self, now: i64) -> bool {
        if self.weight >= self.capacity && now >= self.earliest {
            self.purge(now);
        }
        self.weight < self.capacity
    }

    /// Checks a few entries and removes those that have expired.
    pub(super) fn sweep(&mut self, now: i64) {
        for _ in 0..SWEPT_PER_WRITE {
            match self.entries.get_index(self.cursor) {
                None => {
                    self.cursor = 0;
                    return;
                }
                // The last entry moves to the place of the removed one, so the cursor stays.
                Some((_, entry)) if entry.expires <= now => self.remove_at(self.cursor),
                Some(_) => self.cursor += 1,
            }
        }
    }

    fn purge(&mut self, now: i64) {
        self.entries.retain(|_, entry| entry.expires > now);
        let live = self.entries.values();
        self.weight = live.clone().map(|entry| entry.value.weight()).sum();
        self.earliest = live.map(|entry| entry.expires).min().unwrap_or(i64::MAX);
    }

    fn remove_at(&mut self, at: usize) {
        if let Some((_, entry)) = self.entries.swap_remove_index(at) {
            self.weight -= entry.value.weight();
        }
    }

    fn iter(&self, now: i64) -> impl Iterator<Item = (&str, &Entry<T>)> {
        self.entries
            .iter()
            .filter(move |(_, entry)| entry.expires > now)
            .map(|(key, entry)| (&**key, entry))
    }
}

#[cfg(any(test, feature = "test-util"))]
impl<T: Weight + std::hash::Hash> ExpiringMap<T> {
    /// Hashes the live entries in the order of their keys, with their remaining TTL.
    pub(super) fn fingerprint(&self, now: i64, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;

        let mut live: Vec<_> = self.iter(now).collect();
        live.sort_unstable_by_key(|(key, _)| *key);
        live.len().hash(hasher);
        for (key, entry) in live {
            (key, &entry.value, entry.expires - now).hash(hasher);
        }
    }
}

/// Returns the time `ttl` after `now`, at least a millisecond later.
pub(super) fn expiry(now: i64, ttl: Duration) -> i64 {
    let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    now.saturating_add(ttl.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    #[test]
    fn expired_entries_stay_a_fraction_of_the_live_ones() {
        let mut map = ExpiringMap::new(usize::MAX);
        for now in 0..10_000_i64 {
            map.sweep(now);
            map.put(&now.to_string(), 1, now + 100);
        }
        assert!(map.entries.len() < 200, "{}", map.entries.len());
        assert_eq!(map.weight, map.entries.len());
    }

    #[test]
    fn a_full_map_removes_expired_entries_before_it_refuses() {
        let mut map = ExpiringMap::new(3);
        map.put("short", 1, 10);
        map.put("long", 1, 1000);
        map.put("longer", 1, 2000);
        assert!(!map.has_room(9));
        assert!(map.has_room(10));
        assert_eq!((map.weight, map.earliest), (2, 1000));
        map.put("shorter", 1, 20);
        assert!(!map.has_room(19));
        assert!(map.has_room(20));
    }

    #[test]
    fn a_ttl_is_never_less_than_a_millisecond_and_never_overflows() {
        assert_eq!(expiry(5, Duration::ZERO), 6);
        assert_eq!(expiry(5, Duration::MAX), i64::MAX);
    }
}
