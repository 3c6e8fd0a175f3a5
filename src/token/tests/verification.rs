//! Which tokens are rejected, and why: R3 to R12.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Jwa, EncodingKey};

use super::forge::*;
use crate::TokenRejection;

#[test]
fn tokens_of_npm_are_accepted() {
    let claims = verify(&forge(HEADER, CLAIMS)).unwrap();
    assert_eq!(claims.id().as_str(), ID);
    assert_eq!(claims.issued_at(), Some(at(NOW)));
    assert_eq!((claims.subject(), claims.expires_at()), (None, None));
}

#[test]
fn r3_algorithm_is_pinned() {
    let secret = EncodingKey::from_secret(SECRET);
    for (algorithm, name) in [(Jwa::HS384, "HS384"), (Jwa::HS512, "HS512")] {
        let token = forge_with(algorithm, &secret, HEADER.replace("HS256", name), CLAIMS);
        assert_refused(verify(&token), TokenRejection::Algorithm, name);
    }
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""""#,
        r#""hs256""#,
        r#""HS256 ""#,
        r#""RS256""#,
        r#""ES256""#,
        "null",
        "5",
        "true",
        r#"["HS256"]"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let header = format!(r#"{{"alg":{alg},"typ":"JWT"}}"#);
        assert_refused(verify_header(&header), TokenRejection::Algorithm, alg);
    }
    for header in ["{}", r#"{"typ":"JWT"}"#] {
        assert_refused(verify_header(header), TokenRejection::Algorithm, header);
    }
}

#[test]
fn r3_unsigned_tokens_are_rejected() {
    let parts = |header: &str| {
        let (header, claims) = (
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(CLAIMS),
        );
        format!("{header}.{claims}.")
    };
    assert_refused(
        verify(&parts(r#"{"alg":"none"}"#)),
        TokenRejection::Algorithm,
        "unsigned",
    );
    assert_refused(
        verify(&parts(HEADER)),
        TokenRejection::Signature,
        "empty signature",
    );
}

#[test]
fn r4_embedded_keys_never_select_a_key() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let oct = URL_SAFE_NO_PAD.encode(OTHER);
    for member in [
        format!(r#""jku":"{url}jwks.json""#),
        format!(r#""x5u":"{url}cert.pem""#),
        format!(r#""jwk":{{"kty":"oct","k":"{oct}","alg":"HS256"}}"#),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""x5t":"AAAA""#.to_owned(),
        r#""kid":"/dev/null""#.to_owned(),
        format!(r#""kid":"{url}""#),
    ] {
        let header = format!(r#"{{"alg":"HS256",{member}}}"#);
        let attacker = EncodingKey::from_secret(OTHER);
        let token = forge_with(Jwa::HS256, &attacker, &header, CLAIMS);
        assert_refused(verify(&token), TokenRejection::Signature, &member);
        assert!(
            verify_header(&header).is_ok(),
            "our own signature still counts: {member}"
        );
    }
    let deadline = Instant::now() + Duration::from_millis(50);
    while Instant::now() < deadline {
        let refused = listener.accept().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        std::thread::yield_now();
    }
}

#[test]
fn r5_parameters_that_change_the_meaning_are_refused() {
    for member in [
        r#""crit":[]"#,
        r#""crit":["exp"]"#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""enc":"A256GCM""#,
        r#""zip":"DEF""#,
        r#""cty":"JWT""#,
        r#""cr\u0069t":[]"#,
    ] {
        for header in [
            format!(r#"{{"alg":"HS256","typ":"JWT",{member}}}"#),
            format!(r#"{{{member},"alg":"HS256"}}"#),
        ] {
            assert_refused(verify_header(&header), TokenRejection::HeaderParam, &header);
        }
    }
}

#[test]
fn r6_typ_is_absent_or_jwt() {
    for typ in [r#""JWT""#, r#""jwt""#, r#""Jwt""#, r#""\u004aWT""#] {
        let header = format!(r#"{{"typ":{typ},"alg":"HS256"}}"#);
        assert!(verify_header(&header).is_ok(), "{typ}");
    }
    assert!(verify_header(r#"{"alg":"HS256"}"#).is_ok());
    for typ in [
        r#""at+jwt""#,
        r#""dpop+jwt""#,
        r#""JWT ""#,
        r#""JWS""#,
        r#""""#,
        "null",
        "5",
        r#"["JWT"]"#,
    ] {
        let header = format!(r#"{{"typ":{typ},"alg":"HS256"}}"#);
        assert_refused(verify_header(&header), TokenRejection::HeaderParam, typ);
    }
}

