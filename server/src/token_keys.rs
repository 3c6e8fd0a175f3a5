//! The keys that sign and verify RPC tokens.

use std::path::Path;

use jwt_redis_session::token::{Key, KeyringError};
use jwt_redis_session::{Algorithm, Keyring};

use crate::secret::Secret;
use crate::settings::{SettingsError, TokenAlgorithm, TokenSettings, read_file};
use crate::start_error::StartError;

/// Builds the key ring: of `secrets` for an HMAC, of the configured files for key pairs.
///
/// Key pairs are named by their thumbprints, so that tokens name the key of `/.well-known/jwks.json`
/// that verifies them.
/// Errors: a secret or a file cannot be used.
pub(crate) fn keyring(settings: &TokenSettings, secrets: &[Secret]) -> Result<Keyring, StartError> {
    let (algorithm, is_hmac) = match settings.algorithm {
        TokenAlgorithm::HS256 => (Algorithm::Hs256, true),
        TokenAlgorithm::HS384 => (Algorithm::Hs384, true),
        TokenAlgorithm::HS512 => (Algorithm::Hs512, true),
        TokenAlgorithm::RS256 => (Algorithm::Rs256, false),
        TokenAlgorithm::PS256 => (Algorithm::Ps256, false),
        TokenAlgorithm::ES256 => (Algorithm::Es256, false),
        TokenAlgorithm::EdDSA => (Algorithm::EdDsa, false),
    };
    let keyring = Keyring::builder(algorithm).thumbprint_kids();
    if is_hmac {
        let mut keys = secrets.iter().map(|secret| Key::secret(secret.expose()));
        let keyring = keyring.signing(keys.next().ok_or(KeyringError::NoKey)?);
        return Ok(keys
            .fold(keyring, |keyring, key| keyring.previous(key))
            .build()?);
    }
    let file = settings.key_file.as_deref().ok_or(KeyringError::NoKey)?;
    // Each file is tried alone, so that the error can name the setting.
    let setting = "tokens.key_file";
    let signing = read(setting, file)?;
    check(
        setting,
        Keyring::builder(algorithm).signing(signing.clone()).build(),
    )?;
    let mut keyring = keyring.signing(signing);
    for file in &settings.previous_key_files {
        let setting = "tokens.previous_key_files";
        let previous = read(setting, file)?;
        check(
            setting,
            Keyring::builder(algorithm)
                .previous(previous.clone())
                .build(),
        )?;
        keyring = keyring.previous(previous);
    }
    Ok(check("tokens.previous_key_files", keyring.build())?)
}

fn read(setting: &str, file: &Path) -> Result<Key, SettingsError> {
    let pem = Secret::from(read_file(setting, file)?);
    Ok(Key::pem(pem.expose()))
}

fn check(setting: &str, keyring: Result<Keyring, KeyringError>) -> Result<Keyring, SettingsError> {
    keyring.map_err(|error| SettingsError::new(setting, error))
}
