//! The keys that open `/api-key`.

use crate::crypto;
use crate::secret::Secret;

/// The keys that open `/api-key`, by their hashes, so that comparing takes the same time whatever
/// their lengths are.
pub(super) struct MasterKeys(Box<[[u8; 32]]>);

impl MasterKeys {
    pub(super) fn new(keys: &[Secret]) -> Self {
        let hashes = keys
            .iter()
            .map(|key| crypto::sha256(key.expose().as_bytes()));
        Self(hashes.collect())
    }

    /// Whether `key` is one of them; each is looked at.
    pub(super) fn contain(&self, key: &[u8]) -> bool {
        let hash = crypto::sha256(key);
        let equal = self.0.iter().filter(|master| crypto::equal(*master, &hash));
        equal.count() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_master_key_opens_and_nothing_else_does() {
        let keys = MasterKeys::new(&[Secret::from("one"), Secret::from("two")]);
        assert!(keys.contain(b"one") && keys.contain(b"two"));
        assert!(!keys.contain(b"") && !keys.contain(b"on") && !keys.contain(b"onetwo"));
        assert!(!MasterKeys::new(&[]).contain(b""));
    }
}
