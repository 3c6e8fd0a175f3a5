//! Accepted and rejected keys, and key rings of several keys.

use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, Validation};
use serde_json::Value;

use super::forge::*;
use crate::token::{Key, KeyringError, NewClaims, TokenError};
use crate::{Algorithm, Keyring};

/// Algorithms with the names of a private and a public key.
const PAIRS: [(Algorithm, &str, &str); 9] = [
    (Algorithm::Rs256, "rsa", "rsa.pub"),
    (Algorithm::Rs384, "rsa", "rsa.pkcs1.pub"),
    (Algorithm::Rs512, "rsa.pkcs1", "rsa.pub"),
    (Algorithm::Ps256, "rsa", "rsa.pub"),
    (Algorithm::Ps384, "rsa.pkcs1", "rsa.pkcs1.pub"),
    (Algorithm::Ps512, "rsa", "rsa.pub"),
    (Algorithm::Es256, "p256", "p256.pub"),
    (Algorithm::Es384, "p384", "p384.pub"),
    (Algorithm::EdDsa, "ed25519", "ed25519.pub"),
];

/// Unsuitable keys: the expected problem, how the key is used, the algorithm, and the name of the
/// key. Each one is read as PEM and as DER.
const PROBLEMS: &str = r#"
Invalid       | signing/$V  | RS256/p256 RS256/rsa-pss PS256/rsa-pss PS256/ed25519
Invalid       | signing/$V  | ES256/rsa ES256/rsa.pkcs1 ES256/p384 ES256/p521 ES256/secp256k1
Invalid       | signing/$V  | ES384/p256 EdDSA/p256 EdDSA/rsa
RsaSize(1024) | signing/$V  | RS256/rsa1024 PS256/rsa1024
Public        | signing/$V  | RS256/rsa.pub RS256/rsa.pkcs1.pub ES256/p256.pub
Sec1          | signing/$V  | ES256/p256.sec1
Certificate   | signing/$V  | ES256/p256.cert
Encrypted     | signing/$V  | ES256/p256.encrypted
Invalid       | previous/$V | RS256/p256.pub ES256/p384.pub ES256/ed25519.pub ES256/rsa.pub
Invalid       | previous/$V | ES384/p256.pub EdDSA/p256.pub EdDSA/rsa.pkcs1.pub
RsaSize(1024) | previous/$V | RS256/rsa1024.pub PS256/rsa1024.pub
Private       | previous/$V | RS256/rsa RS256/rsa.pkcs1 ES256/p256 EdDSA/ed25519
Certificate   | previous/$V | ES256/p256.cert
"#;

/// Headers of tokens signed by the old or the new of two named keys, with the expected result.
const KIDS: &str = r#"
ok           | new ,"kid":"new"
ok           | old
ok           | old $V           | ,"kid":"old" ,"kid":"old","x":1 ,"kid":"\u006fld" ,"x":1
signature    | old ,"kid":"new"
signature    | new $V           | ,"kid":"old" ,"kid":"old","x":1
header_param | new ,"kid":$V    | "New" "new\u0020" "" "unknown" null ["new"] 5
"#;

fn signing(algorithm: Algorithm, key: Key) -> Result<Keyring, KeyringError> {
    Keyring::builder(algorithm).signing(key).build()
}

fn verifying(algorithm: Algorithm, key: Key) -> Result<Keyring, KeyringError> {
    Keyring::builder(algorithm).previous(key).build()
}

fn problem(result: Result<Keyring, KeyringError>) -> String {
    match result {
        Err(KeyringError::InvalidKey { problem, .. }) => format!("{problem:?}"),
        other => panic!("{other:?}"),
    }
}

fn accepts(keyring: &Keyring, token: &str) -> &'static str {
    outcome(keyring.verify(token, at(NOW)))
}

#[test]
fn private_key_signs_and_public_key_verifies() {
    for (algorithm, private, public) in PAIRS {
        let (private, public) = (pem(private), pem(public));
        for key in [Key::der(der(&private)), Key::pem(&private)] {
            let keyring = signing(algorithm, key).unwrap();
            let token = sign(&keyring);
            assert_eq!(accepts(&keyring, &token), "ok", "{algorithm}");
            for key in [Key::pem(&public), Key::der(der(&public))] {
                let elsewhere = verifying(algorithm, key).unwrap();
                assert_eq!(accepts(&elsewhere, &token), "ok", "{algorithm}");
                let error = elsewhere.sign(&id(), &NewClaims::at(at(NOW)));
                assert_eq!(error, Err(TokenError::NoSigningKey));
                // Key confusion (CVE-2015-9235): signed with the public key as an HMAC secret.
                let forged = forge_with(public.as_bytes(), HEADER, CLAIMS);
                assert_eq!(accepts(&elsewhere, &forged), "algorithm");
            }
            exchange_with_jsonwebtoken(&keyring, algorithm, &private, &public);
        }
    }
}

type Parse<K> = fn(&[u8]) -> jsonwebtoken::errors::Result<K>;

