//! The keys that open the page.

use crate::crypto;
use crate::secret::Secret;
use crate::shared::Shared;

/// Sets these marks apart from all else that is derived from the same secret.
const PURPOSE: &[u8] = b"sessiond admin";

/// The keys that open the page, by marks of them.
#[derive(Clone, Debug)]
pub(super) struct MasterKeys {
    secret: Secret,
    marks: Box<[Mark]>,
}

/// Stands for a master key in the operator's session, so that the session ends when the key is
/// taken out of the configuration. Who does not know the service's secret cannot try keys by it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

impl MasterKeys {
    pub(super) fn new(shared: &Shared) -> Self {
        let secret = shared.secrets()[0].clone();
        let keys = shared.settings.buckets.master_keys.iter();
        let marks = keys.map(|key| Mark::of(&secret, key.expose())).collect();
        Self { secret, marks }
    }

    /// The mark of `key` if it is a master key; in a time that depends on the length of `key`
    /// only.
    pub(super) fn recognise(&self, key: &str) -> Option<Mark> {
        let mark = Mark::of(&self.secret, key);
        self.contain(&mark.0).then_some(mark)
    }

    /// Whether the key of which this is the mark is a master key still.
    pub(super) fn contain(&self, mark: &str) -> bool {
        let equal = |known: &&Mark| crypto::equal(known.0.as_bytes(), mark.as_bytes());
        self.marks.iter().filter(equal).count() > 0
    }
}

impl Mark {
    fn of(secret: &Secret, key: &str) -> Self {
        let parts = [PURPOSE, key.as_bytes()];
        let tag = crypto::hmac_sha256(secret.expose().as_bytes(), &parts);
        Self(tag.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mark([redacted])")
    }
}
