//! Master keys, which grant access to `/api-key` and the admin pages.

use crate::app_state::AppState;
use crate::crypto;
use crate::secret::Secret;

/// Domain separator: the same secret also derives other values.
const PURPOSE: &[u8] = b"sessiond master key";

/// Master keys of the configuration, stored as fingerprints.
#[derive(Clone, Debug)]
pub(crate) struct MasterKeys {
    secret: Secret,
    fingerprints: Box<[KeyFingerprint]>,
}

/// Keyed hash of a master key.
///
/// The session of an operator stores it, so that the session ends when the key is removed from the
/// configuration or when the first secret changes. Without that secret, keys cannot be guessed from
/// it.
#[derive(Clone, Debug)]
pub(crate) struct KeyFingerprint(Secret);

impl MasterKeys {
    pub(crate) fn new(app: &AppState) -> Self {
        let secret = app.secrets[0].clone();
        let keys = app.settings.buckets.master_keys.iter();
        let fingerprints = keys.map(|key| KeyFingerprint::of(&secret, key.expose().as_bytes()));
        Self {
            fingerprints: fingerprints.collect(),
            secret,
        }
    }

    /// Returns the fingerprint of `key` if it is a master key. The time taken depends only on the
    /// length of `key`.
    pub(crate) fn verify(&self, key: &[u8]) -> Option<KeyFingerprint> {
        let fingerprint = KeyFingerprint::of(&self.secret, key);
        self.is_current(fingerprint.as_str()).then_some(fingerprint)
    }

    /// Returns whether the key with this fingerprint is still configured.
    pub(crate) fn is_current(&self, fingerprint: &str) -> bool {
        let known = self.fingerprints.iter().map(KeyFingerprint::as_str);
        // `count` compares with every key, so that the time does not reveal which one matches.
        let equal = |known: &&str| crypto::equal(known.as_bytes(), fingerprint.as_bytes());
        known.filter(equal).count() > 0
    }
}

impl KeyFingerprint {
    fn of(secret: &Secret, key: &[u8]) -> Self {
        let tag = crypto::hmac_sha256(secret.expose().as_bytes(), &[PURPOSE, key]);
        Self(Secret::from(&*hex::encode(tag)))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn each_configured_key_is_verified() {
        let masters = |keys: &[&str]| {
            let mut settings = Settings::default();
            settings.buckets.master_keys = keys.iter().map(|key| Secret::from(*key)).collect();
            MasterKeys::new(&AppState::new(settings).unwrap())
        };
        let keys = masters(&["one", "two"]);
        let is_valid = |key: &str| keys.verify(key.as_bytes()).is_some();
        assert!(is_valid("one") && is_valid("two"));
        assert!(!is_valid("") && !is_valid("on") && !is_valid("onetwo"));
        assert!(masters(&[]).verify(b"").is_none());

        let fingerprint = keys.verify(b"one").unwrap();
        assert!(keys.is_current(fingerprint.as_str()));
        assert!(!keys.is_current("") && !keys.is_current("one"));
        // Each service without a configured secret generates its own.
        assert!(!masters(&["one"]).is_current(fingerprint.as_str()));
    }
}
