//! Validates secrets.

use std::collections::{HashMap, HashSet};

use crate::secret::Secret;
use crate::settings::{Settings, SettingsErrors, TokenAlgorithm};

/// The longest secret that must consist of different parts throughout.
const LONG: usize = 64;

/// The secrets of one setting.
struct Group<'a> {
    setting: &'static str,
    secrets: &'a [Secret],
    min_len: usize,
    /// Secrets for the same purpose may be equal.
    purpose: &'static str,
    /// Whether clients send it in a header.
    is_sent: bool,
}

impl Settings {
    fn groups(&self) -> [Group<'_>; 6] {
        let signing = match self.tokens.algorithm {
            TokenAlgorithm::HS384 => 48,
            TokenAlgorithm::HS512 => 64,
            // With key pairs, the secret derives API keys only.
            _ => 32,
        };
        let token = |setting, secrets| Group {
            setting,
            secrets,
            min_len: signing,
            purpose: "tokens",
            is_sent: false,
        };
        let sent = |setting, secrets| Group {
            setting,
            secrets,
            min_len: Secret::MIN_LEN,
            purpose: setting,
            is_sent: true,
        };
        [
            token("tokens.secret", self.tokens.secret.as_slice()),
            token("tokens.previous_secrets", &self.tokens.previous_secrets),
            sent("buckets.master_keys", &self.buckets.master_keys),
            sent("rpc.secret", self.rpc.secret.as_slice()),
            sent("users.secret", self.users.secret.as_slice()),
            sent("introspection.secrets", &self.introspection.secrets),
        ]
    }

    /// Validates the secrets other than those of Redis, which has its own rules.
    pub(super) fn secrets(&self, errors: &mut SettingsErrors) {
        let mut known: HashMap<&str, &Group<'_>> = HashMap::new();
        let groups = self.groups();
        for (group, secret) in groups.iter().flat_map(|group| {
            let secrets = group.secrets.iter();
            secrets.map(move |secret| (group, secret.expose()))
        }) {
            let (setting, min_len) = (group.setting, group.min_len);
            let problem =
                format!("must be at least {min_len} bytes long; see `sessiond generate-secret`");
            errors.ensure(secret.len() >= min_len, setting, problem);
            let problem = "repeats itself and can be guessed; see `sessiond generate-secret`";
            errors.ensure(!is_repetitive(secret.as_bytes()), setting, problem);
            let problem = "begins or ends with a space, or has a control character; no client \
                           can send it in a header";
            errors.ensure(!group.is_sent || fits_header(secret), setting, problem);
            let first = *known.entry(secret).or_insert(group);
            let problem = format!(
                "is the same as `{}`, so a leak of one discloses both; \
                 see `sessiond generate-secret`",
                first.setting
            );
            errors.ensure(first.purpose == group.purpose, setting, problem);
        }
        let problem = "must be at most two";
        let previous = self.tokens.previous_secrets.len();
        errors.ensure(previous <= 2, "tokens.previous_secrets", problem);
    }
}

/// Returns whether a text consists of one pattern or a few: `aaaa…`, `abab…`,
/// `passwordpassword…`. In random text nearly all triples of bytes differ.
fn is_repetitive(secret: &[u8]) -> bool {
    let triples: HashSet<_> = secret.windows(3).collect();
    let expected = secret.len().min(LONG).saturating_sub(2);
    triples.len() * 3 < expected * 2
}

fn fits_header(secret: &str) -> bool {
    secret == secret.trim() && !secret.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_patterns_are_found_and_random_text_passes() {
        let with_end = "password".repeat(4) + "1";
        for pattern in ["a", "ab", "1234567890", "password", "0123456789abcdef"] {
            let secret = pattern.repeat(64 / pattern.len());
            assert!(is_repetitive(secret.as_bytes()), "{pattern}");
        }
        assert!(is_repetitive("0123456789abcdef".repeat(2).as_bytes()));
        assert!(is_repetitive(with_end.as_bytes()));
        assert!(!is_repetitive(b"correct horse battery staple, 17"));
        for _ in 0..1000 {
            let secret = Secret::random();
            let hex = hex::encode(&secret.expose()[..16]);
            let digits: String = secret
                .expose()
                .bytes()
                .map(|byte| byte % 10 + b'0')
                .map(char::from)
                .collect();
            for text in [
                secret.expose(),
                &secret.expose()[..32],
                &hex,
                &digits,
                &digits[..32],
            ] {
                assert!(!is_repetitive(text.as_bytes()), "{text}");
            }
        }
        let long = [(); 200]
            .map(|()| Secret::random().expose().to_owned())
            .concat();
        assert!(!is_repetitive(hex::encode(long).as_bytes()));
    }
}
