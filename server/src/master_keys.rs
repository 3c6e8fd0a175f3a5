//! Master keys: they open `/api-key` and the admin page.

use crate::app_state::AppState;
use crate::crypto;
use crate::secret::Secret;

/// Separates the fingerprints from everything else that is derived from the same secret.
const PURPOSE: &[u8] = b"sessiond master key";

/// The master keys of the configuration, kept as fingerprints.
#[derive(Clone, Debug)]
pub(crate) struct MasterKeys {
    secret: Secret,
    fingerprints: Box<[KeyFingerprint]>,
}

/// A keyed hash of a master key. An operator's session stores it, so that the session ends when
/// the key is removed from the configuration. Without the service's secret it cannot be used to
/// try keys.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyFingerprint(String);

impl MasterKeys {
    pub(crate) fn new(app: &AppState) -> Self {
        let secret = app.secrets()[0].clone();
        let keys = app.settings.buckets.master_keys.iter();
        let fingerprints = keys
            .map(|key| KeyFingerprint::of(&secret, key.expose().as_bytes()))
            .collect();
        Self {
            secret,
            fingerprints,
        }
    }

    /// Returns the fingerprint of `key` if it is a master key. The time taken depends only on the
    /// length of `key`.
    pub(crate) fn verify(&self, key: &[u8]) -> Option<KeyFingerprint> {
        let fingerprint = KeyFingerprint::of(&self.secret, key);
        self.is_current(&fingerprint.0).then_some(fingerprint)
    }

    /// Whether the key with this fingerprint is still configured.
    pub(crate) fn is_current(&self, fingerprint: &str) -> bool {
        let equal =
            |known: &&KeyFingerprint| crypto::equal(known.0.as_bytes(), fingerprint.as_bytes());
        // Counting compares with every key, so that the time does not depend on which one matches.
        self.fingerprints.iter().filter(equal).count() > 0
    }
}

impl KeyFingerprint {
    fn of(secret: &Secret, key: &[u8]) -> Self {
        let parts = [PURPOSE, key];
        Self(hex::encode(crypto::hmac_sha256(
            secret.expose().as_bytes(),
            &parts,
        )))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFingerprint([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn masters(keys: &[&str]) -> MasterKeys {
        let mut settings = Settings::default();
        settings.buckets.master_keys = keys.iter().map(|key| Secret::from(*key)).collect();
        MasterKeys::new(&AppState::new(settings).unwrap())
    }

    #[test]
    fn each_master_key_opens_and_nothing_else_does() {
        let keys = masters(&["one", "two"]);
        let opens = |key: &[u8]| keys.verify(key).is_some();
        assert!(opens(b"one") && opens(b"two"));
        assert!(!opens(b"") && !opens(b"on") && !opens(b"onetwo"));
        assert!(masters(&[]).verify(b"").is_none());
    }

    #[test]
    fn a_fingerprint_is_current_while_its_key_and_the_secret_are() {
        let keys = masters(&["one"]);
        let fingerprint = keys.verify(b"one").unwrap();
        assert!(keys.is_current(fingerprint.as_str()));
        assert!(!keys.is_current("") && !keys.is_current("one"));
        // Another service has drawn another secret.
        assert!(!masters(&["one"]).is_current(fingerprint.as_str()));
    }
}
