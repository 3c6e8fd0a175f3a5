//! Shows that tokens and records keep their numbers with every feature of `serde_json` on:
//! `cargo run` in this folder.

use std::time::{Duration, UNIX_EPOCH};

use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{Keyring, MemoryStore, SessionId, Sessions, TokenRejection};
use serde_json::{Map, Value};

/// `arbitrary_precision` changes how serde_json passes numbers on.
const NUMBERS: &str = r#"{"big":123456789012345678901234567890,"f":1.0}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    token_keeps_numbers(&keyring);
    record_keeps_numbers(keyring).await;
    println!("numbers are kept with all features of serde_json");
}

fn token_keeps_numbers(keyring: &Keyring) {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let custom: Map<String, Value> = serde_json::from_str(NUMBERS).unwrap();
    let claims = NewClaims::at(at(0)).expires_at(at(60)).custom(&custom);
    let token = keyring.sign(&SessionId::random(), &claims).unwrap();
    let verified = keyring.verify(token.as_str(), at(1)).unwrap();
    for (name, value) in &custom {
        assert_eq!(verified.get(name).as_ref(), Ok(&Some(value.clone())));
    }
    let expired = keyring.verify(token.as_str(), at(60));
    assert_eq!(expired.unwrap_err(), TokenRejection::Expired);
}

async fn record_keeps_numbers(keyring: Keyring) {
    let sessions = Sessions::builder(MemoryStore::new(), keyring);
    let sessions = sessions.build().unwrap();
    let session = sessions.new_session();
    let data: Value = serde_json::from_str(NUMBERS).unwrap();
    session.merge(&data).unwrap();
    let token = session.create().await.unwrap();
    let session = sessions.open(token.as_str()).await.unwrap();
    session.insert("new", 1).unwrap();
    session.update().await.unwrap();
    let expected = NUMBERS.replace('}', r#","new":1}"#);
    assert_eq!(session.to_text(), expected);
}
