//! The content of signed tokens.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::forge::*;
use crate::token::numeric_date::NumericDate;
use crate::token::{NewClaims, SigningKey, TokenError};
use crate::{Algorithm, Keyring, SessionId};

fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("not an object")
    };
    object
}

fn decoded(keyring: &Keyring, claims: &NewClaims<'_>) -> [String; 2] {
    let token = keyring.sign(&id(), claims).unwrap();
    let mut parts = token.as_str().split('.');
    [(); 2].map(|()| {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        String::from_utf8(part).unwrap()
    })
}

#[test]
fn a_plain_token_is_byte_for_byte_that_of_npm() {
    let token = keyring().sign(&id(), &NewClaims::at(at(NOW))).unwrap();
    assert_eq!(token.as_str(), forge(HEADER, CLAIMS));
    // npm jsonwebtoken 9: jwt.sign({jti, iat: 1700000000}, 'abc123')
    let npm = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiIwYjU0ZGQ1Yy0xYjFmLTRhM2MtOWY1Ny02ZjRmMGMwZDlhMTEiLCJpYXQiOjE3MDAwMDAwMDB9.oJ3oH9ril3n5PNPY1sa6TnRmFklM9ogvYefdfA4W4T0";
    let ring = Keyring::hmac_allowing_weak_secret_for_npm(Algorithm::Hs256, "abc123").unwrap();
    assert_eq!(
        ring.sign(&id(), &NewClaims::at(at(NOW))).unwrap().as_str(),
        npm
    );
    assert_eq!(ring.verify(npm, at(NOW)).unwrap().id(), &id());
}

#[test]
fn claims_stand_in_one_order() {
    let keyring = keyring().issuer("i").audience("a");
    let custom = object(json!({"x": 1, "nbf": 5}));
    let claims = NewClaims::at(at(NOW))
        .subject("me \"&\"")
        .expires_at(at(NOW + 1))
        .custom(&custom);
    let [header, payload] = decoded(&keyring, &claims);
    assert_eq!(header, HEADER);
    let own = format!(
        r#"{{"jti":"{ID}","iat":1700000000,"sub":"me \"&\"","exp":1700000001,"iss":"i","aud":"a","#
    );
    assert!(payload.starts_with(&own), "{payload}");

    let named = Keyring::builder(Algorithm::Hs256)
        .signing(SigningKey::secret(SECRET).kid("a\"b"))
        .build()
        .unwrap();
    let [header, _] = decoded(&named, &claims);
    assert_eq!(header, r#"{"alg":"HS256","typ":"JWT","kid":"a\"b"}"#);
}

#[test]
fn what_is_signed_comes_back() {
    let custom = object(json!({"aud": ["x"], "iss": "y", "nbf": 1.5, "role": {"a": [1, null]}}));
    let claims = NewClaims::at(at(NOW))
        .subject("ä")
        .expires_at(at(NOW + 60))
        .custom(&custom);
    let token = keyring().sign(&id(), &claims).unwrap();
    let verified = keyring().verify(token.as_str(), at(NOW)).unwrap();
    assert_eq!(verified.id(), &id());
    assert_eq!(verified.subject().as_deref(), Some("ä"));
    assert_eq!(verified.issued_at(), Some(at(NOW)));
    assert_eq!(verified.expires_at(), Some(at(NOW + 60)));
    assert_eq!(verified.get("role"), Ok(Some(json!({"a": [1, null]}))));
    assert_eq!(verified.get::<String>("missing"), Ok(None));
    assert!(verified.get::<String>("role").is_err());
    assert_eq!(verified.custom(), Ok(custom.clone()));
    let printed = format!("{verified:?} {claims:?} {token:?}");
    assert!(
        !printed.contains(ID) && !printed.contains("role"),
        "{printed}"
    );
}

#[test]
fn custom_claims_survive_a_rotation_without_those_of_the_session() {
    let keyring = keyring().issuer("i").audience("a");
    let custom = object(json!({"role": "admin", "nbf": 1}));
    let claims = NewClaims::at(at(NOW))
        .subject("s")
        .expires_at(at(NOW + 1))
        .custom(&custom);
    let token = keyring.sign(&id(), &claims).unwrap();
    let verified = keyring.verify(token.as_str(), at(NOW)).unwrap();
    let carried = verified.custom().unwrap();
    assert_eq!(carried, custom);
    assert!(
        keyring
            .sign(&id(), &NewClaims::at(at(NOW)).custom(&carried))
            .is_ok()
    );
}

#[test]
fn r12_custom_claims_cannot_speak_for_the_session() {
    let configured = keyring().issuer("i").audience("a");
    let refusal = |keyring: &Keyring, name: &str| {
        let custom = object(json!({"x": 1, name: "chosen-by-attacker"}));
        keyring
            .sign(&id(), &NewClaims::at(at(NOW)).custom(&custom))
            .err()
    };
    for name in ["jti", "iat", "sub", "exp"] {
        for keyring in [&keyring(), &configured] {
            assert_eq!(
                refusal(keyring, name),
                Some(TokenError::ReservedClaim(name))
            );
        }
    }
    for name in ["iss", "aud"] {
        assert_eq!(
            refusal(&configured, name),
            Some(TokenError::ReservedClaim(name))
        );
        assert_eq!(refusal(&keyring(), name), None);
    }
    assert_eq!(
        refusal(&keyring(), "nbf"),
        Some(TokenError::InvalidClaim("nbf"))
    );
}

#[test]
fn no_token_is_made_that_would_be_refused() {
    let sign = |claims: &NewClaims<'_>| keyring().sign(&id(), claims).err();
    for time in [
        at(-1),
        at(NumericDate::MAX_SECONDS + 1),
        UNIX_EPOCH - Duration::from_millis(1),
    ] {
        assert_eq!(sign(&NewClaims::at(time)), Some(TokenError::Time));
        let expiring = NewClaims::at(at(NOW)).expires_at(time);
        assert_eq!(sign(&expiring), Some(TokenError::Time));
    }
    let fraction = at(NOW) + Duration::from_millis(999);
    let token = keyring().sign(&id(), &NewClaims::at(fraction).expires_at(fraction));
    let claims = keyring()
        .verify(token.unwrap().as_str(), at(NOW - 1))
        .unwrap();
    assert_eq!(claims.issued_at(), Some(at(NOW)), "rounded down");
    assert_eq!(claims.expires_at(), Some(at(NOW)), "rounded down");
    let long = "x".repeat(8192);
    assert_eq!(
        sign(&NewClaims::at(at(NOW)).subject(&long)),
        Some(TokenError::TooLong)
    );
}
