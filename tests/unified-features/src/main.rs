//! Shows that tokens and records keep their numbers with every feature of `serde_json` on:
//! `cargo run` in this folder.

use std::time::{Duration, UNIX_EPOCH};

use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{Keyring, MemoryStore, SessionId, Sessions, TokenRejection};
use serde_json::{Map, Value};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    token_keeps_numbers(&keyring);
    record_keeps_numbers(keyring).await;
    println!("numbers are kept with all features of serde_json");
}

fn token_keeps_numbers(keyring: &Keyring) {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let custom: Map<String, Value> =
        serde_json::from_str(r#"{"n":1.5,"big":123456789012345678901234567890}"#).unwrap();
    let id = SessionId::random();
    let claims = NewClaims::at(at(1_700_000_000))
        .expires_at(at(1_700_000_060))
        .custom(&custom);
    let token = keyring.sign(&id, &claims).unwrap();
    let verify = |time| keyring.verify(token.as_str(), at(time));
    let verified = verify(1_700_000_001).unwrap();
    assert_eq!(verified.id(), &id);
    for (name, value) in custom {
        assert_eq!(verified.get(&name), Ok(Some(value)));
    }
    assert_eq!(verify(1_700_000_060).unwrap_err(), TokenRejection::Expired);
}

/// `arbitrary_precision` changes how serde_json passes numbers on.
async fn record_keeps_numbers(keyring: Keyring) {
    let sessions = Sessions::builder(MemoryStore::new(), keyring)
        .build()
        .unwrap();
    let session = sessions.new_session();
    let data: Value =
        serde_json::from_str(r#"{"big":123456789012345678901234567890,"f":1.0}"#).unwrap();
    session.merge(&data).unwrap();
    let token = session.create().await.unwrap();
    let session = sessions.open(token.as_str()).await.unwrap();
    session.insert("new", 1).unwrap();
    session.update().await.unwrap();
    assert_eq!(
        session.to_raw_json().get(),
        r#"{"big":123456789012345678901234567890,"f":1.0,"new":1}"#
    );
}
