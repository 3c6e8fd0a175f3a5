//! Which HMAC secrets a key ring accepts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::forge::*;
use crate::token::{Key, KeyringError};
use crate::{Algorithm, Keyring, encoding};

fn error(secret: &[u8]) -> Option<KeyringError> {
    weak(Algorithm::Hs256, secret).err()
}

#[test]
fn guessable_secrets_are_weak() {
    let long: Vec<u8> = (0..64).collect();
    for (algorithm, needed) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        let error = Some(KeyringError::WeakSecret { algorithm, needed });
        assert_eq!(Keyring::hmac(algorithm, &long[..needed]).err(), None);
        for secret in [&long[..needed - 1], &[b'a'; 100], b"abc123", b""] {
            let previous = Keyring::builder(algorithm).previous(Key::secret(secret));
            assert_eq!(Keyring::hmac(algorithm, secret).err(), error);
            assert_eq!(previous.build().err(), error);
        }
        let allowed = weak(algorithm, b"abc123").unwrap();
        let verified = allowed.verify(&sign(&allowed), at(NOW));
        assert_eq!(outcome(verified), "ok");
        assert_eq!(weak(algorithm, b"").err(), error);
    }
}

/// The key between blanks, and encodings of it that environment variables hold.
fn spellings(key: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let blanks = [&b""[..], b" \t\r\n", b"\n\n\xef\xbb\xbf\n"];
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let hex = encoding::hex(key);
    let twice = STANDARD.encode(STANDARD.encode(key));
    let texts = engines.map(|engine| engine.encode(key)).into_iter();
    texts
        .chain([hex.to_uppercase(), hex, twice])
        .flat_map(|text| [format!("\"{text}\"\n"), format!(" '{text}'"), text])
        .map(String::into_bytes)
        .chain(blanks.map(|blanks| [blanks, key, b"\n"].concat()))
}

#[test]
fn keys_are_not_secrets_even_if_weak_ones_are_allowed() {
    let public = pem("p256.pub");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| public.encode_utf16().flat_map(bytes).collect();
    let (little, big): (Vec<u8>, Vec<u8>) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let body: Vec<&str> = public.lines().skip(1).take(2).collect();
    let keys: [&[u8]; 24] = [
        &pem("rsa.pub").into_bytes(),
        &pem("ed25519").into_bytes(),
        &pem("p256.cert").into_bytes(),
        &pem("rsa.pkcs1.pub").into_bytes(),
        &der(&pem("rsa.pub")),
        &der(&pem("ed25519")),
        &der(&pem("p256.cert")),
        &public.to_lowercase().into_bytes(),
        &public.replace('-', "").into_bytes(),
        &public.replace('\n', "\\n").into_bytes(),
        &body.concat().into_bytes(),
        &body.join("\\n").into_bytes(),
        &little,
        &big,
        &[&b"\xff\xfe"[..], &little].concat(),
        &[&b"\xfe\xff"[..], &big].concat(),
        b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA",
        b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC me@host",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@host",
        b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY me@host",
        b"\0\0\0\x0bssh-ed25519\0\0\0\x20 and the rest of it",
        br#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#,
        br#"[{"kty":"EC","crv":"P-256"}]"#,
        br#"{\"kty\":\"oct\",\"k\":\"AAAA\"}"#,
    ];
    for secret in keys.iter().copied().flat_map(spellings) {
        let printed = secret.escape_ascii();
        assert_eq!(error(&secret), Some(KeyringError::KeyAsSecret), "{printed}");
    }
}

#[test]
fn other_secrets_are_not_keys() {
    for secret in [
        &b"abc123"[..],
        b"-----",
        b"my ssh-key passphrase",
        b"0\x82",
        b"0\x80000000000000000000000000000000",
        b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        br#"{"secret":"of another kind"}"#,
        b"begin at the beginning",
        &[0; 16],
    ] {
        assert_eq!(error(secret), None, "{}", secret.escape_ascii());
    }
    for _ in 0..3000 {
        let mut secret = [0; 48];
        crate::crypto::fill_random(&mut secret);
        assert_eq!(error(&secret), None);
        assert_eq!(error(encoding::base64(&secret).as_bytes()), None);
        assert_eq!(error(encoding::hex(&secret).as_bytes()), None);
    }
}

#[test]
fn secrets_are_decoded_from_base64() {
    let bytes: Vec<u8> = (0x60..0x80).rev().chain(0xf0..=0xff).collect();
    let token = sign(&Keyring::hmac(Algorithm::Hs384, &bytes).unwrap());
    let text = STANDARD.encode(&bytes);
    for text in [
        format!("{text}\n"),
        text.replace('=', ""),
        text.replace('+', "-").replace('/', "_"),
    ] {
        let key = Key::secret_base64(&text);
        let decoded = Keyring::builder(Algorithm::Hs384).previous(key).build();
        let claims = decoded.unwrap().verify(&token, at(NOW));
        assert_eq!(outcome(claims), "ok", "{text}");
    }
    let weak = Keyring::hs256("").unwrap_err();
    for (text, expected) in [
        ("not base64!", KeyringError::InvalidBase64),
        ("AAAA AAAA", KeyringError::InvalidBase64),
        ("+_+_", KeyringError::InvalidBase64),
        ("A", KeyringError::InvalidBase64),
        ("-_9", KeyringError::InvalidBase64),
        (&STANDARD.encode(&bytes[..31]), weak),
        (&STANDARD.encode(pem("p256.pub")), KeyringError::KeyAsSecret),
    ] {
        let ring = Keyring::builder(Algorithm::Hs256).signing(Key::secret_base64(text));
        assert_eq!(ring.build().unwrap_err(), expected, "{text}");
    }
}
