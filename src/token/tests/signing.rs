//! The content of signed tokens.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::forge::*;
use crate::token::numeric_date::NumericDate;
use crate::token::{Key, NewClaims, TokenError};
use crate::{Algorithm, Keyring};

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Header and payload of a new token.
fn decoded(keyring: &Keyring, claims: &NewClaims<'_>) -> [String; 2] {
    let token = keyring.sign(&id(), claims).unwrap();
    let mut parts = token.as_str().split('.');
    [(); 2].map(|()| {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        String::from_utf8(part).unwrap()
    })
}

#[test]
fn plain_token_is_byte_for_byte_that_of_npm() {
    assert_eq!(sign(&keyring()).as_str(), forge(HEADER, CLAIMS));
    // npm jsonwebtoken 9: jwt.sign({jti, iat: 1700000000}, 'abc123')
    let npm = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiIwYjU0ZGQ1Yy0xYjFmLTRhM2MtOWY1Ny02ZjRmMGMwZDlhMTEiLCJpYXQiOjE3MDAwMDAwMDB9.oJ3oH9ril3n5PNPY1sa6TnRmFklM9ogvYefdfA4W4T0";
    let ring = weak(Algorithm::Hs256, b"abc123").unwrap();
    assert_eq!(sign(&ring).as_str(), npm);
    let claims = ring.verify(npm, at(NOW)).unwrap();
    assert_eq!(claims.id(), &id());
    assert_eq!(claims.issued_at(), Some(at(NOW)));
    assert_eq!((claims.subject(), claims.expires_at()), (None, None));
}

#[test]
fn members_have_a_fixed_order() {
    let keyring = keyring().issuer("i").audience("a");
    let custom = object(json!({"nbf": 5}));
    let claims = NewClaims::at(at(NOW))
        .subject("me \"&\"")
        .expires_at(at(NOW + 1))
        .custom(&custom);
    let [header, payload] = decoded(&keyring, &claims);
    assert_eq!(header, HEADER);
    let members =
        r#""iat":1700000000,"sub":"me \"&\"","exp":1700000001,"iss":"i","aud":"a","nbf":5"#;
    assert_eq!(payload, with_claims(members));
    let token = keyring.sign(&id(), &claims).unwrap();
    let verified = keyring.verify(token.as_str(), at(NOW)).unwrap();
    assert_eq!(verified.custom(), Ok(custom.clone()));

    let named = Keyring::builder(Algorithm::Hs256).signing(Key::secret(SECRET).kid("a\"b"));
    let [header, _] = decoded(&named.build().unwrap(), &claims);
    assert_eq!(header, r#"{"alg":"HS256","typ":"JWT","kid":"a\"b"}"#);
}

#[test]
fn verified_claims_are_those_that_were_signed() {
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
    assert!(!printed.contains(ID), "{printed}");
    assert!(!printed.contains("role"), "{printed}");
}

#[test]
fn reserved_claims_are_rejected() {
    let configured = keyring().issuer("i").audience("a");
    let error = |keyring: &Keyring, name: &str| {
        let custom = object(json!({"x": 1, name: "chosen by the application"}));
        let claims = NewClaims::at(at(NOW)).custom(&custom);
        keyring.sign(&id(), &claims).err()
    };
    for name in ["jti", "iat", "sub", "exp", "iss", "aud"] {
        let reserved = Some(TokenError::ReservedClaim(name));
        assert_eq!(error(&configured, name), reserved);
        let reserved = reserved.filter(|_| !["iss", "aud"].contains(&name));
        assert_eq!(error(&keyring(), name), reserved);
    }
    let wrong_type = Some(TokenError::InvalidClaim("nbf"));
    assert_eq!(error(&keyring(), "nbf"), wrong_type);
}

#[test]
fn no_token_is_signed_that_would_be_rejected() {
    let error = |claims: &NewClaims<'_>| keyring().sign(&id(), claims).err();
    let just_before = UNIX_EPOCH - Duration::from_millis(1);
    for time in [at(-1), just_before, at(NumericDate::MAX_SECONDS + 1)] {
        assert_eq!(error(&NewClaims::at(time)), Some(TokenError::Time));
        let expiring = NewClaims::at(at(NOW)).expires_at(time);
        assert_eq!(error(&expiring), Some(TokenError::Time));
    }
    let fraction = at(NOW) + Duration::from_millis(999);
    let [_, payload] = decoded(&keyring(), &NewClaims::at(fraction).expires_at(fraction));
    assert_eq!(payload, with_claims(r#""iat":1700000000,"exp":1700000000"#));
    let long = "x".repeat(8192);
    let long = NewClaims::at(at(NOW)).subject(&long);
    assert_eq!(error(&long), Some(TokenError::TooLong));
}
