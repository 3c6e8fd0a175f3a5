//! Errors of key rings and tokens.

use super::algorithm::Algorithm;
use crate::error_debug::debug_with_message;

/// Error returned when a [`Keyring`](crate::Keyring) cannot be built.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The HMAC secret is empty, shorter than its hash, or one byte repeated
    /// (RFC 7518 section 3.2, RFC 8725 section 3.5).
    #[error(
        "the secret is too weak for {algorithm}; use at least {needed} random bytes, \
         for instance from `openssl rand -base64 {needed}`"
    )]
    WeakSecret {
        /// The algorithm of the key ring.
        algorithm: Algorithm,
        /// The least number of bytes: 32, 48 or 64.
        needed: usize,
    },
    /// The HMAC secret is a key or certificate, which is often public (RFC 8725 section 2.1).
    #[error(
        "the HMAC secret is a PEM, DER, SSH or JWK key, perhaps encoded once more; \
         give random bytes, or use the algorithm of the key"
    )]
    KeyAsSecret,
    /// The HMAC secret is not valid base64.
    #[error(
        "the secret is not base64; give the output of `openssl rand -base64`, \
         or use `Key::secret` for text that is used as it is"
    )]
    InvalidBase64,
    /// A secret was given for a key pair algorithm, or a PEM or DER key for an HMAC.
    #[error("{0} takes {takes}, not a key of another kind", takes = .0.takes())]
    WrongKind(Algorithm),
    /// The key cannot be used for the algorithm.
    #[error("the key cannot be used for {algorithm}, which takes {}: {problem}", .algorithm.takes())]
    #[non_exhaustive]
    InvalidKey {
        /// The algorithm of the key ring.
        algorithm: Algorithm,
        /// What was found, and what to do.
        problem: KeyProblem,
    },
    /// The key ring has no key.
    #[error("the key ring is empty; add a signing key")]
    NoKey,
    /// The key ring has more than three keys.
    #[error("the key ring has more than three keys; remove the oldest")]
    TooManyKeys,
    /// A `kid` is empty or longer than 128 bytes.
    #[error("a kid is empty or too long; use 1 to 128 bytes")]
    InvalidKid,
    /// Two keys have the same `kid`.
    #[error("two keys have the same kid; use a different one for each key")]
    DuplicateKid,
    /// A reload would reject the tokens that the key ring signs now, which ends their sessions.
    #[error(
        "the next key ring does not accept the tokens that are signed now, which ends all sessions; \
         add the present signing key as a previous key, or use `Keyring::replace`"
    )]
    EndsSessions,
    /// A reload would leave the key ring without a signing key.
    #[error(
        "the next key ring has no signing key, so that no session could be created; \
         add one with `KeyringBuilder::signing`, or use `Keyring::replace`"
    )]
    NoSigningKey,
    /// A reload would change issuer, audience or leeway.
    #[error(
        "the next key ring has another issuer, audience or leeway; \
         give it those of the present one, or use `Keyring::replace`"
    )]
    OtherRules,
    /// The leeway is more than 300 seconds.
    #[error("the leeway is more than 300 seconds; set the clocks right instead")]
    LeewayTooLong,
    /// A signature by the signing key does not verify.
    #[error("a test signature with {0} does not verify; make a new key")]
    SelfTest(Algorithm),
}

debug_with_message!(
    KeyringError: WeakSecret, KeyAsSecret, InvalidBase64, WrongKind, InvalidKey, NoKey, TooManyKeys,
    InvalidKid, DuplicateKid, EndsSessions, NoSigningKey, OtherRules, LeewayTooLong, SelfTest
);