fn exchange_with_jsonwebtoken(ring: &Keyring, algorithm: Algorithm, private: &str, public: &str) {
    let (private, public) = (private.as_bytes(), public.as_bytes());
    let (encoding, decoding): (Parse<EncodingKey>, Parse<DecodingKey>) = match algorithm {
        Algorithm::EdDsa => (EncodingKey::from_ed_pem, DecodingKey::from_ed_pem),
        Algorithm::Es256 | Algorithm::Es384 => (EncodingKey::from_ec_pem, DecodingKey::from_ec_pem),
        _ => (EncodingKey::from_rsa_pem, DecodingKey::from_rsa_pem),
    };
    let (encoding, decoding) = (encoding(private).unwrap(), decoding(public).unwrap());
    let jwa: Jwa = algorithm.as_str().parse().unwrap();
    let claims: Value = serde_json::from_str(CLAIMS).unwrap();
    let header = jsonwebtoken::Header::new(jwa);
    let theirs = jsonwebtoken::encode(&header, &claims, &encoding).unwrap();
    assert_eq!(accepts(ring, &theirs), "ok", "{algorithm}");
    let mut validation = Validation::new(jwa);
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Value>(sign(ring), &decoding, &validation);
    assert_eq!(claims.unwrap().claims["jti"], ID, "{algorithm}");
}

#[test]
fn changed_or_foreign_signatures_are_rejected() {
    for (algorithm, private, _) in PAIRS {
        let keyring = signing(algorithm, Key::pem(pem(private))).unwrap();
        let token = sign(&keyring);
        let start = token.rfind('.').unwrap() + 1;
        let changed = [start, start + 20, token.len() - 3].map(|at| {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            [&token[..at], other, &token[at + 1..]].concat()
        });
        for text in changed.iter().map(|text| &**text).chain([&token[..start]]) {
            assert_eq!(accepts(&keyring, text), "signature", "{algorithm}");
        }
    }
    let ring = |name| signing(Algorithm::EdDsa, Key::pem(pem(name))).unwrap();
    let foreign = sign(&ring("ed25519.other"));
    assert_eq!(accepts(&ring("ed25519"), &foreign), "signature");
}

#[test]
fn unsuitable_keys_are_rejected_with_their_problem() {
    for (expected, case) in rows(PROBLEMS) {
        let [usage, algorithm, name] = case.split('/').collect::<Vec<_>>()[..] else {
            panic!("{case}");
        };
        let pem = pem(name);
        for key in [Key::der(der(&pem)), Key::pem(&pem)] {
            let algorithm = algorithm.parse().unwrap();
            let result = match usage {
                "signing" => signing(algorithm, key),
                _ => verifying(algorithm, key),
            };
            assert_eq!(problem(result), expected, "{case}");
        }
    }
}

