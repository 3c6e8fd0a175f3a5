//! Which tokens are rejected, and why.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::Value;

use super::forge::*;
use crate::token::{Encoding, KeyringError, TokenFormat};
use crate::{OpaqueTokens, encoding};

/// Headers of correctly signed tokens.
const HEADERS: &str = r#"
ok           | {"alg":"HS256"}
ok           | {"typ":$V,"alg":"HS256"}  | "JWT" "jwt" "\u004aWT"
ok           | {"alg":"HS256","kid":$V}  | "any" null 5
ok           | {"alg":"HS256",$V}        | "jku":"http://h/" "x5u":"http://h/" "x5c":["MIIB"]
algorithm    | $V                        | {} {"typ":"JWT"}
algorithm    | {"alg":$V}                | "none" "None" "" "hs256" "HS256\u0020" "HS384" "RS256"
algorithm    | {"alg":$V}                | null 5 true ["HS256"] {"alg":"HS256"}
header_param | {"alg":"HS256",$V}        | "crit":[] "crit":["exp"] "crit":null "cr\u0069t":[]
header_param | {$V,"alg":"HS256"}        | "b64":false "b64":true "enc":"A256GCM" "zip":"DEF"
header_param | {"alg":"HS256",$V}        | "cty":"JWT"
header_param | {"alg":"HS256","typ":$V}  | "at+jwt" "dpop+jwt" "JWT\u0020" "JWS" "" null 5 ["JWT"]
malformed    |
malformed    | $V                        | ["HS256"] [] null "HS256" 5
malformed    | {"alg":"HS256"$V          | , }{} ,"alg":"HS256"} ,"x":1,"x":1}
malformed    | {"alg":"none","\u0061lg":"HS256"}
"#;

/// Payloads of correctly signed tokens.
const PAYLOADS: &str = r#"
ok            | {"jti":"$ID","iat":1700000000}
ok            | {"jti":"$ID","iss":["any"],"aud":"any"}
ok            | {"jti":"\u0030b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11"}
malformed     |
malformed     | $V             | [] ["$ID"] null 5 "$ID" {
malformed     | {"jti":"$ID"$V | ,"jti":"$ID"} ,"\u006ati":"$ID"} ,"exp":9,"exp":1} ,"r":0,"r":1}
malformed     | {"jti":"$ID"$V | }{} }x ,} ,"x":NaN} ,"x":tru} ,x:1}
missing_id    | $V             | {} {"iat":1700000000}
invalid_id    | {"jti":$V}     | ["$ID"] 5 null true {} "" "0b54dd5c:1b1f-4a3c" "../../etc/passwd"
invalid_id    | {"jti":$V}     | "\ud800aaaaaaaaaaaaaaaa"
claim         | {"jti":5,"exp":1,"iat":null}
expired       | {"jti":5,"exp":1}
not_yet_valid | {"jti":5,"nbf":1700000001}
"#;

/// Members of payloads, for a key ring with an audience.
const AUDIENCES: &str = r#"
ok       | "aud":$V | "shop" ["shop"] ["a","shop"]
audience | "iat":1
audience | "aud":$V | "Shop" "shops" "" [] ["a"] ["shop",1] [["shop"]] null 123 {"shop":1}
"#;

/// Members of payloads, for a key ring with an issuer.
const ISSUERS: &str = r#"
ok     | "iss":"https://id"
issuer | "iat":1
issuer | "iss":$V | "https://id/" ["https://id"] null 1 ""
"#;

#[test]
fn headers_are_checked() {
    for (expected, header) in rows(HEADERS) {
        let token = forge(&header, CLAIMS);
        assert_eq!(outcome(verify(&token)), expected, "{header}");
    }
    let bom = forge("\u{feff}{}", CLAIMS);
    assert_eq!(outcome(verify(&bom)), "malformed");
}

