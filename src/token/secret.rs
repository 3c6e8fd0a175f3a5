//! Checks of HMAC secrets.

use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::der::Outline;
use super::error::KeyringError;
use crate::encoding;

/// How many encodings around a key are undone: base64 of base64 of hexadecimal, for instance.
const MAX_LAYERS: usize = 3;

/// Checks a secret of an HMAC whose tags have `needed` bytes.
///
/// Rejects secrets that can be guessed, and keys in another format, which may be public
/// (CVE-2022-29217).
pub(super) fn check(
    algorithm: Algorithm,
    needed: usize,
    secret: &[u8],
    weak_allowed: bool,
) -> Result<(), KeyringError> {
    if is_key(secret, MAX_LAYERS) {
        return Err(KeyringError::KeyAsSecret);
    }
    let constant = secret.windows(2).all(|pair| pair[0] == pair[1]);
    let weak = secret.len() < needed || constant;
    if weak && (!weak_allowed || secret.is_empty()) {
        return Err(KeyringError::WeakSecret { algorithm, needed });
    }
    Ok(())
}

/// Returns whether `secret` is a key in PEM, DER, SSH or JWK, also in UTF-16, quotes, base64,
/// base64url or hexadecimal.
fn is_key(secret: &[u8], layers: usize) -> bool {
    let Some(start) = secret.iter().position(|&byte| !is_wrapping(byte)) else {
        return false;
    };
    // Only in front: the last byte of DER may be any.
    let secret = &secret[start..];
    let text = without_zeros(secret);
    if is_der(secret) || is_armoured(&text) || is_ssh(&text) || is_jwk(&text) {
        return true;
    }
    let Some(layers) = layers.checked_sub(1) else {
        return false;
    };
    let mut text = encoding::without_blanks(&text);
    text.retain(|&byte| !is_wrapping(byte));
    let decoded = [
        encoding::decode_secret(&text),
        encoding::decode_hex_secret(&text),
    ];
    decoded.iter().flatten().any(|bytes| is_key(bytes, layers))
}

/// Returns whether tools leave this byte around a key: blanks, quotes, byte order marks.
fn is_wrapping(byte: u8) -> bool {
    !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\'' | b'`')
}

/// Copies `bytes` without zeros, which makes ASCII text of UTF-16 in either byte order.
fn without_zeros(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(bytes.to_vec());
    text.retain(|&byte| byte != 0);
    text
}

/// Anywhere in the text, since tools write attributes in front of a key.
fn is_armoured(text: &[u8]) -> bool {
    let is_named = || contains(text, b" key") || contains(text, b" certificate");
    contains(text, b"-----begin")
        || contains(text, b"---- begin ")
        || contains(text, b"begin ") && is_named()
}

/// Returns whether this is a key in a text or binary format of SSH or PuTTY.
pub(super) fn is_ssh(text: &[u8]) -> bool {
    let prefixes = "ssh- ecdsa-sha2- sk-ssh- sk-ecdsa- PuTTY-User-Key-File";
    let mut prefixes = prefixes.split(' ');
    prefixes.any(|prefix| text.starts_with(prefix.as_bytes()))
}

/// Returns whether this contains a JWK (RFC 7517), alone, in a set or in an array.
pub(super) fn is_jwk(text: &[u8]) -> bool {
    // No parser: it would leave copies of the secret in memory.
    contains(text, b"\"kty\"") || contains(text, b"'kty'") || contains(text, b"\\\"kty\\\"")
}

/// Returns whether this is a key or certificate in DER, with nothing but blanks behind it.
fn is_der(bytes: &[u8]) -> bool {
    Outline::split(bytes).is_some_and(|(_, rest)| rest.trim_ascii().is_empty())
}

/// Compares without regard to case; `part` is in lower case.
fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
