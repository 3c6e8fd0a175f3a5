//! Credentials that were right before.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{PoisonError, RwLock};

/// The number of credentials at which all are forgotten.
const MAX: usize = 100_000;

/// Credentials that were right before, each together with the place where it was used.
///
/// An entry grants no access. It only decides what is done before the credential is checked again, so
/// an entry may be forgotten at any time. Only a right credential adds one.
#[derive(Default)]
pub(crate) struct Accepted {
    hasher: RandomState,
    /// Keyed hashes: an entry does not reveal its credential, and clients cannot choose credentials
    /// with equal hashes.
    hashes: RwLock<HashSet<u64>>,
}

impl Accepted {
    pub(crate) fn contains(&self, credential: &impl Hash) -> bool {
        let hashes = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        hashes.contains(&self.hasher.hash_one(credential))
    }

    pub(crate) fn insert(&self, credential: &impl Hash) {
        // Most are present already, and a read lock does not block other readers.
        if self.contains(credential) {
            return;
        }
        let mut hashes = self.hashes.write().unwrap_or_else(PoisonError::into_inner);
        if hashes.len() >= MAX {
            hashes.clear();
        }
        hashes.insert(self.hasher.hash_one(credential));
    }

    pub(crate) fn remove(&self, credential: &impl Hash) {
        let mut hashes = self.hashes.write().unwrap_or_else(PoisonError::into_inner);
        hashes.remove(&self.hasher.hash_one(credential));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let accepted = Accepted::default();
        for number in 0..=MAX {
            accepted.insert(&number);
            accepted.insert(&number);
            assert!(accepted.contains(&number));
        }
        assert!(accepted.hashes.read().unwrap().len() <= MAX);
        accepted.remove(&MAX);
        assert!(!accepted.contains(&MAX));
    }
}
