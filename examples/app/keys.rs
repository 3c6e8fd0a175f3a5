//! The keys that sign tokens.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use jwt_redis_session::token::Key;
use jwt_redis_session::{Algorithm, Keyring};

use crate::config::variable;

/// Returns the key ring of a secret from the environment.
///
/// A real app rejects weak secrets, as this does. To share one that npm uses already, see
/// `Key::allowing_weak_secret_for_npm`.
pub(crate) fn hmac() -> Result<Keyring, String> {
    let algorithm = variable("JWT_ALGORITHM")?.unwrap_or(Algorithm::Hs256);
    let secret = match variable::<String>("JWT_SECRET")? {
        Some(secret) => secret.into_bytes(),
        None => {
            eprintln!("JWT_SECRET is not set: a random one is used, until the app ends");
            let mut secret = vec![0; 64];
            getrandom::fill(&mut secret).expect("the operating system has random numbers");
            secret
        }
    };
    let keyring = Keyring::hmac(algorithm, secret);
    keyring.map_err(|error| format!("JWT_SECRET or JWT_ALGORITHM: {error}"))
}

/// Returns key rings with new private keys, and the paths in front of their routes.
///
/// A real app reads its key with `Key::pem`, and gives only the public one to apps that verify.
pub(crate) fn asymmetric() -> [(&'static str, Keyring); 3] {
    let random = SystemRandom::new();
    let failed = "a key can be made";
    let rsa = rsa::KeyPair::generate(KeySize::Rsa2048).expect(failed);
    let p256 = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let ecdsa = EcdsaKeyPair::generate_pkcs8(p256, &random).expect(failed);
    let ed25519 = Ed25519KeyPair::generate_pkcs8v1(&random).expect(failed);
    let keyring = |algorithm, der: &[u8]| {
        let keyring = Keyring::builder(algorithm).signing(Key::der(der)).build();
        keyring.expect("the key is one of the algorithm")
    };
    let rsa = rsa.as_der().expect(failed);
    [
        ("/RS256", keyring(Algorithm::Rs256, rsa.as_ref())),
        ("/ES256", keyring(Algorithm::Es256, ecdsa.as_ref())),
        ("/EdDSA", keyring(Algorithm::EdDsa, ed25519.as_ref())),
    ]
}
