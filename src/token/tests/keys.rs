//! Which keys make a ring, and what a ring of several does: R1, R2, R13.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm as Jwa, EncodingKey};

use super::forge::*;
use crate::{
    Algorithm, Keyring, KeyringError, NewClaims, SessionId, SigningKey, Token, TokenRejection,
    VerifyingKey,
};

const RSA: &str = include_str!("../../../tests/keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("../../../tests/keys/rsa.pkcs1.pem");
const RSA_PUBLIC: &str = include_str!("../../../tests/keys/rsa.pub.pem");
const RSA_PKCS1_PUBLIC: &str = include_str!("../../../tests/keys/rsa.pkcs1.pub.pem");
const RSA_1024: &str = include_str!("../../../tests/keys/rsa1024.pem");
const RSA_1024_PUBLIC: &str = include_str!("../../../tests/keys/rsa1024.pub.pem");
const P256: &str = include_str!("../../../tests/keys/p256.pem");
const P256_PUBLIC: &str = include_str!("../../../tests/keys/p256.pub.pem");
const P256_SEC1: &str = include_str!("../../../tests/keys/p256.sec1.pem");
const P256_CERTIFICATE: &str = include_str!("../../../tests/keys/p256.cert.pem");
const P384: &str = include_str!("../../../tests/keys/p384.pem");
const P384_PUBLIC: &str = include_str!("../../../tests/keys/p384.pub.pem");
const ED25519: &str = include_str!("../../../tests/keys/ed25519.pem");
const ED25519_PUBLIC: &str = include_str!("../../../tests/keys/ed25519.pub.pem");
const ED25519_OTHER: &str = include_str!("../../../tests/keys/ed25519.other.pem");

const PAIRS: [(Algorithm, &str, &str); 9] = [
    (Algorithm::Rs256, RSA, RSA_PUBLIC),
    (Algorithm::Rs384, RSA, RSA_PKCS1_PUBLIC),
    (Algorithm::Rs512, RSA_PKCS1, RSA_PUBLIC),
    (Algorithm::Ps256, RSA, RSA_PUBLIC),
    (Algorithm::Ps384, RSA_PKCS1, RSA_PKCS1_PUBLIC),
    (Algorithm::Ps512, RSA, RSA_PUBLIC),
    (Algorithm::Es256, P256, P256_PUBLIC),
    (Algorithm::Es384, P384, P384_PUBLIC),
    (Algorithm::EdDsa, ED25519, ED25519_PUBLIC),
];

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn signs_with(algorithm: Algorithm, key: SigningKey) -> Result<Keyring, KeyringError> {
    Keyring::builder(algorithm).signing(key).build()
}

fn verifies_with(algorithm: Algorithm, key: VerifyingKey) -> Result<Keyring, KeyringError> {
    Keyring::builder(algorithm).previous(key).build()
}

fn sign(keyring: &Keyring) -> Token {
    let id = SessionId::parse(ID).unwrap();
    keyring.sign(&id, &NewClaims::at(NOW)).unwrap()
}

fn refusal(keyring: &Keyring, token: &Token) -> Option<TokenRejection> {
    keyring.verify(token.as_str(), at(NOW)).err()
}

#[test]
fn a_private_key_alone_signs_and_verifies_in_every_algorithm() {
    for (algorithm, private, public) in PAIRS {
        for key in [SigningKey::pem(private), SigningKey::der(der(private))] {
            let keyring = signs_with(algorithm, key).unwrap();
            let token = sign(&keyring);
            assert_eq!(refusal(&keyring, &token), None, "{algorithm}");
            for key in [VerifyingKey::pem(public), VerifyingKey::der(der(public))] {
                let elsewhere = verifies_with(algorithm, key).unwrap();
                assert_eq!(refusal(&elsewhere, &token), None, "{algorithm}");
                let refused = elsewhere.sign(&SessionId::random(), &NewClaims::at(NOW));
                assert_eq!(refused, Err(crate::TokenError::NoSigningKey));
            }
        }
    }
}

#[test]
fn a_flipped_bit_or_a_foreign_key_is_a_bad_signature_in_every_algorithm() {
    for (algorithm, private, _) in PAIRS {
        let keyring = signs_with(algorithm, SigningKey::pem(private)).unwrap();
        let token = sign(&keyring).into_string();
        let start = token.rfind('.').unwrap() + 1;
        for index in [start, start + 20, token.len() - 3] {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let mutated = Token::new(String::from_utf8(bytes).unwrap());
            assert_eq!(
                refusal(&keyring, &mutated),
                Some(TokenRejection::Signature),
                "{algorithm}"
            );
        }
        let short = Token::new(&token[..start]);
        assert_eq!(
            refusal(&keyring, &short),
            Some(TokenRejection::Signature),
            "{algorithm}"
        );
    }
    let ours = signs_with(Algorithm::EdDsa, SigningKey::pem(ED25519)).unwrap();
    let theirs = signs_with(Algorithm::EdDsa, SigningKey::pem(ED25519_OTHER)).unwrap();
    assert_eq!(
        refusal(&ours, &sign(&theirs)),
        Some(TokenRejection::Signature)
    );
}

#[test]
fn r1_weak_secrets_make_no_ring() {
    let needed = |algorithm, needed| KeyringError::WeakSecret { algorithm, needed };
    let long = [SECRET, OTHER].concat();
    for (algorithm, length) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        assert!(Keyring::hmac(algorithm, &long[..length]).is_ok());
        let weak = [&long[..length - 1], b"", b"abc123", &[7; 100]];
        for secret in weak {
            let error = Keyring::hmac(algorithm, secret).unwrap_err();
            assert_eq!(error, needed(algorithm, length));
            let previous = verifies_with(algorithm, VerifyingKey::secret(secret)).unwrap_err();
            assert_eq!(previous, needed(algorithm, length));
        }
        let allowed = Keyring::hmac_allowing_weak_secret_for_npm(algorithm, "abc123").unwrap();
        assert_eq!(refusal(&allowed, &sign(&allowed)), None);
        let empty = Keyring::hmac_allowing_weak_secret_for_npm(algorithm, "").unwrap_err();
        assert_eq!(empty, needed(algorithm, length));
    }
    let npm = VerifyingKey::secret("abc123").allowing_weak_secret_for_npm();
    let moved = Keyring::builder(Algorithm::Hs256)
        .signing(SigningKey::secret(SECRET))
        .previous(npm);
    assert!(moved.build().is_ok());
}