/// Reason why the key of a key pair cannot be used: what was found, and what to do.
///
/// ```
/// use jwt_redis_session::token::{Key, KeyProblem, KeyringError};
/// use jwt_redis_session::{Algorithm, Keyring};
///
/// let keyring = Keyring::builder(Algorithm::EdDsa).signing(Key::pem("not PEM")).build();
/// let Err(KeyringError::InvalidKey { problem, .. }) = keyring else { panic!("it is no key") };
/// assert_eq!(problem, KeyProblem::NoPem);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// A certificate, whose dates and issuer would not be checked.
    #[error(
        "it is a certificate, which is not validated here; \
         give its public key, from `openssl x509 -in cert.pem -pubkey -noout`"
    )]
    Certificate,
    /// An encrypted private key, in PKCS#8 or in the legacy form (`Proc-Type: 4,ENCRYPTED`).
    #[error(
        "it is an encrypted private key; \
         decrypt it with `openssl pkey -in key.pem -out plain.pem`"
    )]
    Encrypted,
    /// An EC private key in SEC1.
    #[error(
        "it is an EC private key in SEC1 form; \
         convert it to PKCS#8 with `openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem`"
    )]
    Sec1,
    /// A key in a format of SSH.
    #[error(
        "it is a key in SSH format; convert a private one with `ssh-keygen -p -m PKCS8 -f key`, \
         a public one with `ssh-keygen -e -m PKCS8 -f key.pub`"
    )]
    OpenSsh,
    /// A JSON Web Key.
    #[error("it is a JWK; convert it to PEM, PKCS#8 if it is private, SPKI if it is public")]
    Jwk,
    /// A public key where a private one is needed.
    #[error("it is a public key, which cannot sign; give the private key")]
    Public,
    /// A private key where a public one is enough.
    #[error(
        "it is a private key, and only the public one is needed; \
         give the output of `openssl pkey -in key.pem -pubout`"
    )]
    Private,
    /// An RSA key that is too short or too long.
    #[error(
        "it is an RSA key of {0} bits; make one with \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`"
    )]
    RsaSize(usize),
    /// PEM text with more than one block.
    #[error("the PEM text has {0} blocks; give only the block of the key")]
    Blocks(usize),
    /// A PEM block with a label that is not that of a key.
    #[error("the PEM block is not a key; its label must be PRIVATE KEY or PUBLIC KEY")]
    Label,
    /// A PEM block without an end, with another label at the end, or with damaged base64 or DER.
    #[error("the PEM block is damaged; copy it again, from `-----BEGIN` to `-----END …-----`")]
    Damaged,
    /// Text in UTF-16.
    #[error("it is text in UTF-16; save it as UTF-8")]
    Utf16,
    /// Text without a PEM block.
    #[error("there is no PEM block in it; give the text of a PEM file, or DER bytes to `Key::der`")]
    NoPem,
    /// Bytes that are not a key in DER.
    #[error("it is not a key in DER; give the bytes of a DER file, or PEM text to `Key::pem`")]
    NoDer,
    /// A key of another kind or curve, or one whose numbers are not valid.
    #[error("it is a key of another kind or curve, or damaged; make a new key for the algorithm")]
    Invalid,
}

/// Error returned when a token cannot be signed.
///
/// ```
/// use std::time::SystemTime;
/// use jwt_redis_session::token::{NewClaims, TokenError};
/// use jwt_redis_session::{Keyring, SessionId};
///
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let claims = serde_json::json!({ "sub": "al" });
/// let claims = NewClaims::at(SystemTime::now()).custom(claims.as_object().unwrap());
/// let signed = keyring.sign(&SessionId::random(), &claims);
/// assert_eq!(signed.unwrap_err(), TokenError::ReservedClaim("sub"));
/// # Ok::<(), jwt_redis_session::token::KeyringError>(())
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The claims of the application contain one that the session sets.
    #[error("the claim `{0}` is set by the session; remove it")]
    ReservedClaim(&'static str),
    /// The claims of the application contain a registered one of the wrong type.
    #[error("the claim `{0}` has the wrong type; see RFC 7519 section 4.1")]
    InvalidClaim(&'static str),
    /// Opaque tokens carry no claims.
    #[error("opaque tokens carry no claims; use JWTs, or keep the values in the session")]
    ClaimsUnsupported,
    /// The session id of an opaque token is the hash of the token, so it cannot be chosen.
    #[error("the session id of an opaque token cannot be chosen; use JWTs")]
    IdUnsupported,
    /// The token would be longer than the 8192 bytes that are accepted back.
    #[error("the token would be longer than 8192 bytes; keep the values in the session instead")]
    TooLong,
    /// A time is before 1970 or beyond 2^53 seconds after it.
    #[error("a time of the token is before 1970 or too far ahead; check the clock")]
    Time,
    /// The key ring has no signing key.
    #[error("the key ring has no signing key; add one with `KeyringBuilder::signing`")]
    NoSigningKey,
    /// The JSON encoder or the cryptographic library failed.
    #[error("signing failed: the cryptographic library gives no reason")]
    Signing,
}

debug_with_message!(
    TokenError: ReservedClaim, InvalidClaim, ClaimsUnsupported, IdUnsupported, TooLong, Time,
    NoSigningKey, Signing
);

/// Error returned by [`Claims::get`](crate::Claims::get) for a claim of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claim has another type than the requested one")]
pub struct ClaimTypeError(pub(super) ());
