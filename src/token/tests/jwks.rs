//! Public keys as JWK Sets, and key names by thumbprint.

use jsonwebtoken::jwk::{JwkSet, ThumbprintHash};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use super::forge::*;
use crate::encoding::decode_base64url;
use crate::token::{Key, KeyringBuilder, KeyringError};
use crate::{Algorithm, Keyring};

/// The modulus of RFC 7638 section 3.1.
const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aP\
    FFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-\
    65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTW\
    hAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

/// The same key as a P-256 key of `tests/keys`, with a compressed point.
const COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACruVEjfnvq2rm9NDR0HiyN7bz/183
vovGxhWMqlLaI6E=
-----END PUBLIC KEY-----";

fn jwks(ring: KeyringBuilder) -> Value {
    let ring = ring.build().unwrap();
    serde_json::from_str(&ring.jwks()).unwrap()
}

fn previous(algorithm: Algorithm, key: Key) -> KeyringBuilder {
    Keyring::builder(algorithm).previous(key)
}

/// Decodes base64url behind the DER of what precedes it.
fn der_of(prefix: &[u8], text: &str, suffix: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; text.len()];
    let length = decode_base64url(text, &mut bytes).unwrap();
    [prefix, &bytes[..length], suffix].concat()
}

#[test]
fn keys_of_the_rfcs_have_the_thumbprints_of_the_rfcs() {
    let prefix = b"\x30\x82\x01\x0a\x02\x82\x01\x01\x00";
    let rsa = der_of(prefix, MODULUS, b"\x02\x03\x01\x00\x01");
    let expected = json!({ "keys": [{
        "kty": "RSA", "n": MODULUS, "e": "AQAB", "use": "sig", "alg": "RS256",
        "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    }] });
    assert_eq!(jwks(previous(Algorithm::Rs256, Key::der(rsa))), expected);

    // RFC 8037, appendix A.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let ed25519 = der_of(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", x, b"");
    let expected = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    }] });
    assert_eq!(
        jwks(previous(Algorithm::EdDsa, Key::der(ed25519))),
        expected
    );
}

#[test]
fn another_program_verifies_tokens_with_the_set() {
    for (algorithm, private) in [
        (Algorithm::Rs256, "rsa"),
        (Algorithm::Ps512, "rsa.pkcs1"),
        (Algorithm::Es256, "p256"),
        (Algorithm::Es384, "p384"),
        (Algorithm::EdDsa, "ed25519"),
    ] {
        let ring = Keyring::builder(algorithm).signing(Key::pem(pem(private)));
        let ring = ring.thumbprint_kids().build().unwrap();
        let token = sign(&ring);
        let header = jsonwebtoken::decode_header(&token).unwrap();
        let set: JwkSet = serde_json::from_str(&ring.jwks()).unwrap();
        let key = set.find(header.kid.as_deref().unwrap()).unwrap();
        let thumbprint = key.thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(key.common.key_id.as_ref(), Some(&thumbprint), "{algorithm}");
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        let decoding = DecodingKey::from_jwk(key).unwrap();
        let claims = jsonwebtoken::decode::<Value>(&token, &decoding, &validation);
        assert_eq!(claims.unwrap().claims["jti"], ID, "{algorithm}");
        assert_eq!(outcome(ring.verify(&token, at(NOW))), "ok");
    }
}

#[test]
fn a_set_has_every_public_key_and_nothing_else() {
    let ring = Keyring::builder(Algorithm::Es256)
        .signing(Key::pem(pem("p256")).kid("a \"b\""))
        .previous(Key::pem(COMPRESSED));
    let set = jwks(ring.clone());
    let [new, old] = &set["keys"].as_array().unwrap()[..] else {
        panic!("{set}");
    };
    let point = |key: &Value| [key["x"].clone(), key["y"].clone()];
    assert_eq!(new["kid"], "a \"b\"");
    assert_eq!(point(new), point(old), "the same key");
    for key in [new, old] {
        let mut names: Vec<_> = key.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }
    assert_eq!(keyring().jwks(), r#"{"keys":[]}"#, "no HMAC secret");
}

#[test]
fn only_key_pairs_without_a_name_get_their_thumbprint() {
    let pair = |key: Key| Keyring::builder(Algorithm::EdDsa).signing(key);
    let kid = |ring: KeyringBuilder| {
        let token = sign(&ring.build().unwrap());
        jsonwebtoken::decode_header(&token).unwrap().kid
    };
    let key = Key::pem(pem("ed25519"));
    assert_eq!(kid(pair(key.clone())), None);
    let thumbprint = kid(pair(key.clone()).thumbprint_kids()).unwrap();
    assert_eq!(thumbprint.len(), 43);
    let named = pair(key.clone().kid("named")).thumbprint_kids();
    assert_eq!(kid(named).as_deref(), Some("named"));
    let secret = Keyring::builder(Algorithm::Hs256).signing(Key::secret(SECRET));
    assert_eq!(kid(secret.thumbprint_kids()), None);
    let twice = pair(key).previous(Key::pem(pem("ed25519.pub")));
    let twice = twice.thumbprint_kids().build().err();
    assert_eq!(twice, Some(KeyringError::DuplicateKid));
}
