//! Tokens that were verified before.

use std::time::Duration;

use super::forge::*;
use crate::Keyring;
use crate::token::verified_tokens::VerifiedTokens;

/// Returns a key ring that has verified `token`.
fn having_verified(ring: Keyring, token: &str) -> Keyring {
    ring.verify(token, at(NOW)).unwrap();
    let digest = VerifiedTokens::digest(token).unwrap();
    assert!(ring.current.load().verified.find(&digest).is_some());
    ring
}

#[test]
fn times_are_checked_on_every_use() {
    let times = format!(r#""nbf":{NOW},"exp":{}"#, NOW + 60);
    let token = forge(HEADER, with_claims(&times));
    let strict = having_verified(keyring(), &token);
    let lenient = keyring().leeway(Duration::from_secs(5)).unwrap();
    let lenient = having_verified(lenient, &token);
    for (seconds, by_strict, by_lenient) in [
        (0, "ok", "ok"),
        (59, "ok", "ok"),
        (60, "expired", "ok"),
        (64, "expired", "ok"),
        (65, "expired", "expired"),
        (-1, "not_yet_valid", "ok"),
        (-5, "not_yet_valid", "ok"),
        (-6, "not_yet_valid", "not_yet_valid"),
        (0, "ok", "ok"),
    ] {
        for (ring, expected) in [(&strict, by_strict), (&lenient, by_lenient)] {
            let verified = ring.verify(&token, at(NOW + seconds));
            assert_eq!(outcome(verified), expected, "{seconds}");
        }
    }
}

#[test]
fn claims_are_those_of_the_first_time() {
    let claims = with_claims(r#""iat":1700000000,"exp":1700000060,"tenant":"acme""#);
    let token = forge(HEADER, claims);
    let ring = having_verified(keyring(), &token);
    let again = ring.clone().verify(&token, at(NOW)).unwrap();
    assert_eq!(
        (again.id(), again.get("tenant")),
        (&id(), Ok(Some("acme".to_owned())))
    );
    assert_eq!(again.issued_at(), Some(at(NOW)));
    assert_eq!(again.expires_at(), Some(at(NOW + 60)));
}

#[test]
fn another_text_is_verified_anew() {
    let token = sign(&keyring());
    let ring = having_verified(keyring(), &token);
    for index in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[index] = if other[index] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert_ne!(outcome(ring.verify(&other, at(NOW))), "ok", "{index}");
    }
    for other in [&token[1..], &token[..token.len() - 1], &format!("{token}=")] {
        assert_ne!(outcome(ring.verify(other, at(NOW))), "ok", "{other}");
    }
}

#[test]
fn keys_and_rules_of_another_ring_are_checked() {
    let token = sign(&keyring());
    let ring = having_verified(keyring(), &token);
    for (other, expected) in [
        (ring.clone().issuer("https://id"), "issuer"),
        (ring.clone().audience("shop"), "audience"),
        (Keyring::hs256(OTHER).unwrap(), "signature"),
        (ring, "ok"),
    ] {
        assert_eq!(outcome(other.verify(&token, at(NOW))), expected);
    }
}

#[test]
fn a_rejected_token_and_a_long_one_are_not_kept() {
    let ring = keyring();
    let signed_by_other = forge_with(OTHER, HEADER, CLAIMS);
    let expired = forge(HEADER, with_claims(r#""exp":1"#));
    for token in [signed_by_other, expired] {
        assert!(ring.verify(&token, at(NOW)).is_err());
        let digest = VerifiedTokens::digest(&token).unwrap();
        assert!(ring.current.load().verified.find(&digest).is_none());
    }
    let long = with_claims(&format!(r#""long":"{}""#, "x".repeat(1024)));
    let long = forge(HEADER, long);
    assert!(ring.verify(&long, at(NOW)).is_ok());
    assert!(VerifiedTokens::digest(&long).is_none());
}

#[test]
fn more_tokens_than_slots_replace_each_other() {
    let ring = keyring();
    let token = |number: usize| forge(HEADER, with_claims(&format!(r#""n":{number}"#)));
    let tokens: Vec<_> = (0..3000).map(token).collect();
    for _ in 0..2 {
        for (number, token) in tokens.iter().enumerate() {
            let claims = ring.verify(token, at(NOW)).unwrap();
            assert_eq!(claims.get("n"), Ok(Some(number)));
        }
    }
    let digests = tokens
        .iter()
        .filter_map(|token| VerifiedTokens::digest(token));
    let kept = digests.filter(|digest| ring.current.load().verified.find(digest).is_some());
    assert!((500..=1024).contains(&kept.count()));
}