#[test]
fn r2_a_key_is_no_secret_even_if_weak_ones_are_allowed() {
    for text in [
        RSA,
        RSA_PUBLIC,
        P256_PUBLIC,
        P256_CERTIFICATE,
        ED25519_PUBLIC,
    ] {
        for secret in [
            text.as_bytes().to_vec(),
            der(text),
            format!("\n {text}").into(),
        ] {
            let strict = Keyring::hs256(&secret).unwrap_err();
            assert_eq!(strict, KeyringError::KeyAsSecret);
            let lax = Keyring::hmac_allowing_weak_secret_for_npm(Algorithm::Hs512, &secret);
            assert_eq!(lax.unwrap_err(), KeyringError::KeyAsSecret);
        }
    }
}

#[test]
fn r2_a_public_key_is_no_hmac_secret_for_an_attacker() {
    let keyring = verifies_with(Algorithm::Rs256, VerifyingKey::pem(RSA_PUBLIC)).unwrap();
    let key = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    for (name, reason) in [
        ("HS256", TokenRejection::Algorithm),
        ("RS256", TokenRejection::Signature),
    ] {
        let header = HEADER.replace("HS256", name);
        let token = Token::new(forge_with(Jwa::HS256, &key, header, CLAIMS));
        assert_eq!(refusal(&keyring, &token), Some(reason));
    }
}