#[test]
fn r7_only_three_canonical_parts_are_a_token() {
    let good = forge(HEADER, CLAIMS);
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let (signed, standard) = (format!("{header}.{payload}"), STANDARD.encode([0xff; 32]));
    for bad in [
        String::new(),
        ".".to_owned(),
        "a".to_owned(),
        signed.clone(),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{good}="),
        format!("{good} "),
        format!("{good}\n"),
        format!(" {good}"),
        format!("Bearer {good}"),
        format!("{signed}.{standard}"),
        format!("{signed}.{}ä", &signature[1..]),
        format!("{header}=.{payload}.{signature}"),
        format!("..{signature}"),
        "..".to_owned(),
    ] {
        assert_refused(verify(&bad), TokenRejection::Malformed, &bad);
    }
    let key = EncodingKey::from_secret(SECRET);
    for bad_payload in [
        format!("{payload}="),
        format!("{payload}\n"),
        "e30B".replace('B', "*"),
    ] {
        let token = seal(Jwa::HS256, &key, &format!("{header}.{bad_payload}"));
        assert_refused(verify(&token), TokenRejection::Malformed, &bad_payload);
    }
}

#[test]
fn r7_the_last_character_has_one_spelling() {
    let good = forge(HEADER, CLAIMS);
    let (stem, _) = good.split_at(good.len() - 1);
    let alphabet = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*b"-_");
    let accepted = alphabet
        .filter(|&last| verify(&format!("{stem}{}", char::from(last))).is_ok())
        .count();
    assert_eq!(accepted, 1);
}

#[test]
fn r7_the_header_is_an_object_without_duplicate_names() {
    for header in [
        r#"["HS256"]"#,
        "[]",
        "null",
        r#""HS256""#,
        "5",
        "",
        r#"{"alg":"HS256"#,
        "\u{feff}{}",
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","x":1,"x":1}"#,
        r#"{"alg":"HS256"}{}"#,
    ] {
        assert_refused(verify_header(header), TokenRejection::Malformed, header);
    }
}

