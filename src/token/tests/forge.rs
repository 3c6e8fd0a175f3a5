//! Forges tokens that a key ring never signs, with the signers of `jsonwebtoken`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as Jwa, EncodingKey};

use crate::{Claims, Keyring, TokenRejection};

pub(super) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(super) const OTHER: &[u8] = b"fedcba9876543210fedcba9876543210";
pub(super) const ID: &str = "0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
pub(super) const NOW: i64 = 1_700_000_000;
pub(super) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(super) const CLAIMS: &str =
    r#"{"jti":"0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11","iat":1700000000}"#;

pub(super) fn keyring() -> Keyring {
    Keyring::hs256(SECRET).unwrap()
}

pub(super) fn at(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    }
}

/// Signs any bytes as header and payload under the HS256 secret of [`keyring`].
pub(super) fn forge(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    forge_with(
        Jwa::HS256,
        &EncodingKey::from_secret(SECRET),
        header,
        payload,
    )
}

pub(super) fn forge_with(
    algorithm: Jwa,
    key: &EncodingKey,
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    let header = URL_SAFE_NO_PAD.encode(header);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    seal(algorithm, key, &format!("{header}.{payload}"))
}

/// Signs text that is header and payload already.
pub(super) fn seal(algorithm: Jwa, key: &EncodingKey, message: &str) -> String {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).unwrap();
    let signature = signer.try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The session id with these claims after it.
pub(super) fn with_claims(more: &str) -> String {
    format!(r#"{{"jti":"{ID}",{more}}}"#)
}

pub(super) fn verify(token: &str) -> Result<Claims, TokenRejection> {
    keyring().verify(token, at(NOW))
}

/// Verifies a correctly signed token with this header.
pub(super) fn verify_header(header: &str) -> Result<Claims, TokenRejection> {
    verify(&forge(header, CLAIMS))
}

/// Verifies a correctly signed token with this payload.
pub(super) fn verify_payload(payload: impl AsRef<[u8]>) -> Result<Claims, TokenRejection> {
    verify(&forge(HEADER, payload))
}

#[track_caller]
pub(super) fn assert_refused(
    result: Result<Claims, TokenRejection>,
    reason: TokenRejection,
    case: &str,
) {
    assert_eq!(result.err(), Some(reason), "{case}");
}