#[test]
fn keys_of_the_wrong_kind_make_no_ring() {
    use Algorithm::{EdDsa, Es256, Es384, Hs256, Ps256, Rs256};
    for (algorithm, pem) in [
        (Rs256, P256),
        (Rs256, RSA_PUBLIC),
        (Rs256, RSA_PKCS1_PUBLIC),
        (Rs256, RSA_1024),
        (Ps256, ED25519),
        (Es256, P384),
        (Es256, P256_PUBLIC),
        (Es256, P256_SEC1),
        (Es256, P256_CERTIFICATE),
        (Es384, P256),
        (EdDsa, P256),
        (EdDsa, "no PEM at all"),
        (EdDsa, ""),
    ] {
        let case = format!("{algorithm} {}", pem.lines().next().unwrap_or_default());
        assert!(
            signs_with(algorithm, SigningKey::pem(pem)).is_err(),
            "{case}"
        );
        let raw = der_or_text(pem);
        assert!(
            signs_with(algorithm, SigningKey::der(raw)).is_err(),
            "{case}"
        );
    }
    for (algorithm, pem) in [
        (Rs256, P256_PUBLIC),
        (Rs256, RSA),
        (Rs256, RSA_PKCS1),
        (Rs256, RSA_1024_PUBLIC),
        (Es256, P384_PUBLIC),
        (Es256, P256),
        (Es256, P256_CERTIFICATE),
        (Es384, P256_PUBLIC),
        (EdDsa, P256_PUBLIC),
        (EdDsa, ED25519),
    ] {
        let case = format!("{algorithm} {}", pem.lines().next().unwrap_or_default());
        let by_pem = verifies_with(algorithm, VerifyingKey::pem(pem)).unwrap_err();
        assert_eq!(by_pem, KeyringError::InvalidKey(algorithm), "{case}");
        let by_der = verifies_with(algorithm, VerifyingKey::der(der(pem))).unwrap_err();
        assert_eq!(by_der, KeyringError::InvalidKey(algorithm), "{case}");
    }
    let wrong_kind = |result: Result<Keyring, _>, algorithm| {
        assert_eq!(result.unwrap_err(), KeyringError::WrongKind(algorithm));
    };
    wrong_kind(signs_with(Rs256, SigningKey::secret(SECRET)), Rs256);
    wrong_kind(Keyring::hmac(EdDsa, SECRET), EdDsa);
    wrong_kind(signs_with(Hs256, SigningKey::pem(RSA)), Hs256);
    wrong_kind(verifies_with(Hs256, VerifyingKey::der(SECRET)), Hs256);
}

fn der_or_text(pem: &str) -> Vec<u8> {
    if pem.starts_with('-') {
        der(pem)
    } else {
        pem.into()
    }
}

#[test]
fn r13_tokens_of_previous_keys_are_accepted_and_of_removed_ones_are_not() {
    let secrets: [[u8; 32]; 4] =
        std::array::from_fn(|n| std::array::from_fn(|i| (n * 64 + i) as u8));
    let alone = secrets.map(|secret| Keyring::hs256(secret).unwrap());
    let ring = Keyring::builder(Algorithm::Hs256)
        .signing(SigningKey::secret(secrets[3]))
        .previous(VerifyingKey::secret(secrets[2]))
        .previous(VerifyingKey::secret(secrets[1]))
        .build()
        .unwrap();
    for keyring in &alone[1..] {
        assert_eq!(refusal(&ring, &sign(keyring)), None);
    }
    assert_eq!(
        refusal(&ring, &sign(&alone[0])),
        Some(TokenRejection::Signature)
    );
    assert_eq!(
        refusal(&alone[3], &sign(&ring)),
        None,
        "signs with the current key"
    );
    assert_eq!(
        refusal(&alone[2], &sign(&ring)),
        Some(TokenRejection::Signature)
    );
}

