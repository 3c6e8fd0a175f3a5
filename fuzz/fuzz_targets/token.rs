//! Tokens of every kind: none panics, only genuine ones are accepted, and what is accepted can be
//! read.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use arbitrary::Arbitrary;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_redis_session::{
    Claims, MemoryStore, OpaqueTokens, SessionError, Sessions, TokenRejection, token::Encoding,
};
use jwt_redis_session_fuzz::{NOW, SECRET, World};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Text(&'a str),
    /// The genuine token, changed.
    Changed(Vec<Change>),
    /// Signed with the right key, whatever it says.
    Signed {
        header: Option<&'a str>,
        payload: &'a str,
    },
    /// The text of a payload between the members that an honest token has.
    Members(&'a str),
    Opaque {
        hex: bool,
        text: &'a str,
    },
}

#[derive(Arbitrary, Debug)]
enum Change {
    Replace(u16, u8),
    Insert(u16, u8),
    Remove(u16),
    Swap(u16, u16),
    Cut(u16),
    Append(u8),
}

/// Content of an accepted payload for another reader.
#[derive(Deserialize)]
struct Seen {
    jti: String,
    sub: Option<serde_json::Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|input: Input<'_>| WORLD.with(|world| check(world, input)));

fn check(world: &World, input: Input<'_>) {
    match input {
        Input::Text(text) => {
            if present(world, text).is_some() {
                assert_eq!(
                    text, world.token,
                    "a token was accepted that nobody has issued"
                );
            }
        }
        Input::Changed(changes) => {
            let text = changed(&world.token, &changes);
            let accepted = present(world, &text).is_some();
            assert_eq!(accepted, text == world.token, "{text}");
        }
        Input::Signed { header, payload } => signed(world, header, payload),
        Input::Members(text) => {
            let payload = format!(r#"{{"jti":"0123456789abcdef",{text}}}"#);
            signed(world, None, &payload);
        }
        Input::Opaque { hex, text } => opaque(world, hex, text),
    }
}

/// Shows the token to the key ring and to the sessions, which must agree.
fn present(world: &World, text: &str) -> Option<Claims> {
    let now = UNIX_EPOCH + Duration::from_secs(NOW as u64);
    let verified = world.keyring.verify(text, now);
    match (&verified, world.run(world.sessions.open(text))) {
        (Ok(claims), Ok(session)) => assert_eq!(session.id().as_ref(), Some(claims.id())),
        (Ok(_), Err(error)) => {
            assert_eq!(error, SessionError::Rejected(TokenRejection::Unknown));
        }
        (Err(reason), Err(error)) => assert_eq!(error, SessionError::Rejected(*reason)),
        (Err(_), Ok(_)) => panic!("a session was opened with a bad token"),
    }
    verified.ok()
}

fn changed(token: &str, changes: &[Change]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let ascii = |byte: u8| byte & 0x7f;
    for change in changes {
        let len = bytes.len().max(1);
        let at = |place: u16| usize::from(place) % len;
        match *change {
            Change::Insert(place, byte) => bytes.insert(at(place).min(bytes.len()), ascii(byte)),
            Change::Append(byte) => bytes.push(ascii(byte)),
            Change::Cut(place) => bytes.truncate(at(place)),
            _ if bytes.is_empty() => {}
            Change::Replace(place, byte) => bytes[at(place)] = ascii(byte),
            Change::Remove(place) => drop(bytes.remove(at(place))),
            Change::Swap(one, other) => bytes.swap(at(one), at(other)),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn signed(world: &World, header: Option<&str>, payload: &str) {
    let header = header.unwrap_or(r#"{"typ":"JWT","alg":"HS256"}"#);
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut text);
    let Some(claims) = present(world, &text) else {
        return;
    };
    let seen: Seen = serde_json::from_str(payload).expect("an accepted payload is readable");
    assert_eq!(seen.jti, claims.id().as_str());
    let sub = seen.sub.as_ref().and_then(serde_json::Value::as_str);
    assert_eq!(sub, claims.subject().as_deref());
    let whole: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(payload).expect("every claim can be read");
    for (name, value) in whole {
        assert_eq!(claims.get(&name), Ok(Some(value)));
    }
    assert!(seen.exp.is_none_or(|exp| exp >= NOW as f64), "expired");
    assert!(
        seen.nbf.is_none_or(|nbf| nbf <= NOW as f64),
        "not yet valid"
    );
}

/// No opaque token was issued, so none opens a session.
fn opaque(world: &World, hex: bool, text: &str) {
    let encoding = if hex { Encoding::Hex } else { Encoding::Base64 };
    let tokens = OpaqueTokens::new().size(16).unwrap().encoding(encoding);
    let sessions = Sessions::builder(
        MemoryStore::new(),
        jwt_redis_session::token::TokenFormat::from(tokens),
    );
    let error = world.run(sessions.build().unwrap().open(text)).unwrap_err();
    let length = if hex { 32 } else { 24 };
    match error {
        SessionError::Rejected(TokenRejection::Unknown) => assert_eq!(text.len(), length),
        SessionError::Rejected(TokenRejection::Malformed | TokenRejection::TooLong) => {}
        other => panic!("{other}"),
    }
}
