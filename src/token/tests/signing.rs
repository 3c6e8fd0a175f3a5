//! The content of new tokens.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::forge::*;
use crate::token::numeric_date::MAX_SECONDS;
use crate::token::{Key, NewClaims, TokenError, TokenFormat};
use crate::{Algorithm, Keyring, OpaqueTokens};

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// The vectors of `FORMAT.md` have no `iss`, `aud`, custom claims or names of keys.
#[test]
fn claims_are_signed_in_a_fixed_order_and_read_back() {
    let ring = Keyring::builder(Algorithm::Hs256).signing(Key::secret(SECRET).kid("a\"b"));
    let ring = ring.build().unwrap().issuer("i").audience("a");
    let custom = object(json!({"nbf": 1.5, "role": {"a": [1, null]}}));
    let claims = NewClaims::at(at(NOW))
        .subject("ä \"&\"")
        .expires_at(at(NOW + 60))
        .custom(&custom);
    let token = ring.sign(&id(), &claims).unwrap();
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"a\"b"}"#;
    let registered = r#""iat":1700000000,"sub":"ä \"&\"","exp":1700000060,"iss":"i","aud":"a""#;
    let payload = with_claims(&format!(
        r#"{registered},"nbf":1.5,"role":{{"a":[1,null]}}"#
    ));
    assert_eq!(token.as_str(), forge(header, payload));

    let verified = ring.verify(token.as_str(), at(NOW)).unwrap();
    assert_eq!(verified.id(), &id());
    assert_eq!(verified.subject().as_deref(), Some("ä \"&\""));
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
    for time in [at(-1), just_before, at(MAX_SECONDS + 1)] {
        assert_eq!(error(&NewClaims::at(time)), Some(TokenError::Time));
        let expiring = NewClaims::at(at(NOW)).expires_at(time);
        assert_eq!(error(&expiring), Some(TokenError::Time));
    }
    let fraction = at(NOW) + Duration::from_millis(999);
    let claims = NewClaims::at(fraction).expires_at(fraction);
    let payload = with_claims(r#""iat":1700000000,"exp":1700000000"#);
    let token = keyring().sign(&id(), &claims).unwrap();
    assert_eq!(token.as_str(), forge(HEADER, payload));
    let long = "x".repeat(8192);
    let long = NewClaims::at(at(NOW)).subject(&long);
    assert_eq!(error(&long), Some(TokenError::TooLong));
}

#[test]
fn opaque_tokens_carry_no_claims() {
    let format = TokenFormat::from(OpaqueTokens::new());
    let issue = |custom: &Map<String, Value>| {
        let claims = NewClaims::at(at(NOW)).subject("s").custom(custom);
        format.issue(&claims, id).err()
    };
    assert_eq!(issue(&Map::new()), None);
    let custom = object(json!({"role": "admin"}));
    assert_eq!(issue(&custom), Some(TokenError::ClaimsUnsupported));
}