#[test]
fn r13_kid_picks_the_key_of_exactly_that_name() {
    let ring = Keyring::builder(Algorithm::Hs256)
        .signing(SigningKey::secret(SECRET).kid("new"))
        .previous(VerifyingKey::secret(OTHER).kid("old"))
        .build()
        .unwrap();
    let minted = sign(&ring);
    assert_eq!(refusal(&ring, &minted), None);
    let (new, old) = (
        EncodingKey::from_secret(SECRET),
        EncodingKey::from_secret(OTHER),
    );
    for (kid, key, expected) in [
        (r#","kid":"new""#, &new, None),
        (r#","kid":"old""#, &old, None),
        (r#","kid":"old","x":1"#, &old, None),
        (r#","kid":"\u006fld""#, &old, None),
        ("", &new, None),
        ("", &old, None),
        (r#","kid":"new""#, &old, Some(TokenRejection::Signature)),
        (r#","kid":"old""#, &new, Some(TokenRejection::Signature)),
        (
            r#","kid":"old","x":1"#,
            &new,
            Some(TokenRejection::Signature),
        ),
        (r#","kid":"New""#, &new, Some(TokenRejection::HeaderParam)),
        (r#","kid":"new ""#, &new, Some(TokenRejection::HeaderParam)),
        (r#","kid":"""#, &new, Some(TokenRejection::HeaderParam)),
        (
            r#","kid":"unknown""#,
            &new,
            Some(TokenRejection::HeaderParam),
        ),
        (r#","kid":null"#, &new, Some(TokenRejection::HeaderParam)),
        (r#","kid":["new"]"#, &new, Some(TokenRejection::HeaderParam)),
        (r#","kid":5"#, &new, Some(TokenRejection::HeaderParam)),
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":"JWT"{kid}}}"#);
        let token = Token::new(forge_with(Jwa::HS256, key, header, CLAIMS));
        assert_eq!(refusal(&ring, &token), expected, "{kid}");
    }
    for kid in [r#""any""#, "null", "5"] {
        let header = format!(r#"{{"alg":"HS256","kid":{kid}}}"#);
        assert!(
            verify_header(&header).is_ok(),
            "a ring without names ignores {kid}"
        );
    }
}

#[test]
fn r13_rings_are_small_and_their_names_differ() {
    let key = |kid: &str| VerifyingKey::secret(SECRET).kid(kid);
    let ring = || Keyring::builder(Algorithm::Hs256).signing(SigningKey::secret(SECRET).kid("a"));
    for (builder, expected) in [
        (Keyring::builder(Algorithm::Hs256), KeyringError::NoKey),
        (ring().previous(key("a")), KeyringError::DuplicateKid),
        (ring().previous(key("")), KeyringError::InvalidKid),
        (
            ring().previous(key(&"k".repeat(129))),
            KeyringError::InvalidKid,
        ),
        (
            ring()
                .previous(key("b"))
                .previous(key("c"))
                .previous(key("d")),
            KeyringError::TooManyKeys,
        ),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
}

#[test]
fn r13_nothing_prints_a_secret() {
    let secret = "correct horse battery staple, 36 b!!";
    let builder = Keyring::builder(Algorithm::Hs256)
        .signing(SigningKey::secret(secret).kid("private name"))
        .previous(VerifyingKey::secret(secret));
    let printed = format!("{builder:?}");
    let keyring = builder
        .build()
        .unwrap()
        .issuer("issuer")
        .audience("audience");
    let printed = format!("{printed} {keyring:?} {keyring:#?}");
    let bytes = format!("{:?}", secret.as_bytes());
    for leak in [secret, "horse", bytes.trim_matches(['[', ']'])] {
        assert!(!printed.contains(leak), "{printed}");
    }
    let weak = "weak horse";
    let error = Keyring::hs256(weak).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("horse"));
}
