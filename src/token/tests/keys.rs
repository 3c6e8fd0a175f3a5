//! Which keys a key ring accepts, and key rings of several keys: R1, R2, R13.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, Validation};

use super::forge::*;
use crate::token::{KeyProblem, KeyringError, NewClaims, SigningKey, TokenError, VerifyingKey};
use crate::{Algorithm, Keyring, SessionId, Token, TokenRejection};

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
const P521: &str = include_str!("../../../tests/keys/p521.pem");
const SECP256K1: &str = include_str!("../../../tests/keys/secp256k1.pem");
const RSA_PSS: &str = include_str!("../../../tests/keys/rsa-pss.pem");
const ENCRYPTED: &str = include_str!("../../../tests/keys/p256.encrypted.pem");
const LEGACY_ENCRYPTED: &str = include_str!("../../../tests/keys/rsa.legacy-encrypted.pem");
const OPENSSH: &str = include_str!("../../../tests/keys/ed25519.openssh.pem");
const OPENSSH_PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILsOXXSR4le+qx/RoIf5WaAufIZzycey4GASmsmWwDcj";
const JWK: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
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
    keyring.sign(&id, &NewClaims::at(at(NOW))).unwrap()
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
                let refused = elsewhere.sign(&SessionId::random(), &NewClaims::at(at(NOW)));
                assert_eq!(refused, Err(TokenError::NoSigningKey));
            }
        }
    }
}

