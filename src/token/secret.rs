//! Is this fit to be an HMAC secret?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::der::is_key as is_der;
use super::error::KeyringError;
use crate::crypto::Hash;

/// Refuses secrets that can be guessed: shorter than the hash, or one byte repeated.
pub(super) fn check_strength(
    algorithm: Algorithm,
    hash: Hash,
    secret: &[u8],
) -> Result<(), KeyringError> {
    let needed = hash.len();
    let constant = secret.windows(2).all(|pair| pair[0] == pair[1]);
    if secret.len() < needed || constant {
        return Err(KeyringError::WeakSecret { algorithm, needed });
    }
    Ok(())
}

/// Refuses "secrets" that are keys in another format, and so perhaps known to everybody:
/// CVE-2022-29217 and its kin.
pub(super) fn check_not_a_key(secret: &[u8]) -> Result<(), KeyringError> {
    let text = after_blanks(secret);
    if is_armoured(text) || is_ssh(text) || is_der(text) || is_base64_der(text) || is_jwk(text) {
        return Err(KeyringError::KeyAsSecret);
    }
    Ok(())
}

fn after_blanks(secret: &[u8]) -> &[u8] {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    // Only in front: the last byte of a DER may look like a blank.
    let text = secret.trim_ascii_start();
    text.strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(text)
        .trim_ascii_start()
}

/// Anywhere, since tools write attributes before the first line.
fn is_armoured(text: &[u8]) -> bool {
    const MARK: &[u8] = b"---- BEGIN ";
    const PEM_MARK: &[u8] = b"-----BEGIN";
    text.windows(MARK.len()).any(|window| window == MARK)
        || text
            .windows(PEM_MARK.len())
            .any(|window| window == PEM_MARK)
}

fn is_ssh(text: &[u8]) -> bool {
    [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"]
        .iter()
        .any(|mark| text.starts_with(mark))
}

/// A PEM whose first and last line were cut off.
fn is_base64_der(text: &[u8]) -> bool {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    text.starts_with(b"M") && STANDARD.decode(text).is_ok_and(|der| is_der(&der))
}

/// A JWK or a JWK set (RFC 7517).
fn is_jwk(text: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(text)
        .is_ok_and(|object| object.contains_key("kty") || object.contains_key("keys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_guessable_secrets_are_weak() {
        let strong: Vec<u8> = (0..64).collect();
        for (algorithm, hash, needed) in [
            (Algorithm::Hs256, Hash::Sha256, 32),
            (Algorithm::Hs384, Hash::Sha384, 48),
            (Algorithm::Hs512, Hash::Sha512, 64),
        ] {
            let weak = Err(KeyringError::WeakSecret { algorithm, needed });
            assert_eq!(check_strength(algorithm, hash, &strong[..needed]), Ok(()));
            assert_eq!(check_strength(algorithm, hash, &strong[..needed - 1]), weak);
            assert_eq!(check_strength(algorithm, hash, &[b'a'; 100]), weak);
            assert_eq!(check_strength(algorithm, hash, b"abc123"), weak);
            assert_eq!(check_strength(algorithm, hash, b""), weak);
        }
    }

    #[test]
    fn r2_keys_are_not_secrets() {
        let pem = include_str!("../../tests/keys/rsa.pub.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let spki = STANDARD.decode(&body).unwrap();
        let private = include_str!("../../tests/keys/ed25519.pem");
        let pkcs8 = STANDARD.decode(private.lines().nth(1).unwrap()).unwrap();
        let texts = [
            pem,
            private,
            include_str!("../../tests/keys/rsa.pkcs1.pub.pem"),
            include_str!("../../tests/keys/p256.pub.pem"),
            include_str!("../../tests/keys/p256.cert.pem"),
            body.as_str(),
            "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA",
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC me@host",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@host",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY me@host",
            r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
            r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#,
        ];
        let keys = texts
            .iter()
            .map(|text| text.as_bytes())
            .chain([&spki[..], &pkcs8[..]]);
        for key in keys {
            for blanks in [&b""[..], b" \t\r\n", b"\n\n\xef\xbb\xbf\n"] {
                let secret = [blanks, key, b"\n"].concat();
                assert!(
                    check_not_a_key(&secret).is_err(),
                    "{blanks:?} {}",
                    key.len()
                );
            }
        }
    }

    #[test]
    fn ordinary_secrets_are_no_keys() {
        for secret in [
            &b"abc123"[..],
            b"",
            b"-----",
            b"my ssh-key passphrase",
            b"0\x82",
            b"0\x80000000000000000000000000000000",
            b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            br#"{"secret":"of another kind"}"#,
        ] {
            assert_eq!(check_not_a_key(secret), Ok(()));
        }
    }
}
