//! Named things that expire.

use std::time::Duration;

use indexmap::IndexMap;

/// How many things a write looks at, to drop those that have expired. As a write adds one thing
/// at the most, looking at several keeps the expired ones a fraction of the living.
const SWEPT_PER_WRITE: usize = 4;

/// How much of the shelf's capacity a thing takes.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

/// Things by name, each with the time (Unix milliseconds) from which it counts as gone.
pub(super) struct Shelf<T> {
    slots: IndexMap<Box<str>, Slot<T>>,
    capacity: usize,
    weight: usize,
    cursor: usize,
    /// Nothing expires before this; lets a full shelf refuse without looking at everything.
    earliest: i64,
}

pub(super) struct Slot<T> {
    pub(super) thing: T,
    pub(super) expires: i64,
}

impl<T: Weight> Shelf<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            slots: IndexMap::new(),
            capacity,
            weight: 0,
            cursor: 0,
            earliest: i64::MAX,
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// The weight of everything that has not expired.
    pub(super) fn living(&self, now: i64) -> usize {
        self.iter(now).map(|(_, slot)| slot.thing.weight()).sum()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    pub(super) fn contains(&self, name: &str, now: i64) -> bool {
        self.slots.get(name).is_some_and(|slot| slot.expires > now)
    }

    /// What stands under `name`; drops it if it has expired.
    pub(super) fn get(&mut self, name: &str, now: i64) -> Option<&mut Slot<T>> {
        let at = self.slots.get_index_of(name)?;
        if self.slots[at].expires <= now {
            self.remove_at(at);
            return None;
        }
        self.slots.get_index_mut(at).map(|(_, slot)| slot)
    }

    /// Puts `thing` under `name`; the caller has made sure that there is room.
    pub(super) fn put(&mut self, name: &str, thing: T, expires: i64) {
        self.weight += thing.weight();
        let slot = Slot { thing, expires };
        if let Some(before) = self.slots.insert(name.into(), slot) {
            self.weight -= before.thing.weight();
        }
        self.noted(expires);
    }

    pub(super) fn remove(&mut self, name: &str, now: i64) -> bool {
        let Some(at) = self.slots.get_index_of(name) else {
            return false;
        };
        let living = self.slots[at].expires > now;
        self.remove_at(at);
        living
    }

    /// Takes note that a thing will expire at `expires`; due whenever [`Slot::expires`] is set.
    pub(super) fn noted(&mut self, expires: i64) {
        self.earliest = self.earliest.min(expires);
    }

    /// Takes note that things on the shelf weigh this much more, or less, than before.
    pub(super) fn reweigh(&mut self, before: usize, after: usize) {
        self.weight = (self.weight + after) - before;
    }

    /// Whether one more fits, if need be after everything expired has been dropped.
    pub(super) fn has_room(&mut self, now: i64) -> bool {
        if self.weight >= self.capacity && now >= self.earliest {
            self.purge(now);
        }
        self.weight < self.capacity
    }

    /// Looks at a few things and drops those that have expired.
    pub(super) fn sweep(&mut self, now: i64) {
        for _ in 0..SWEPT_PER_WRITE {
            match self.slots.get_index(self.cursor) {
                None => {
                    self.cursor = 0;
                    return;
                }
                // The last slot takes the place of the one removed, so the cursor stays.
                Some((_, slot)) if slot.expires <= now => self.remove_at(self.cursor),
                Some(_) => self.cursor += 1,
            }
        }
    }

    fn purge(&mut self, now: i64) {
        self.slots.retain(|_, slot| slot.expires > now);
        let living = self.slots.values();
        self.weight = living.clone().map(|slot| slot.thing.weight()).sum();
        self.earliest = living.map(|slot| slot.expires).min().unwrap_or(i64::MAX);
    }

    fn remove_at(&mut self, at: usize) {
        if let Some((_, slot)) = self.slots.swap_remove_index(at) {
            self.weight -= slot.thing.weight();
        }
    }

    fn iter(&self, now: i64) -> impl Iterator<Item = (&str, &Slot<T>)> {
        self.slots
            .iter()
            .filter(move |(_, slot)| slot.expires > now)
            .map(|(name, slot)| (&**name, slot))
    }
}

#[cfg(any(test, feature = "test-util"))]
impl<T: Weight + std::hash::Hash> Shelf<T> {
    /// Hashes what has not expired, in the order of names, and how long each has left.
    pub(super) fn fingerprint(&self, now: i64, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;

        let mut living: Vec<_> = self.iter(now).collect();
        living.sort_unstable_by_key(|(name, _)| *name);
        living.len().hash(hasher);
        for (name, slot) in living {
            (name, &slot.thing, slot.expires - now).hash(hasher);
        }
    }
}

/// The time `ttl` after `now`, at least a millisecond later.
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
    fn expired_things_stay_a_fraction_of_the_living() {
        let mut shelf = Shelf::new(usize::MAX);
        for now in 0..10_000_i64 {
            shelf.sweep(now);
            shelf.put(&now.to_string(), 1, now + 100);
        }
        assert!(shelf.slots.len() < 200, "{}", shelf.slots.len());
        assert_eq!(shelf.weight, shelf.slots.len());
    }

    #[test]
    fn a_full_shelf_drops_what_has_expired_before_it_refuses() {
        let mut shelf = Shelf::new(3);
        shelf.put("short", 1, 10);
        shelf.put("long", 1, 1000);
        shelf.put("longer", 1, 2000);
        assert!(!shelf.has_room(9));
        assert!(shelf.has_room(10));
        assert_eq!((shelf.weight, shelf.earliest), (2, 1000));
        shelf.put("shorter", 1, 20);
        assert!(!shelf.has_room(19));
        assert!(shelf.has_room(20));
    }

    #[test]
    fn a_time_to_live_is_never_less_than_a_millisecond_and_never_overflows() {
        assert_eq!(expiry(5, Duration::ZERO), 6);
        assert_eq!(expiry(5, Duration::MAX), i64::MAX);
    }
}
