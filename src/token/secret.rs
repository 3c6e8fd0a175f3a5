//! Checks of HMAC secrets.

use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::der::Form;
use super::error::KeyringError;
use crate::crypto::Hash;
use crate::encoding;

/// How many encodings around a key are undone: quoted base64 of UTF-16 text, for instance.
const MAX_LAYERS: usize = 3;

/// Rejects secrets that can be guessed: shorter than the hash, or one byte repeated.
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

/// Rejects secrets that are keys in another format, which may be public: CVE-2022-29217 and its
/// relatives.
///
/// Recognises PEM, DER, SSH and JWK, also in UTF-16, quotes, base64, base64url or hexadecimal.
pub(super) fn check_not_a_key(secret: &[u8]) -> Result<(), KeyringError> {
    if is_key(secret, MAX_LAYERS) {
        return Err(KeyringError::KeyAsSecret);
    }
    Ok(())
}

fn is_key(secret: &[u8], layers: usize) -> bool {
    let text = without_prefix(secret);
    if is_armoured(text) || is_ssh(text) || is_jwk(text) || is_der(text) {
        return true;
    }
    let Some(layers) = layers.checked_sub(1) else {
        return false;
    };
    if let Some(narrow) = from_utf16(text) {
        return is_key(&narrow, layers);
    }
    let text = encoding::without_blanks(text);
    let text = without_quotes(&text);
    [
        encoding::decode_secret(text),
        encoding::decode_hex_secret(text),
    ]
    .into_iter()
    .flatten()
    .any(|decoded| !decoded.is_empty() && is_key(&decoded, layers))
}

/// Removes blanks, quotes and a byte order mark in front.
///
/// Only in front: the last byte of DER may look like a blank.
fn without_prefix(secret: &[u8]) -> &[u8] {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let mut text = secret;
    loop {
        let shorter = text.trim_ascii_start();
        let shorter = shorter.strip_prefix(BYTE_ORDER_MARK).unwrap_or(shorter);
        let shorter = match shorter {
            [b'"' | b'\'' | b'`', rest @ ..] => rest,
            text => text,
        };
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

fn without_quotes(text: &[u8]) -> &[u8] {
    match text {
        [rest @ .., b'"' | b'\'' | b'`'] => rest,
        text => text,
    }
}

/// Anywhere in the text, since tools write attributes in front of a key.
fn is_armoured(text: &[u8]) -> bool {
    contains(text, b"-----begin") || contains(text, b"---- begin ") || {
        contains(text, b"begin ") && (contains(text, b" key") || contains(text, b" certificate"))
    }
}

/// Returns whether this is a key in a text or binary format of SSH or PuTTY.
pub(super) fn is_ssh(text: &[u8]) -> bool {
    let text = match text {
        // The binary form starts with the length of the name.
        [0, 0, 0, _, rest @ ..] => rest,
        text => text,
    };
    [
        &b"ssh-"[..],
        b"ecdsa-sha2-",
        b"sk-ssh-",
        b"sk-ecdsa-",
        b"PuTTY-User-Key-File",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
}

/// Returns whether this contains a JWK (RFC 7517), alone, in a set or in an array.
///
/// No parser: it would leave copies of the secret in memory.
pub(super) fn is_jwk(text: &[u8]) -> bool {
    contains(text, b"\"kty\"") || contains(text, b"'kty'") || contains(text, b"\\\"kty\\\"")
}

/// Returns whether this is a key or certificate in DER, with nothing but blanks behind it.
fn is_der(bytes: &[u8]) -> bool {
    Form::split(bytes).is_some_and(|(_, rest)| rest.trim_ascii().is_empty())
}

/// Returns the ASCII characters of UTF-16 text of either byte order; `None` for other bytes.
fn from_utf16(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = match text {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => rest,
        text => text,
    };
    let (pairs, _) = text.as_chunks::<2>();
    let little = pairs.iter().all(|pair| pair[1] == 0);
    let big = pairs.iter().all(|pair| pair[0] == 0);
    if pairs.is_empty() || !(little || big) {
        return None;
    }
    let mut narrow = Zeroizing::new(Vec::with_capacity(pairs.len()));
    narrow.extend(pairs.iter().map(|pair| pair[usize::from(big)]));
    Some(narrow)
}

/// Compares without regard to case; `mark` is in lower case.
fn contains(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len())
        .any(|window| window.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

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

    /// Encodings of a key that environments use.
    fn encodings(key: &[u8]) -> impl Iterator<Item = Vec<u8>> + use<> {
        [
            STANDARD.encode(key),
            STANDARD_NO_PAD.encode(key),
            URL_SAFE.encode(key),
            URL_SAFE_NO_PAD.encode(key),
            encoding::hex(key),
            encoding::hex(key).to_uppercase(),
            STANDARD.encode(STANDARD.encode(key)),
        ]
        .into_iter()
        .flat_map(|text| [format!("\"{text}\"\n"), format!(" '{text}'"), text])
        .map(String::into_bytes)
    }

    #[test]
    fn disguised_keys_are_not_secrets() {
        let pem = include_str!("../../tests/keys/p256.pub.pem");
        let body: Vec<&str> = pem.lines().skip(1).take(2).collect();
        let spki = STANDARD.decode(body.concat()).unwrap();
        let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_be: Vec<u8> = pem.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let disguised = [
            pem.as_bytes().to_vec(),
            pem.to_lowercase().into(),
            pem.replace('-', "").into(),
            pem.replace('\n', "\\n").into(),
            body.concat().into(),
            body.join("\\n").into(),
            spki,
            [&b"\xff\xfe"[..], &utf16].concat(),
            [&b"\xfe\xff"[..], &utf16_be].concat(),
            utf16,
            utf16_be,
            br#"[{"kty":"EC","crv":"P-256"}]"#.to_vec(),
            b"\0\0\0\x0bssh-ed25519\0\0\0\x20 and the rest of it".to_vec(),
        ];
        for key in disguised {
            for secret in encodings(&key).chain([key]) {
                let printed = String::from_utf8_lossy(&secret);
                assert!(check_not_a_key(&secret).is_err(), "{printed}");
            }
        }
    }

    #[test]
    fn random_secrets_are_not_keys() {
        for _ in 0..10_000 {
            let mut secret = [0; 48];
            crate::crypto::fill_random(&mut secret);
            assert_eq!(check_not_a_key(&secret), Ok(()));
            assert_eq!(
                check_not_a_key(encoding::base64(&secret).as_bytes()),
                Ok(())
            );
            assert_eq!(check_not_a_key(encoding::hex(&secret).as_bytes()), Ok(()));
        }
    }

    #[test]
    fn ordinary_secrets_are_not_keys() {
        for secret in [
            &b"abc123"[..],
            b"",
            b"-----",
            b"my ssh-key passphrase",
            b"0\x82",
            b"0\x80000000000000000000000000000000",
            b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            br#"{"secret":"of another kind"}"#,
            b"begin at the beginning",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(check_not_a_key(secret), Ok(()));
        }
    }
}
