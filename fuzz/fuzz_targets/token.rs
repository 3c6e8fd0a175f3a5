//! Tokens of every kind: none panics, only genuine ones are accepted, and every claim of an
//! accepted one can be read.
#![no_main]

use arbitrary::Arbitrary;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_redis_session::token::Encoding;
use jwt_redis_session::{
    Claims, MemoryStore, OpaqueTokens, SessionError, Sessions, TokenRejection,
};
use jwt_redis_session_fuzz::{Fixture, NOW, SECRET, now, with_fixture};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Text(&'a str),
    /// The genuine token with other bytes at these positions, and another end.
    Changed(Vec<(u16, u8)>, &'a str),
    /// Header and payload, signed with the right key.
    Signed(&'a str, &'a str),
    /// A payload with these members, signed with the right key.
    Members(&'a str),
    /// In hexadecimal or else in Base64.
    Opaque(bool, &'a str),
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, input)));

fn check(fixture: &Fixture, input: Input<'_>) {
    match input {
        Input::Text(text) => genuine_or_rejected(fixture, text),
        Input::Changed(changes, end) => {
            let mut bytes = fixture.token.clone().into_bytes();
            for (at, byte) in changes {
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte & 0x7f;
            }
            let text = String::from_utf8(bytes).unwrap() + end;
            genuine_or_rejected(fixture, &text);
        }
        Input::Signed(header, payload) => signed(fixture, header, payload),
        Input::Members(members) => {
            let payload = format!(r#"{{"jti":"0123456789abcdef",{members}}}"#);
            signed(fixture, r#"{"typ":"JWT","alg":"HS256"}"#, &payload);
        }
        Input::Opaque(hex, text) => opaque(fixture, hex, text),
    }
}

fn genuine_or_rejected(fixture: &Fixture, text: &str) {
    let accepted = present(fixture, text).is_some();
    assert_eq!(accepted, text == fixture.token, "{text}");
}

/// Verifies the token with the key ring and opens it, which must agree.
fn present(fixture: &Fixture, text: &str) -> Option<Claims> {
    let verified = fixture.keyring.verify(text, now());
    match (&verified, fixture.run(fixture.sessions.open(text))) {
        (Ok(claims), Ok(session)) => assert_eq!(session.id().as_ref(), Some(claims.id())),
        (Ok(_), Err(error)) => assert_eq!(error, SessionError::Rejected(TokenRejection::Unknown)),
        (Err(reason), Err(error)) => assert_eq!(error, SessionError::Rejected(*reason)),
        (Err(reason), Ok(_)) => panic!("a session was opened with a token that is {reason}"),
    }
    verified.ok()
}

fn signed(fixture: &Fixture, header: &str, payload: &str) {
    let [header, body] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = format!("{header}.{body}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), text.as_bytes());
    let Some(claims) = present(fixture, &format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))) else {
        return;
    };
    let payload: Map<String, Value> = serde_json::from_str(payload).expect("readable by others");
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    assert_eq!(text("jti"), Some(claims.id().as_str()));
    assert_eq!(text("sub"), claims.subject().as_deref());
    let time = |name: &str| payload.get(name).and_then(Value::as_f64);
    let now = NOW as f64;
    assert!(time("exp").is_none_or(|exp| exp >= now), "expired");
    assert!(time("nbf").is_none_or(|nbf| nbf <= now), "not yet valid");
    for (name, value) in &payload {
        assert_eq!(claims.get(name).as_ref(), Ok(&Some(value.clone())));
    }
}

/// No opaque token was issued, so none opens a session.
fn opaque(fixture: &Fixture, hex: bool, text: &str) {
    let (encoding, length) = match hex {
        true => (Encoding::Hex, 32),
        false => (Encoding::Base64, 24),
    };
    let tokens = OpaqueTokens::new().size(16).unwrap().encoding(encoding);
    let sessions = Sessions::builder(MemoryStore::new(), tokens).build();
    match fixture.run(sessions.unwrap().open(text)).unwrap_err() {
        SessionError::Rejected(TokenRejection::Unknown) => assert_eq!(text.len(), length),
        SessionError::Rejected(TokenRejection::Malformed | TokenRejection::TooLong) => {}
        other => panic!("{other}"),
    }
}