#[test]
fn unreadable_pem_is_rejected_with_its_problem() {
    let key = pem("ed25519");
    let parameters = pem("p256.sec1").replace("EC PRIVATE KEY", "EC PARAMETERS");
    let certificate = |label: &str| pem("p256.cert").replace("CERTIFICATE", label);
    for (text, expected) in [
        ("", "NoPem"),
        ("no PEM at all", "NoPem"),
        ("-----END PRIVATE KEY-----", "NoPem"),
        (&parameters, "NoPem"),
        (&format!("{parameters}{}", pem("p256.sec1")), "Sec1"),
        (&certificate("TRUSTED CERTIFICATE"), "Certificate"),
        (&certificate("PUBLIC KEY"), "Certificate"),
        (
            &format!("\u{feff}subject\n{}", pem("p256.cert")),
            "Certificate",
        ),
        (&pem("rsa.legacy-encrypted"), "Encrypted"),
        (&pem("ed25519.openssh"), "OpenSsh"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "OpenSsh"),
        (r#"{"kty":"OKP","x":"11qYAYKxCrfVS"}"#, "Jwk"),
        ("-\0-\0-\0", "Utf16"),
        (&key.repeat(2), "Blocks(2)"),
        (&format!("{key}{}{key}", pem("p256.cert")), "Blocks(3)"),
        (&key.replace("PRIVATE", "SECRET"), "Label"),
        (&key.replace("PRIVATE KEY", "PUBLIC KEY"), "Damaged"),
        (&key.replace("END PRIVATE", "END PUBLIC"), "Damaged"),
        (&key.replace("END", "BEGIN"), "Damaged"),
        (&key.replace("MC4C", "MC4D"), "Damaged"),
        (&key.replace("MC4C", "MC4*"), "Damaged"),
        (key.trim_end().trim_end_matches('-'), "Damaged"),
        ("-----BEGIN PRIVATE KEY", "Damaged"),
    ] {
        let result = signing(Algorithm::EdDsa, Key::pem(text));
        assert_eq!(problem(result), expected, "{text}");
    }
}

#[test]
fn unreadable_der_is_rejected_with_its_problem() {
    let key = pem("ed25519");
    let mut zero = der(&pem("p256"));
    let scalar = zero.windows(2).position(|pair| pair == [4, 32]).unwrap() + 2;
    zero[scalar..scalar + 32].fill(0);
    for (bytes, expected) in [
        (&zero[..], "Invalid"),
        (&[&der(&key)[..], b"\n"].concat(), "NoDer"),
        (key.as_bytes(), "NoDer"),
        (b"", "NoDer"),
        (b"\x30\x84\xff\xff\xff\xff\x00", "NoDer"),
        (b"\x30\x80\x00\x00", "NoDer"),
        (b"\x30\x81\x06\x02\x01\x01\x04\x01\x03", "Sec1"),
    ] {
        let result = signing(Algorithm::Es256, Key::der(bytes));
        assert_eq!(problem(result), expected, "{bytes:?}");
    }
}

#[test]
fn pem_with_line_breaks_changed_by_an_environment_variable_is_read() {
    let keyring = signing(Algorithm::Rs256, Key::pem(pem("rsa"))).unwrap();
    for line_break in ["\\n", "\r\n", "\\r\\n", " ", ""] {
        for prefix in ["", "\"", "\u{feff}# the key\n---------- "] {
            let text = prefix.to_owned() + &pem("rsa.pub").replace('\n', line_break) + prefix;
            let other = verifying(Algorithm::Rs256, Key::pem(&text)).unwrap();
            assert_eq!(accepts(&other, &sign(&keyring)), "ok", "{text}");
        }
    }
}

#[test]
fn secrets_and_key_pairs_are_not_interchangeable() {
    use Algorithm::{EdDsa, Hs256, Rs256};
    for (result, algorithm) in [
        (signing(Rs256, Key::secret(SECRET)), Rs256),
        (signing(Rs256, Key::secret_base64("AAAA")), Rs256),
        (Keyring::hmac(EdDsa, SECRET), EdDsa),
        (signing(Hs256, Key::pem(pem("rsa"))), Hs256),
        (verifying(Hs256, Key::der(SECRET)), Hs256),
    ] {
        assert_eq!(result.unwrap_err(), KeyringError::WrongKind(algorithm));
    }
}

#[test]
fn previous_keys_are_accepted_and_removed_ones_are_not() {
    let secret = |n: u8| [n, 255].repeat(16);
    let alone = [0, 1, 2, 3].map(|n| Keyring::hs256(secret(n)).unwrap());
    let ring = Keyring::builder(Algorithm::Hs256)
        .signing(Key::secret(secret(3)))
        .previous(Key::secret(secret(2)))
        .previous(Key::secret(secret(1)));
    let ring = ring.build().unwrap();
    let accepted = alone.each_ref().map(|old| accepts(&ring, &sign(old)));
    assert_eq!(accepted, ["signature", "ok", "ok", "ok"]);
    for (n, expected) in [(2, "signature"), (3, "ok")] {
        assert_eq!(accepts(&alone[n], &sign(&ring)), expected);
    }
}

#[test]
fn kid_selects_the_key_of_exactly_that_name() {
    let ring = Keyring::builder(Algorithm::Hs256)
        .signing(Key::secret(SECRET).kid("new"))
        .previous(Key::secret(OTHER).kid("old"));
    let ring = ring.build().unwrap();
    assert_eq!(accepts(&ring, &sign(&ring)), "ok");
    for (expected, case) in rows(KIDS) {
        let (key, kid) = case.split_at(3);
        let (key, kid) = (if key == "new" { SECRET } else { OTHER }, kid.trim_start());
        let header = format!(r#"{{"alg":"HS256","typ":"JWT"{kid}}}"#);
        let token = forge_with(key, header, CLAIMS);
        assert_eq!(accepts(&ring, &token), expected, "{case}");
    }
}

#[test]
fn rings_have_one_to_three_keys_with_different_names() {
    let key = |kid: &str| Key::secret(SECRET).kid(kid);
    let ring = || Keyring::builder(Algorithm::Hs256).signing(key("a"));
    let four = ring().previous(key("b")).previous(key("c"));
    assert!(four.clone().build().is_ok());
    let long = key(&"k".repeat(129));
    for (builder, expected) in [
        (Keyring::builder(Algorithm::Hs256), KeyringError::NoKey),
        (ring().previous(key("a")), KeyringError::DuplicateKid),
        (ring().previous(key("")), KeyringError::InvalidKid),
        (ring().previous(long), KeyringError::InvalidKid),
        (four.previous(key("d")), KeyringError::TooManyKeys),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
}

#[test]
fn no_secret_is_printed() {
    let secret = "correct horse battery staple, 36 b!!";
    let builder = Keyring::builder(Algorithm::Hs256).signing(Key::secret(secret).kid("name"));
    let keyring = builder.clone().build().unwrap().issuer("i").audience("a");
    let weak = Keyring::hs256("weak horse").unwrap_err();
    let printed = format!("{builder:?} {keyring:?} {weak} {weak:?}");
    let bytes = format!("{:?}", secret.as_bytes());
    for leak in ["horse", bytes.trim_matches(['[', ']'])] {
        assert!(!printed.contains(leak), "{printed}");
    }
}
