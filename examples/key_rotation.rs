//! Key rotation: a new signing key, and all sessions stay valid.
//!
//! Deploy the new key as a verifying key everywhere, then sign with it, and drop the old key once
//! the last token under it has expired. `cargo run --example key_rotation`

use jwt_redis_session::{
    Algorithm, Keyring, MemoryStore, SessionError, Sessions, TokenRejection,
    token::{Key, KeyringError},
};

const OLD: &str = "the secret of last year, 32 bytes or more";
const NEW: &str = "the secret of this year, 32 bytes or more";

/// Only the old key, without a name, as most deployments begin.
fn before() -> Result<Keyring, KeyringError> {
    Keyring::hs256(OLD)
}

/// Signs with the new key, still verifies the old one. Tokens now name the key that signed them.
fn during() -> Result<Keyring, KeyringError> {
    Keyring::builder(Algorithm::Hs256)
        .signing(Key::secret(NEW).kid("2027"))
        .previous(Key::secret(OLD).kid("2026"))
        .build()
}

/// Only the new key.
fn after() -> Result<Keyring, KeyringError> {
    Keyring::builder(Algorithm::Hs256)
        .signing(Key::secret(NEW).kid("2027"))
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = MemoryStore::new();
    let with = |keyring| Sessions::builder(store.clone(), keyring).build();

    let old_token = with(before()?)?.new_session().create().await?;
    println!("before: a session under the old key");

    let sessions = with(during()?)?;
    sessions.open(old_token.as_str()).await?;
    let new_token = sessions.new_session().create().await?;
    println!("during: the old session still works, new ones are under the new key");

    // `rotate` moves a session to the new key immediately, for example at the next login.
    let moved = sessions.open(old_token.as_str()).await?.rotate().await?;

    let sessions = with(after()?)?;
    sessions.open(new_token.as_str()).await?;
    sessions.open(moved.as_str()).await?;
    let error = sessions.open(old_token.as_str()).await.unwrap_err();
    assert_eq!(error, SessionError::Rejected(TokenRejection::Signature));
    println!("after: only tokens under the new key are accepted");
    Ok(())
}
