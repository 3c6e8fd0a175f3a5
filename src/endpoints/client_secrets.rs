//! Authentication of the programs that introspect tokens.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::crypto;
use crate::encoding;
use crate::error_debug::debug_with_message;
use crate::source::decode_form_text;

/// The length of the shortest secret, in bytes.
const MIN_LEN: usize = 32;

/// Secrets of the programs that may introspect tokens (RFC 7662 section 2.1).
///
/// A program sends one of them in one header: as `Authorization: Bearer …`, or as the password of
/// `Authorization: Basic …`, as plain text or form-encoded (RFC 6749 section 2.3.1). The client id
/// of Basic is not checked, and a secret in the body is not read. To replace a secret, accept the
/// old and the new one for a while.
///
/// Only hashes are kept, and compared in constant time. `Debug` prints how many there are.
///
/// ```
/// use jwt_redis_session::endpoints::{ClientSecrets, WeakClientSecret};
/// use jwt_redis_session::reexports::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
///
/// let secrets = ClientSecrets::new([
///     "Qm7x0dFhUZy3cWkVb2n8sLt5pRj9aGe1",
///     "the next one of 32 bytes or more",
/// ])?;
/// let mut headers = HeaderMap::new();
/// let sent = HeaderValue::from_static("Bearer Qm7x0dFhUZy3cWkVb2n8sLt5pRj9aGe1");
/// headers.insert(AUTHORIZATION, sent);
/// assert!(secrets.authenticate(&headers));
/// assert!(ClientSecrets::new(["short"]).is_err());
/// # Ok::<(), WeakClientSecret>(())
/// ```
#[derive(Clone)]
pub struct ClientSecrets(Vec<[u8; 32]>);

impl ClientSecrets {
    /// Creates the set of these secrets. An empty set authenticates no request.
    ///
    /// # Errors
    ///
    /// [`WeakClientSecret`] if one has fewer than 32 bytes.
    pub fn new<S: AsRef<[u8]>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, WeakClientSecret> {
        let hash = |secret: S| {
            let secret = secret.as_ref();
            let is_long = secret.len() >= MIN_LEN;
            is_long
                .then(|| crypto::sha256(secret))
                .ok_or(WeakClientSecret(()))
        };
        secrets
            .into_iter()
            .map(hash)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns whether a request with these headers carries one of the secrets, and only one
    /// `Authorization` header.
    ///
    /// Takes the same time for each wrong secret of the same length.
    #[must_use]
    pub fn authenticate(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return false;
        };
        let line = line.as_bytes();
        let space = line.iter().position(|&byte| byte == b' ');
        let (scheme, sent) = line.split_at(space.unwrap_or(line.len()));
        let sent = sent.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            self.contains(sent)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            self.has_password(sent)
        } else {
            false
        }
    }

    /// Returns whether `sent`, a client id and a password in base64, has one of the secrets as
    /// password (RFC 7617).
    fn has_password(&self, sent: &[u8]) -> bool {
        let Some(pair) = encoding::decode_secret(sent) else {
            return false;
        };
        let Some(colon) = pair.iter().position(|&byte| byte == b':') else {
            return false;
        };
        let password = &pair[colon + 1..];
        // Only some clients form-encode, so both forms are compared.
        let decoded: Cow<'_, str> = decode_form_text(password);
        self.contains(password) | self.contains(decoded.as_bytes())
    }

    fn contains(&self, secret: &[u8]) -> bool {
        let hash = crypto::sha256(secret);
        let equal = self.0.iter().map(|known| crypto::equal(known, &hash));
        // All are compared, so that the time does not depend on which one is right.
        equal.fold(false, |found, equal| found | equal)
    }
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSecrets({})", self.0.len())
    }
}

/// Error returned for a client secret of fewer than 32 bytes.
///
/// See [`ClientSecrets`] for an example.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a client secret has fewer than 32 bytes; use random ones, \
     for instance from `openssl rand -base64 32`"
)]
pub struct WeakClientSecret(());

debug_with_message!(WeakClientSecret);

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// A secret with characters that change when form-encoded.
    const SECRET: &str = "Qm7x0dFhUZy3cWkVb2n8sLt5pRj9a+/=%41";

    fn authenticate(secrets: &ClientSecrets, lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        secrets.authenticate(&headers)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", encoding::base64(pair.as_bytes()))
    }

    #[test]
    fn one_header_carries_a_secret() {
        let secrets = ClientSecrets::new([SECRET, &"next".repeat(8)]).unwrap();
        let bearer = &*format!("Bearer {SECRET}");
        let encoded = SECRET.replace('%', "%25").replace('+', "%2B");
        let encoded = encoded.replace('/', "%2F").replace('=', "%3D");
        for lines in [
            &[bearer][..],
            &[&bearer.replace("Bearer ", "bEARER  ")],
            &[&*format!("Bearer {}", "next".repeat(8))],
            &[&*basic(&format!("gateway:{SECRET}"))],
            &[&*basic(&format!(":{SECRET}"))],
            &[&*basic(&format!("gateway:{encoded}"))],
            &[&*basic(&format!("gateway:{SECRET}")).replace("Basic", "basic")],
        ] {
            assert!(authenticate(&secrets, lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[SECRET],
            &["Bearer"],
            &["Bearer "],
            &["Basic"],
            &["Basic !"],
            &[bearer, bearer],
            &[&*format!("{bearer}x")],
            &[&bearer[..bearer.len() - 1]],
            &[&bearer.replace("Bearer", "Token")],
            &[&*format!("Bearer {encoded}")],
            &[&*basic(SECRET)],
            &[&*basic(&format!("{SECRET}:"))],
            &[&*basic(&format!("a:b:{SECRET}"))],
        ] {
            assert!(!authenticate(&secrets, lines), "{lines:?}");
            let none = ClientSecrets::new([""; 0]).unwrap();
            assert!(!authenticate(&none, lines), "{lines:?}");
        }
    }

    #[test]
    fn short_secrets_are_rejected_and_none_is_printed() {
        assert!(ClientSecrets::new(["x".repeat(31)]).is_err());
        let secrets = ClientSecrets::new(["x".repeat(32)]).unwrap();
        assert_eq!(format!("{secrets:?}"), "ClientSecrets(1)");
    }
}