#[test]
fn r7_the_payload_is_an_object_without_duplicate_names() {
    let id = format!(r#""jti":"{ID}""#);
    for payload in [
        "[]".to_owned(),
        format!(r#"["{ID}"]"#),
        "null".to_owned(),
        String::new(),
        "{".to_owned(),
        format!("{{{id},{id}}}"),
        format!(r#"{{{id},"\u006ati":"{ID}"}}"#),
        format!(r#"{{{id},"exp":9999999999,"exp":1}}"#),
        format!(r#"{{{id},"role":"a","role":"b"}}"#),
        format!("\u{feff}{{{id}}}"),
        format!("{{{id}}} {{}}"),
        format!("{{{id},}}"),
        format!(r#"{{{id},"x":NaN}}"#),
    ] {
        assert_refused(
            verify_payload(&payload),
            TokenRejection::Malformed,
            &payload,
        );
    }
    assert_refused(
        verify_payload(b"{\"jti\":\"\xff\xfe\"}"),
        TokenRejection::Malformed,
        "not UTF-8",
    );
}

#[test]
fn r8_long_tokens_are_refused_unread() {
    let long = verify(&"a".repeat(8193));
    assert_refused(long, TokenRejection::TooLong, "8193 bytes of nothing");
    assert_refused(verify(&".".repeat(8193)), TokenRejection::TooLong, "dots");
    assert_refused(
        verify(&"a".repeat(8192)),
        TokenRejection::Malformed,
        "8192 bytes of nothing",
    );
    let padded = |length: usize| with_claims(&format!(r#""x":"{}""#, "x".repeat(length)));
    let fits = (6000..)
        .find(|&n| forge(HEADER, padded(n + 1)).len() > 8192)
        .unwrap();
    assert!(verify_payload(padded(fits)).is_ok());
    assert_refused(
        verify_payload(padded(fits + 2)),
        TokenRejection::TooLong,
        "well signed",
    );
}

#[test]
fn r8_deep_or_wide_json_does_no_harm() {
    let wide: Vec<String> = (0..600).map(|n| format!(r#""{n}":0"#)).collect();
    assert!(verify_payload(with_claims(&wide.join(","))).is_ok());
    let deep = format!(r#""x":{}{}"#, "[".repeat(2500), "]".repeat(2500));
    for (header, payload) in [
        (HEADER.to_owned(), with_claims(&deep)),
        (format!(r#"{{"alg":"HS256",{deep}}}"#), CLAIMS.to_owned()),
    ] {
        let verified = verify(&forge(header, payload));
        assert_refused(verified, TokenRejection::Malformed, "deep");
    }
}

/// Everything that an accepted token says can be read.
#[test]
fn claims_that_cannot_be_read_are_refused() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for name in ["x", "sub", "iss", "aud", r"\u0073ub"] {
        for value in [
            r#""\ud800""#.to_owned(),
            r#"["\udc00"]"#.to_owned(),
            r#"{"\udfff":1}"#.to_owned(),
            "1e999".to_owned(),
            nested(127),
            nested(128),
            nested(1000),
        ] {
            let payload = with_claims(&format!(r#""{name}":{value}"#));
            let verified = verify_payload(&payload);
            assert_refused(verified, TokenRejection::Malformed, &payload);
        }
        for value in [
            r#""\ud83d\ude00""#.to_owned(),
            "1e300".to_owned(),
            nested(126),
        ] {
            let payload = with_claims(&format!(r#""{name}":{value}"#));
            let claims = verify_payload(&payload).unwrap();
            claims.custom().unwrap();
            let name = name.replace(r"\u0073", "s");
            assert!(claims.get::<serde_json::Value>(&name).unwrap().is_some());
        }
    }
}

#[test]
fn r9_time_is_exact_without_leeway() {
    let soon = forge(HEADER, with_claims(r#""exp":1700000000"#));
    let half = forge(HEADER, with_claims(r#""exp":1700000000.5"#));
    let later = forge(HEADER, with_claims(r#""nbf":1700000000"#));
    let keyring = keyring();
    for (token, now, expected) in [
        (&soon, NOW - 1, None),
        (&soon, NOW, Some(TokenRejection::Expired)),
        (&soon, NOW + 1, Some(TokenRejection::Expired)),
        (&half, NOW, None),
        (&half, NOW + 1, Some(TokenRejection::Expired)),
        (&later, NOW - 1, Some(TokenRejection::NotYetValid)),
        (&later, NOW, None),
        (&later, -1, Some(TokenRejection::NotYetValid)),
        (&soon, -1, None),
        (&soon, -100_000_000_000, None),
        (&soon, 100_000_000_000_000, Some(TokenRejection::Expired)),
    ] {
        assert_eq!(keyring.verify(token, at(now)).err(), expected, "{now}");
    }
    let claims = keyring.verify(&half, at(NOW)).unwrap();
    assert_eq!(
        claims.expires_at(),
        Some(at(NOW) + Duration::from_millis(500))
    );
}

#[test]
fn r9_leeway_moves_both_ends() {
    let keyring = keyring().leeway(Duration::from_secs(300)).unwrap();
    let token = forge(HEADER, with_claims(r#""exp":1700000000,"nbf":1600000000"#));
    for (now, expected) in [
        (NOW + 299, None),
        (NOW + 300, Some(TokenRejection::Expired)),
        (1_600_000_000 - 300, None),
        (1_600_000_000 - 301, Some(TokenRejection::NotYetValid)),
        (-1, Some(TokenRejection::NotYetValid)),
    ] {
        assert_eq!(keyring.verify(&token, at(now)).err(), expected, "{now}");
    }
    for leeway in [Duration::from_millis(300_001), Duration::MAX] {
        assert_eq!(
            super::forge::keyring().leeway(leeway).unwrap_err(),
            crate::token::KeyringError::LeewayTooLong
        );
    }
}

#[test]
fn r9_times_of_the_wrong_type_are_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""1700000001""#,
            "null",
            "true",
            "-1",
            "-0.1",
            "1e300",
            "1e999",
            "[1700000001]",
            "{}",
            "99999999999999999999999",
        ] {
            let payload = with_claims(&format!(r#""{name}":{value}"#));
            assert_refused(verify_payload(&payload), TokenRejection::Claim, &payload);
        }
    }
}

#[test]
fn r11_audience_is_required_once_configured() {
    let keyring = keyring().audience("shop");
    let verify = |claims: &str| keyring.verify(&forge(HEADER, with_claims(claims)), at(NOW));
    for good in [
        r#""aud":"shop""#,
        r#""aud":["shop"]"#,
        r#""aud":["a","shop"]"#,
    ] {
        assert!(verify(good).is_ok(), "{good}");
    }
    for bad in [
        r#""iat":1"#,
        r#""aud":"Shop""#,
        r#""aud":"shops""#,
        r#""aud":"""#,
        r#""aud":[]"#,
        r#""aud":["a"]"#,
        r#""aud":["shop",1]"#,
        r#""aud":[["shop"]]"#,
        r#""aud":null"#,
        r#""aud":123"#,
        r#""aud":{}"#,
        r#""aud":{"shop":1}"#,
        r#""aud":true"#,
    ] {
        assert_refused(verify(bad), TokenRejection::Audience, bad);
    }
    let unconfigured = verify_payload(with_claims(r#""aud":"anyone""#)).unwrap();
    assert_eq!(unconfigured.get("aud"), Ok(Some("anyone".to_owned())));
}

#[test]
fn r11_issuer_is_required_once_configured() {
    let keyring = keyring().issuer("https://id");
    let verify = |claims: &str| keyring.verify(&forge(HEADER, with_claims(claims)), at(NOW));
    assert!(verify(r#""iss":"https://id""#).is_ok());
    for bad in [
        r#""iat":1"#,
        r#""iss":"https://id/""#,
        r#""iss":["https://id"]"#,
        r#""iss":null"#,
        r#""iss":1"#,
        r#""iss":{}"#,
        r#""iss":"""#,
    ] {
        assert_refused(verify(bad), TokenRejection::Issuer, bad);
    }
    assert!(verify_payload(with_claims(r#""iss":["any"]"#)).is_ok());
}

#[test]
fn r12_only_session_ids_pass_as_jti() {
    assert_refused(verify_payload("{}"), TokenRejection::MissingId, "{}");
    for jti in [
        r#"["0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11"]"#,
        "5",
        "null",
        r#""""#,
        r#""short""#,
        r#""0b54dd5c:1b1f-4a3c""#,
        r#""*******************""#,
        r#""{0b54dd5c-1b1f-4a3c}""#,
        r#""0b54dd5c-1b1f-4a3c\r\n""#,
        r#""0b54dd5c-1b1f-4a3c\u0000""#,
        r#""../../../../etc/passwd""#,
        r#""\ud800aaaaaaaaaaaaaaaa""#,
        "true",
        "{}",
    ] {
        let payload = format!(r#"{{"jti":{jti}}}"#);
        assert_refused(verify_payload(&payload), TokenRejection::InvalidId, jti);
    }
    let long = format!(r#"{{"jti":"{}"}}"#, "a".repeat(129));
    assert_refused(
        verify_payload(long),
        TokenRejection::InvalidId,
        "129 characters",
    );
    let escaped = r#"{"jti":"\u0030b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11"}"#;
    assert_eq!(verify_payload(escaped).unwrap().id().as_str(), ID);
}

/// npm: `create({sub: 42})`.
#[test]
fn a_subject_of_any_type_is_accepted() {
    let claims = verify_payload(with_claims(r#""sub":"\u00e4b""#)).unwrap();
    assert_eq!(claims.subject().as_deref(), Some("äb"));
    for sub in ["5", "null", "{}", r#"["u"]"#, "true"] {
        let claims = verify_payload(with_claims(&format!(r#""sub":{sub}"#))).unwrap();
        assert_eq!(claims.subject(), None, "{sub}");
    }
    let claims = verify_payload(with_claims(r#""sub":42"#)).unwrap();
    assert_eq!(claims.get("sub"), Ok(Some(42)));
}

#[test]
fn nothing_is_said_about_claims_of_a_bad_signature() {
    let attacker = EncodingKey::from_secret(OTHER);
    for payload in ["", "[]", "{}", r#"{"jti":5}"#, r#"{"exp":1}"#, CLAIMS] {
        let token = forge_with(Jwa::HS256, &attacker, HEADER, payload);
        assert_refused(verify(&token), TokenRejection::Signature, payload);
    }
}