#[test]
fn payloads_are_checked() {
    for (expected, payload) in rows(PAYLOADS) {
        assert_eq!(outcome(verify_payload(&payload)), expected, "{payload}");
    }
    let no_utf8 = b"{\"jti\":\"\xff\xfe\"}";
    for bad in [&no_utf8[..], b"\xef\xbb\xbf{}", b"{\"x\":\"\n\"}"] {
        assert_eq!(outcome(verify_payload(bad)), "malformed");
    }
    // The first names are compared one by one, the others in a tree.
    let many: Vec<String> = (0..50).map(|n| format!(r#""{n}":0"#)).collect();
    let many = many.join(",");
    assert_eq!(outcome(verify_payload(with_claims(&many))), "ok");
    for twice in [3, 11, 49] {
        let payload = with_claims(&format!(r#"{many},"{twice}":1"#));
        assert_eq!(outcome(verify_payload(payload)), "malformed", "{twice}");
    }
}

#[test]
fn configured_issuer_and_audience_are_required() {
    for (ring, table) in [
        (keyring().audience("shop"), AUDIENCES),
        (keyring().issuer("https://id"), ISSUERS),
    ] {
        for (expected, members) in rows(table) {
            let token = forge(HEADER, with_claims(&members));
            assert_eq!(outcome(ring.verify(&token, at(NOW))), expected, "{members}");
        }
    }
}

#[test]
fn signature_is_checked_before_claims() {
    for payload in ["", "[]", "{}", r#"{"jti":5}"#, r#"{"exp":1}"#, CLAIMS] {
        let token = forge_with(OTHER, HEADER, payload);
        assert_eq!(outcome(verify(&token)), "signature", "{payload}");
    }
    let key = encoding::base64url(OTHER);
    let header = format!(r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{key}"}}}}"#);
    let token = forge_with(OTHER, header, CLAIMS);
    assert_eq!(outcome(verify(&token)), "signature");
}

#[test]
fn only_three_canonical_parts_are_a_token() {
    let good = forge(HEADER, CLAIMS);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("not three parts");
    };
    let cases =
        "|.|..|..S|a|H.P|H.P.S.|H.P.S.S|.H.P.S|H=.P.S|H.P.S=|H.P.S | H.P.S|H.P.S\n|Bearer H.P.S";
    for case in cases.split('|') {
        let parts = case.split_inclusive(|_| true).map(|part| match part {
            "H" => header,
            "P" => payload,
            "S" => signature,
            other => other,
        });
        let token: String = parts.collect();
        assert_eq!(outcome(verify(&token)), "malformed", "{token:?}");
    }
    // Unsigned, and longer than any signature.
    for length in [0, 1372] {
        let token = format!("{header}.{payload}.{}", "A".repeat(length));
        assert_eq!(outcome(verify(&token)), "signature", "{length}");
    }
    for bad in [STANDARD.encode([0xff; 32]), format!("{}ä", &signature[1..])] {
        let token = format!("{header}.{payload}.{bad}");
        assert_eq!(outcome(verify(&token)), "malformed", "{bad}");
    }
    for bad in [&format!("{payload}="), &format!("{payload}\n"), "e30*"] {
        let token = sign_encoded(SECRET, &format!("{header}.{bad}"));
        assert_eq!(outcome(verify(&token)), "malformed", "{bad}");
    }
}

#[test]
fn length_is_limited() {
    for (text, expected) in [("a", "malformed"), (".", "malformed")] {
        assert_eq!(outcome(verify(&text.repeat(8192))), expected);
        assert_eq!(outcome(verify(&text.repeat(8193))), "too_long");
    }
    let padded = |length: usize| with_claims(&format!(r#""x":"{}""#, "x".repeat(length)));
    let fits = (6000..).find(|&n| forge(HEADER, padded(n + 1)).len() > 8192);
    let fits = fits.unwrap();
    assert_eq!(outcome(verify_payload(padded(fits))), "ok");
    assert_eq!(outcome(verify_payload(padded(fits + 2))), "too_long");
}

/// The session reads every claim of an accepted token at a rotation.
#[test]
fn unreadable_claims_are_rejected() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let bad = [r#""\ud800""#, r#"["\udc00"]"#, r#"{"\udfff":1}"#, "1e999"].map(String::from);
    let good = [r#""\ud83d\ude00""#, "1e300", "-1", r#"[{"b":"\u0000"}]"#].map(String::from);
    for name in ["x", "sub", "iss", "aud", r"\u0073ub"] {
        let verify = |value: &str| verify_payload(with_claims(&format!(r#""{name}":{value}"#)));
        for value in [nested(127), nested(1000)].iter().chain(&bad) {
            assert_eq!(outcome(verify(value)), "malformed", "{name} {value}");
        }
        for value in [nested(126)].iter().chain(&good) {
            let claims = verify(value).unwrap();
            claims.custom().unwrap();
            let name = name.replace(r"\u0073", "s");
            assert!(claims.get::<Value>(&name).unwrap().is_some());
        }
    }
    let header = format!(r#"{{"alg":"HS256","x":{}}}"#, nested(2500));
    assert_eq!(outcome(verify(&forge(header, CLAIMS))), "malformed");
}

#[test]
fn times_are_compared_exactly() {
    let lenient = keyring().leeway(Duration::from_secs(300)).unwrap();
    let exp = r#""exp":1700000000"#;
    let half = r#""exp":1700000000.5"#;
    let nbf = r#""nbf":1700000000"#;
    for (ring, claims, now, expected) in [
        (keyring(), exp, NOW - 1, "ok"),
        (keyring(), exp, NOW, "expired"),
        (keyring(), exp, NOW + 1, "expired"),
        (keyring(), half, NOW, "ok"),
        (keyring(), half, NOW + 1, "expired"),
        (keyring(), nbf, NOW - 1, "not_yet_valid"),
        (keyring(), nbf, NOW, "ok"),
        (keyring(), nbf, -1, "not_yet_valid"),
        (keyring(), exp, -100_000_000_000, "ok"),
        (keyring(), exp, 100_000_000_000_000, "expired"),
        (lenient.clone(), exp, NOW + 299, "ok"),
        (lenient.clone(), exp, NOW + 300, "expired"),
        (lenient.clone(), nbf, NOW - 300, "ok"),
        (lenient, nbf, NOW - 301, "not_yet_valid"),
    ] {
        let found = ring.verify(&forge(HEADER, with_claims(claims)), at(now));
        assert_eq!(outcome(found), expected, "{claims} {now}");
    }
    for leeway in [Duration::from_millis(300_001), Duration::MAX] {
        let error = keyring().leeway(leeway).unwrap_err();
        assert_eq!(error, KeyringError::LeewayTooLong);
    }
}

#[test]
fn times_are_numbers_of_seconds() {
    let wrong = r#""1700000001" null true -1 -0.5 1e300 1e999 [1] {} 9007199254740993
        9223372036854776 9999999999999999 99999999999999999999"#;
    for name in ["exp", "nbf", "iat"] {
        for value in wrong.split_whitespace() {
            let payload = with_claims(&format!(r#""{name}":{value}"#));
            assert_eq!(outcome(verify_payload(&payload)), "claim", "{payload}");
        }
    }
    for (json, millis) in [
        ("0", 0),
        ("-0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.5", 1_700_000_000_500),
        ("1.7e9", 1_700_000_000_000),
        ("9007199254740992", 9_007_199_254_740_992_000),
    ] {
        let claims = verify_payload(with_claims(&format!(r#""iat":{json}"#))).unwrap();
        let time = UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(claims.issued_at(), Some(time), "{json}");
    }
}

/// Covers the last character of each part, of which base64url ignores some bits unless the decoder
/// insists on the canonical form (RFC 4648 section 3.5).
#[test]
fn replacing_any_character_invalidates_the_token() {
    let (keyring, good) = (keyring(), forge(HEADER, CLAIMS));
    for index in 0..good.len() {
        for other in (0..128_u8).filter(|&other| other != good.as_bytes()[index]) {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = other;
            let text = String::from_utf8(bytes).unwrap();
            assert!(keyring.verify(&text, at(NOW)).is_err(), "{index} {other}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_verification_panic(
        text in ".*",
        header in ".{0,60}",
        payload in ".{0,200}",
        name in "(jti|iat|sub|exp|nbf|iss|aud)",
        value in r#"(-?[0-9]{0,25}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,4})?|"[^"]{0,8}"?|\[.{0,5}\])"#,
        now: SystemTime,
        size in 16_usize..1024,
    ) {
        let keyring = keyring();
        prop_assert!(keyring.verify(&text, now).is_err());
        let claims = with_claims(&format!(r#""{name}":{value}"#));
        for token in [forge(HEADER, payload), forge(header, CLAIMS), forge(HEADER, claims)] {
            let _ = keyring.verify(&token, now);
            let _ = keyring.clone().issuer("i").audience("a").verify(&token, now);
        }
        for encoding in [Encoding::Base64Url, Encoding::Base64, Encoding::Hex] {
            let tokens = OpaqueTokens::new().size(size).unwrap().encoding(encoding);
            let _ = TokenFormat::from(tokens).identify(&text, now, true);
        }
    }
}
