//! Master keys, which grant access to `/api-key` and the admin pages.

use crate::app_state::AppState;
use crate::crypto;
use crate::secret::Secret;

/// Domain separator: the same secret also derives other values.
const PURPOSE: &[u8] = b"sessiond master key";

/// Master keys of the configuration, stored as fingerprints.
pub(crate) struct MasterKeys {
    secret: Secret,
    fingerprints: Box<[Secret]>,
}

impl MasterKeys {
    pub(crate) fn new(app: &AppState) -> Self {
        let keys = &app.settings.buckets.master_keys;
        // With the previous secrets too, so that operators stay logged in after a rotation.
        let fingerprints = app.secrets.iter().flat_map(|secret| {
            let keys = keys.iter();
            keys.map(|key| fingerprint(secret, key.expose().as_bytes()))
        });
        Self {
            fingerprints: fingerprints.collect(),
            secret: app.secrets[0].clone(),
        }
    }

    /// Returns the fingerprint of `key` if it is a master key. The time taken depends only on the
    /// length of `key`.
    pub(crate) fn verify(&self, key: &[u8]) -> Option<Secret> {
        let fingerprint = fingerprint(&self.secret, key);
        self.is_current(fingerprint.expose()).then_some(fingerprint)
    }

    /// Returns whether the key with this fingerprint is still configured.
    pub(crate) fn is_current(&self, fingerprint: &str) -> bool {
        let equal = |known: &&Secret| known.equals(fingerprint.as_bytes());
        // `count` compares with every key, so that the time does not reveal which one matches.
        self.fingerprints.iter().filter(equal).count() > 0
    }
}

/// Returns the keyed hash of a master key.
///
/// The session of an operator stores it, so that the session ends when the key or the secret is
/// removed from the configuration. Without that secret, keys cannot be guessed from
/// it.
fn fingerprint(secret: &Secret, key: &[u8]) -> Secret {
    let tag = crypto::hmac_sha256(secret.expose().as_bytes(), &[PURPOSE, key]);
    Secret::from(&*hex::encode(tag))
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
        assert!(keys.is_current(fingerprint.expose()));
        assert!(!keys.is_current("") && !keys.is_current("one"));
        // Each service without a configured secret generates its own.
        assert!(!masters(&["one"]).is_current(fingerprint.expose()));
    }

    #[test]
    fn a_new_secret_logs_no_operator_out() {
        let masters = |secrets: [&str; 2]| {
            let mut settings = Settings::default();
            settings.buckets.master_keys = vec!["one".into(), "two".into()];
            settings.tokens.secret = Some(secrets[0].repeat(32).as_str().into());
            settings.tokens.previous_secrets = vec![secrets[1].repeat(32).as_str().into()];
            MasterKeys::new(&AppState::new(settings).unwrap())
        };
        let before = masters(["ab", "cd"]).verify(b"two").unwrap();
        assert!(masters(["ef", "ab"]).is_current(before.expose()));
        assert!(!masters(["ef", "gh"]).is_current(before.expose()));
    }
}
