//! Fixtures: tokens that a key ring never signs.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{Scheme, SigningKey};
use crate::token::{Key, KeyringError, NewClaims};
use crate::{Algorithm, Claims, Keyring, SessionId, TokenRejection, clock, encoding};

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

/// A key ring of a secret that may be weak.
pub(super) fn weak(algorithm: Algorithm, secret: &[u8]) -> Result<Keyring, KeyringError> {
    let key = Key::secret(secret).allowing_weak_secret_for_npm();
    Keyring::builder(algorithm).signing(key).build()
}

pub(super) fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

pub(super) fn at(seconds: i64) -> SystemTime {
    clock::from_unix_seconds(seconds).unwrap()
}

pub(super) fn sign(keyring: &Keyring) -> String {
    let token = keyring.sign(&id(), &NewClaims::at(at(NOW)));
    token.unwrap().into_string()
}

/// Signs any bytes as header and payload with the secret of [`keyring`].
pub(super) fn forge(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    forge_with(SECRET, header, payload)
}

pub(super) fn forge_with(
    secret: &[u8],
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    let [header, payload] = [header.as_ref(), payload.as_ref()].map(encoding::base64url);
    sign_encoded(secret, &format!("{header}.{payload}"))
}

/// Signs text that is already encoded.
pub(super) fn sign_encoded(secret: &[u8], message: &str) -> String {
    let key = SigningKey::new(Scheme::HS256, secret).unwrap();
    let tag = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", encoding::base64url(tag))
}

/// The text of `tests/keys/{name}.pem`.
pub(super) fn pem(name: &str) -> String {
    let path = format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The bytes in a PEM text.
pub(super) fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// A payload with the session id and these claims after it.
pub(super) fn with_claims(more: &str) -> String {
    format!(r#"{{"jti":"{ID}",{more}}}"#)
}

pub(super) fn verify(token: &str) -> Result<Claims, TokenRejection> {
    keyring().verify(token, at(NOW))
}

/// Verifies a correctly signed token with this payload.
pub(super) fn verify_payload(payload: impl AsRef<[u8]>) -> Result<Claims, TokenRejection> {
    verify(&forge(HEADER, payload))
}

/// Returns `ok` or the reason, as the tables write it.
pub(super) fn outcome(result: Result<Claims, TokenRejection>) -> &'static str {
    result.map_or_else(|reason| reason.as_str(), |_| "ok")
}

/// Rows of a table: `outcome | case`, or `outcome | template | values`.
///
/// A template is one case for each of its values, which replaces `$V`. `$ID` is [`ID`].
pub(super) fn rows(table: &str) -> impl Iterator<Item = (&str, String)> {
    table.trim().lines().flat_map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let (template, values) = match columns[1..] {
            [template, values] => (template, values.split_whitespace().collect()),
            _ => (columns[1], vec![""]),
        };
        values.into_iter().map(move |value| {
            let case = template.replace("$V", value).replace("$ID", ID);
            (columns[0], case)
        })
    })
}
