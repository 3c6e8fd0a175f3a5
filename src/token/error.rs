//! What can go wrong when a key ring is built or a token is made.

use super::algorithm::Algorithm;

/// A key ring cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The HMAC secret is empty, shorter than its hash, or one byte repeated
    /// (RFC 7518 section 3.2, RFC 8725 section 3.5).
    #[error(
        "the secret is too weak for {algorithm}: use at least {needed} random bytes, \
         for instance from `openssl rand -base64 {needed}`"
    )]
    WeakSecret {
        /// The algorithm of the key ring.
        algorithm: Algorithm,
        /// The least number of bytes: 32, 48 or 64.
        needed: usize,
    },
    /// The HMAC secret is the text of a key pair or certificate, which is often public
    /// (RFC 8725 section 2.1).
    #[error(
        "the HMAC secret is a PEM, DER, SSH or JWK key: give random bytes, \
         or name the algorithm that the key is for"
    )]
    KeyAsSecret,
    /// A secret was given for a public-key algorithm, or a PEM or DER key for an HMAC.
    #[error("{0} takes {kind}", kind = takes(*.0))]
    WrongKind(Algorithm),
    /// The key cannot be read, or is not one of the algorithm.
    #[error(
        "the key cannot be read as one for {0}: give PEM or DER in PKCS#8 (private) or SPKI \
         (public), or PKCS#1 for RSA of 2048 to 8192 bits; \
         `openssl pkcs8 -topk8 -nocrypt` converts others"
    )]
    InvalidKey(Algorithm),
    /// The key ring has neither a signing key nor a verifying one.
    #[error("the key ring is empty: give it a signing key")]
    NoKey,
    /// The key ring has more than three keys.
    #[error("the key ring has more than three keys: drop the oldest")]
    TooManyKeys,
    /// A `kid` is empty or longer than 128 bytes.
    #[error("a kid is 1 to 128 bytes long")]
    InvalidKid,
    /// Two keys have the same `kid`.
    #[error("two keys have the same kid: give every key its own")]
    DuplicateKid,
    /// The leeway is more than 300 seconds.
    #[error("the leeway is more than 300 seconds: set the clocks right instead")]
    LeewayTooLong,
    /// A signature by the signing key does not verify.
    #[error("signing with {0} does not work: the key is broken, or the cryptography is")]
    SelfTest(Algorithm),
}

fn takes(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => "a secret, not a PEM or DER key",
        _ => "a PEM or DER key, not a secret",
    }
}

/// A token cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The caller's claims contain one that is not theirs to set.
    #[error("the claim `{0}` is set by the session itself: leave it out")]
    ReservedClaim(&'static str),
    /// The caller's claims contain a registered one of the wrong type.
    #[error("the claim `{0}` has the wrong type (RFC 7519 section 4.1)")]
    InvalidClaim(&'static str),
    /// Opaque tokens carry no claims.
    #[error("opaque tokens carry no claims: use JWTs, or keep the values in the session")]
    ClaimsUnsupported,
    /// The id of an opaque token's session is a hash of the token, so nobody can choose it.
    #[error("opaque tokens decide the session's id themselves: use JWTs to choose one")]
    IdUnsupported,
    /// The token would be longer than the 8192 bytes that are accepted back.
    #[error("the token would be longer than 8192 bytes: keep the values in the session instead")]
    TooLong,
    /// A time lies before 1970 or beyond what JSON numbers hold.
    #[error("a time of the token lies before 1970 or too far ahead: check the clock")]
    Time,
    /// The key ring only verifies.
    #[error("the key ring has no signing key: it only verifies")]
    NoSigningKey,
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Encoding,
    /// The cryptographic library failed to sign.
    #[error("signing failed: the cryptographic library reports no reason")]
    Signing,
}

/// A claim of a verified token is not of the type that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claim is not of the type that was asked for")]
pub struct ClaimTypeError(pub(super) ());
