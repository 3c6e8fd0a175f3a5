//! The keys that open `/api-key` and the page for operators.

use crate::crypto;
use crate::secret::Secret;
use crate::shared::Shared;

/// Sets these marks apart from all else that is derived from the same secret.
const PURPOSE: &[u8] = b"sessiond master key";

/// The keys that open `/api-key` and the page for operators, by marks of them.
#[derive(Clone, Debug)]
pub(crate) struct MasterKeys {
    secret: Secret,
    marks: Box<[Mark]>,
}

/// Stands for a master key in the operator's session, so that the session ends when the key is
/// taken out of the configuration. Who does not know the service's secret cannot try keys by it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl MasterKeys {
    pub(crate) fn new(shared: &Shared) -> Self {
        let secret = shared.secrets()[0].clone();
        let keys = shared.settings.buckets.master_keys.iter();
        let marks = keys
            .map(|key| Mark::of(&secret, key.expose().as_bytes()))
            .collect();
        Self { secret, marks }
    }

    /// The mark of `key` if it is a master key; in a time that depends on the length of `key`
    /// only.
    pub(crate) fn recognise(&self, key: &[u8]) -> Option<Mark> {
        let mark = Mark::of(&self.secret, key);
        self.contain(&mark.0).then_some(mark)
    }

    /// Whether the key of which this is the mark is a master key still.
    pub(crate) fn contain(&self, mark: &str) -> bool {
        let equal = |known: &&Mark| crypto::equal(known.0.as_bytes(), mark.as_bytes());
        self.marks.iter().filter(equal).count() > 0
    }
}

impl Mark {
    fn of(secret: &Secret, key: &[u8]) -> Self {
        let parts = [PURPOSE, key];
        let tag = crypto::hmac_sha256(secret.expose().as_bytes(), &parts);
        Self(tag.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mark([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn masters(keys: &[&str]) -> MasterKeys {
        let mut settings = Settings::default();
        settings.buckets.master_keys = keys.iter().map(|key| Secret::from(*key)).collect();
        MasterKeys::new(&Shared::new(settings).unwrap())
    }

    #[test]
    fn each_master_key_opens_and_nothing_else_does() {
        let keys = masters(&["one", "two"]);
        let opens = |key: &[u8]| keys.recognise(key).is_some();
        assert!(opens(b"one") && opens(b"two"));
        assert!(!opens(b"") && !opens(b"on") && !opens(b"onetwo"));
        assert!(masters(&[]).recognise(b"").is_none());
    }

    #[test]
    fn a_mark_is_good_as_long_as_its_key_and_the_secret_are() {
        let keys = masters(&["one"]);
        let mark = keys.recognise(b"one").unwrap();
        assert!(keys.contain(mark.as_str()));
        assert!(!keys.contain("") && !keys.contain("one"));
        // Another service has drawn another secret.
        assert!(!masters(&["one"]).contain(mark.as_str()));
    }
}
