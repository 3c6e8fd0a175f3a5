//! Key rotation in a running program: a new key pair, and all sessions stay valid.
//!
//! The private key that signs is in one file, the public keys of others are in a folder. Each step
//! changes the files and reloads the key ring. A service does so on SIGHUP; several instances all do
//! one step before the next. `cargo run --example key_rotation`

use std::error::Error;
use std::fs;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jwt_redis_session::token::{Key, KeyringError};
use jwt_redis_session::{Algorithm, Keyring, MemoryStore, SessionError, Sessions, TokenRejection};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let files = folder.path();
    fs::create_dir(files.join("previous"))?;
    let (old, new) = (Ed25519KeyPair::generate()?, Ed25519KeyPair::generate()?);
    sign_with(files, &old)?;

    // The sessions keep a clone of the key ring. So do layers and services.
    let keyring = load(files)?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring.clone()).build()?;
    let old_token = sessions.new_session().login("jo").await?;
    let unused = sessions.new_session().login("al").await?;
    println!("before: sessions under the old key");

    // 1. The new key verifies. Programs that read the JWK Set learn it before it signs.
    accept(files, "new", &new)?;
    keyring.reload(&load(files)?)?;
    println!(
        "step 1: {} keys are published",
        keyring.jwks().matches("kid").count()
    );

    // 2. The new key signs, the old one still verifies.
    fs::remove_file(files.join("previous/new"))?;
    sign_with(files, &new)?;
    assert_eq!(
        keyring.reload(&load(files)?),
        Err(KeyringError::EndsSessions)
    );
    accept(files, "old", &old)?;
    keyring.reload(&load(files)?)?;
    let session = sessions.open(old_token.as_str()).await?;
    println!("step 2: the old session still works, new ones are under the new key");

    // A session without an absolute lifetime never ends while it is used: give it a new token.
    let new_token = session.rotate().await?;

    // 3. The old key is removed when the last session whose token it signed has ended.
    fs::remove_file(files.join("previous/old"))?;
    keyring.reload(&load(files)?)?;
    sessions.open(new_token.as_str()).await?;
    let error = sessions.open(unused.as_str()).await.unwrap_err();
    assert_eq!(error, SessionError::Rejected(TokenRejection::HeaderParam));
    println!("step 3: only tokens under the new key are accepted");
    Ok(())
}

/// Reads the key ring: at the start, and again for every reload.
fn load(files: &Path) -> Result<Keyring, Box<dyn Error>> {
    let mut keys = Keyring::builder(Algorithm::EdDsa)
        .thumbprint_kids()
        .signing(Key::der(fs::read(files.join("signing"))?));
    for file in fs::read_dir(files.join("previous"))? {
        keys = keys.previous(Key::der(fs::read(file?.path())?));
    }
    Ok(keys.build()?)
}

/// Writes the private key. In production `openssl genpkey -algorithm ed25519` makes it.
fn sign_with(files: &Path, pair: &Ed25519KeyPair) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(files.join("signing"), pair.to_pkcs8v1()?)?)
}

/// Writes a public key, as `openssl pkey -pubout` does.
fn accept(files: &Path, name: &str, pair: &Ed25519KeyPair) -> Result<(), Box<dyn Error>> {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    Ok(fs::write(files.join("previous").join(name), der.as_ref())?)
}
