//! Shows that tokens and records keep their numbers with every feature of `serde_json` on:
//! `cargo run` in this folder.

use std::time::{Duration, UNIX_EPOCH};

use jwt_redis_session::token::{NewClaims, SigningKey};
use jwt_redis_session::{Algorithm, Keyring, MemoryStore, SessionId, Sessions, TokenRejection};

const KEYS: [(Algorithm, &str); 5] = [
    (Algorithm::Rs256, include_str!("../../keys/rsa.pem")),
    (Algorithm::Ps512, include_str!("../../keys/rsa.pem")),
    (Algorithm::Es256, include_str!("../../keys/p256.pem")),
    (Algorithm::Es384, include_str!("../../keys/p384.pem")),
    (Algorithm::EdDsa, include_str!("../../keys/ed25519.pem")),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let secret = *b"0123456789abcdef0123456789abcdef";
    sign_and_verify(&Keyring::hs256(secret).unwrap());
    for (algorithm, pem) in KEYS {
        let key = SigningKey::pem(pem);
        sign_and_verify(&Keyring::builder(algorithm).signing(key).build().unwrap());
    }
    keep_numbers_to_the_letter(Keyring::hs256(secret).unwrap()).await;
    println!("numbers are kept with all features of serde_json");
}

fn sign_and_verify(keyring: &Keyring) {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let custom = serde_json::from_str(r#"{"n":1.5,"big":123456789012345678901234567890}"#).unwrap();
    let id = SessionId::random();
    let claims = NewClaims::at(at(1_700_000_000))
        .expires_at(at(1_700_000_060))
        .custom(&custom);
    let token = keyring.sign(&id, &claims).unwrap();
    let verified = keyring.verify(token.as_str(), at(1_700_000_001)).unwrap();
    assert_eq!(verified.id(), &id);
    assert_eq!(verified.get::<f64>("n").unwrap(), Some(1.5));
    let late = keyring
        .verify(token.as_str(), at(1_700_000_060))
        .unwrap_err();
    assert_eq!(late, TokenRejection::Expired);
}

/// `arbitrary_precision` changes how serde_json hands out numbers.
async fn keep_numbers_to_the_letter(keyring: Keyring) {
    let sessions = Sessions::builder(MemoryStore::new(), keyring)
        .build()
        .unwrap();
    let session = sessions.new_session();
    let data: serde_json::Value =
        serde_json::from_str(r#"{"big":123456789012345678901234567890,"f":1.0}"#).unwrap();
    session.merge(&data).unwrap();
    let token = session.create().await.unwrap();
    let session = sessions.open(token.as_str()).await.unwrap();
    session.insert("new", 1).unwrap();
    session.update().await.unwrap();
    let text = session.to_raw_json();
    assert_eq!(
        text.get(),
        r#"{"big":123456789012345678901234567890,"f":1.0,"new":1}"#
    );
}