/// The other implementation signs what is accepted here, and accepts what is signed here.
#[test]
fn tokens_are_exchanged_with_jsonwebtoken_in_every_algorithm() {
    for (algorithm, private, public) in PAIRS {
        let jwa: Jwa = algorithm.as_str().parse().unwrap();
        let (encoding, decoding) = match algorithm.as_str().as_bytes()[0] {
            b'R' | b'P' => (
                EncodingKey::from_rsa_pem(private.as_bytes()),
                DecodingKey::from_rsa_pem(public.as_bytes()),
            ),
            b'E' if algorithm != Algorithm::EdDsa => (
                EncodingKey::from_ec_pem(private.as_bytes()),
                DecodingKey::from_ec_pem(public.as_bytes()),
            ),
            _ => (
                EncodingKey::from_ed_pem(private.as_bytes()),
                DecodingKey::from_ed_pem(public.as_bytes()),
            ),
        };
        let keyring = signs_with(algorithm, SigningKey::pem(private)).unwrap();
        let header = HEADER.replace("HS256", algorithm.as_str());
        let theirs = forge_with(jwa, &encoding.unwrap(), header, CLAIMS);
        assert_eq!(refusal(&keyring, &Token::new(theirs)), None, "{algorithm}");
        let mut validation = Validation::new(jwa);
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<serde_json::Value>(
            sign(&keyring).as_str(),
            &decoding.unwrap(),
            &validation,
        );
        assert_eq!(claims.unwrap().claims["jti"], ID, "{algorithm}");
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

#[track_caller]
fn assert_problem(result: Result<Keyring, KeyringError>, problem: KeyProblem, case: &str) {
    match result {
        Err(KeyringError::InvalidKey { problem: found, .. }) => {
            assert_eq!(found, problem, "{case}");
        }
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn errors_of_signing_keys_name_what_was_found() {
    use Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
    for (algorithm, pem, problem) in [
        (Rs256, P256, KeyProblem::Curve("P-256")),
        (Rs256, RSA_PUBLIC, KeyProblem::Public),
        (Rs256, RSA_PKCS1_PUBLIC, KeyProblem::Public),
        (Rs256, RSA_1024, KeyProblem::RsaSize(1024)),
        (Rs256, RSA_PSS, KeyProblem::RsaPss),
        (Ps256, RSA_PSS, KeyProblem::RsaPss),
        (Ps256, ED25519, KeyProblem::Kind("an Ed25519")),
        (Es256, RSA, KeyProblem::Kind("an RSA")),
        (Es256, RSA_PKCS1, KeyProblem::Kind("an RSA")),
        (Es256, P384, KeyProblem::Curve("P-384")),
        (Es256, P521, KeyProblem::Curve("P-521")),
        (Es256, SECP256K1, KeyProblem::Curve("secp256k1")),
        (Es256, P256_PUBLIC, KeyProblem::Public),
        (Es256, P256_SEC1, KeyProblem::Sec1),
        (Es256, P256_CERTIFICATE, KeyProblem::Certificate),
        (Es256, ENCRYPTED, KeyProblem::Encrypted),
        (Es384, P256, KeyProblem::Curve("P-256")),
        (EdDsa, P256, KeyProblem::Curve("P-256")),
    ] {
        let case = format!("{algorithm} {}", pem.lines().next().unwrap_or_default());
        assert_problem(signs_with(algorithm, SigningKey::pem(pem)), problem, &case);
        let der = signs_with(algorithm, SigningKey::der(der(pem)));
        assert_problem(der, problem, &case);
    }
}

#[test]
fn errors_name_text_that_is_not_a_key() {
    let sec1 =
        ["EC PARAMETERS", "EC PRIVATE KEY"].map(|label| P256_SEC1.replace("EC PRIVATE KEY", label));
    for (text, problem) in [
        (LEGACY_ENCRYPTED, KeyProblem::LegacyEncrypted),
        (OPENSSH, KeyProblem::OpenSsh),
        (OPENSSH_PUBLIC, KeyProblem::OpenSsh),
        (JWK, KeyProblem::Jwk),
        (&sec1.concat(), KeyProblem::Sec1),
        (&format!("{ED25519}{ED25519_OTHER}"), KeyProblem::Blocks(2)),
        (&ED25519.replace("PRIVATE", "SECRET"), KeyProblem::Label),
        (
            &ED25519.replace("PRIVATE KEY", "PUBLIC KEY"),
            KeyProblem::Damaged,
        ),
        (&ED25519.replace("MC4C", "MC4D"), KeyProblem::Damaged),
        ("no PEM at all", KeyProblem::NoPem),
        ("", KeyProblem::NoPem),
    ] {
        let result = signs_with(Algorithm::EdDsa, SigningKey::pem(text));
        assert_problem(result, problem, text);
    }
}

#[test]
fn errors_name_bytes_that_are_not_a_key() {
    use Algorithm::{EdDsa, Es256};
    let text = signs_with(EdDsa, SigningKey::der(ED25519));
    assert_problem(text, KeyProblem::NoDer, "PEM as DER");
    let utf16: Vec<u8> = ED25519.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = signs_with(EdDsa, SigningKey::pem(utf16));
    assert_problem(utf16, KeyProblem::Utf16, "UTF-16");
    let mut zero = der(P256);
    let scalar = zero.windows(2).position(|pair| pair == [4, 32]).unwrap() + 2;
    zero[scalar..scalar + 32].fill(0);
    let zero = signs_with(Es256, SigningKey::der(zero));
    assert_problem(zero, KeyProblem::Invalid, "a scalar of zero");
}

#[test]
fn errors_of_verifying_keys_name_what_was_found() {
    use Algorithm::{EdDsa, Es256, Es384, Rs256};
    for (algorithm, pem, problem) in [
        (Rs256, P256_PUBLIC, KeyProblem::Curve("P-256")),
        (Rs256, RSA, KeyProblem::Private),
        (Rs256, RSA_PKCS1, KeyProblem::Private),
        (Rs256, RSA_1024_PUBLIC, KeyProblem::RsaSize(1024)),
        (Es256, P384_PUBLIC, KeyProblem::Curve("P-384")),
        (Es256, P256, KeyProblem::Private),
        (Es256, P256_CERTIFICATE, KeyProblem::Certificate),
        (Es384, P256_PUBLIC, KeyProblem::Curve("P-256")),
        (EdDsa, P256_PUBLIC, KeyProblem::Curve("P-256")),
        (EdDsa, ED25519, KeyProblem::Private),
    ] {
        let case = format!("{algorithm} {}", pem.lines().next().unwrap_or_default());
        let by_pem = verifies_with(algorithm, VerifyingKey::pem(pem));
        assert_problem(by_pem, problem, &case);
        let by_der = verifies_with(algorithm, VerifyingKey::der(der(pem)));
        assert_problem(by_der, problem, &case);
    }
    for text in [
        format!("{P256_PUBLIC}{P256_CERTIFICATE}"),
        format!("{P256_PUBLIC}{P256}"),
    ] {
        let several = verifies_with(Es256, VerifyingKey::pem(&text));
        assert_problem(several, KeyProblem::Blocks(2), &text);
    }
}

#[test]
fn a_certificate_is_refused_whatever_precedes_it() {
    for prefix in [
        "",
        "\n\n",
        "\u{feff}",
        "# comment\n",
        "Bag Attributes\n    localKeyID: 01\nsubject=CN = test\n",
        "\"",
    ] {
        for label in ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"] {
            let text = format!("{prefix}{P256_CERTIFICATE}").replace("CERTIFICATE", label);
            let result = verifies_with(Algorithm::Es256, VerifyingKey::pem(&text));
            assert_problem(result, KeyProblem::Certificate, &text);
        }
        let disguised = format!("{prefix}{P256_CERTIFICATE}").replace("CERTIFICATE", "PUBLIC KEY");
        let result = verifies_with(Algorithm::Es256, VerifyingKey::pem(&disguised));
        assert_problem(result, KeyProblem::Certificate, &disguised);
    }
}

#[test]
fn pem_is_read_as_environment_variables_hold_it() {
    for (algorithm, private, public) in PAIRS {
        let forms: [fn(&str) -> String; 6] = [
            |pem| pem.replace('\n', "\\n"),
            |pem| pem.replace('\n', "\r\n"),
            |pem| pem.replace('\n', "\\r\\n"),
            |pem| pem.replace('\n', " "),
            |pem| format!("\"{}\"", pem.replace('\n', "\\n")),
            |pem| format!("\u{feff}# the key\n{pem}"),
        ];
        for form in forms {
            let keyring = signs_with(algorithm, SigningKey::pem(form(private))).unwrap();
            let other = verifies_with(algorithm, VerifyingKey::pem(form(public))).unwrap();
            assert_eq!(refusal(&other, &sign(&keyring)), None, "{algorithm}");
        }
    }
}

#[test]
fn errors_say_what_to_do() {
    let error = signs_with(Algorithm::Es256, SigningKey::pem(P521)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "the key cannot be used for ES256, which takes an EC key on P-256: \
             it is an EC key on P-521"
        ),
        "{text}"
    );
}

#[test]
fn keys_of_the_wrong_kind_are_refused() {
    use Algorithm::{EdDsa, Hs256, Rs256};
    let wrong_kind = |result: Result<Keyring, _>, algorithm| {
        assert_eq!(result.unwrap_err(), KeyringError::WrongKind(algorithm));
    };
    wrong_kind(signs_with(Rs256, SigningKey::secret(SECRET)), Rs256);
    wrong_kind(signs_with(Rs256, SigningKey::secret_base64("AAAA")), Rs256);
    wrong_kind(Keyring::hmac(EdDsa, SECRET), EdDsa);
    wrong_kind(signs_with(Hs256, SigningKey::pem(RSA)), Hs256);
    wrong_kind(verifies_with(Hs256, VerifyingKey::der(SECRET)), Hs256);
}

#[test]
fn secrets_are_decoded_from_base64() {
    let bytes: Vec<u8> = (0x60..0x80).rev().chain(0xf0..=0xff).collect();
    let plain = Keyring::hmac(Algorithm::Hs384, &bytes).unwrap();
    let text = STANDARD.encode(&bytes);
    for text in [
        text.clone(),
        format!("{text}\n"),
        text.replace('=', ""),
        text.replace('+', "-").replace('/', "_"),
    ] {
        let key = VerifyingKey::secret_base64(&text);
        let decoded = verifies_with(Algorithm::Hs384, key).unwrap();
        assert_eq!(refusal(&decoded, &sign(&plain)), None, "{text}");
    }
    let refused = |text: &str| signs_with(Algorithm::Hs256, SigningKey::secret_base64(text)).err();
    for bad in ["not base64!", "AAAA AAAA", "+_+_", "A"] {
        assert_eq!(refused(bad), Some(KeyringError::InvalidBase64), "{bad}");
    }
    let short = STANDARD.encode(&bytes[..31]);
    let weak = refused(&short).unwrap();
    assert!(matches!(weak, KeyringError::WeakSecret { needed: 32, .. }));
    assert_eq!(
        refused(&STANDARD.encode(P256_PUBLIC)),
        Some(KeyringError::KeyAsSecret)
    );
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
    let signature = Some(TokenRejection::Signature);
    let header_param = Some(TokenRejection::HeaderParam);
    for (kid, key, expected) in [
        (r#","kid":"new""#, &new, None),
        (r#","kid":"old""#, &old, None),
        (r#","kid":"old","x":1"#, &old, None),
        (r#","kid":"\u006fld""#, &old, None),
        ("", &new, None),
        ("", &old, None),
        (r#","kid":"new""#, &old, signature),
        (r#","kid":"old""#, &new, signature),
        (r#","kid":"old","x":1"#, &new, signature),
        (r#","kid":"New""#, &new, header_param),
        (r#","kid":"new ""#, &new, header_param),
        (r#","kid":"""#, &new, header_param),
        (r#","kid":"unknown""#, &new, header_param),
        (r#","kid":null"#, &new, header_param),
        (r#","kid":["new"]"#, &new, header_param),
        (r#","kid":5"#, &new, header_param),
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":"JWT"{kid}}}"#);
        let token = Token::new(forge_with(Jwa::HS256, key, header, CLAIMS));
        assert_eq!(refusal(&ring, &token), expected, "{kid}");
    }
}

#[test]
fn r13_kid_is_ignored_if_no_key_has_a_name() {
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
