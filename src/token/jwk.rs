//! Public keys in JSON: JSON Web Keys (RFC 7517).

use super::algorithm::Algorithm;
use super::der;
use crate::crypto::{self, VerifyingKey};
use crate::encoding::base64url;

/// A public key as the members that identify it, in the form that RFC 7638 hashes: without white
/// space, in lexicographic order.
pub(super) struct Jwk(String);

impl Jwk {
    /// Returns `None` for an HMAC secret, which has no public part.
    pub(super) fn of(algorithm: Algorithm, key: &VerifyingKey) -> Option<Self> {
        let spki = key.spki()?;
        let key = der::public_key(spki.as_ref())?;
        let curve = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
            Algorithm::Es256 => "P-256",
            Algorithm::Es384 => "P-384",
            Algorithm::EdDsa => "Ed25519",
            _ => {
                let (n, e) = der::rsa_numbers(key)?;
                let (n, e) = (base64url(n), base64url(e));
                return Some(Self(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)));
            }
        };
        if algorithm == Algorithm::EdDsa {
            let x = base64url(key);
            return Some(Self(format!(
                r#"{{"crv":"{curve}","kty":"OKP","x":"{x}"}}"#
            )));
        }
        // An uncompressed point (SEC 1, section 2.3.3): 4, then x and y of the same size.
        let point = key.strip_prefix(&[4])?;
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (base64url(x), base64url(y));
        Some(Self(format!(
            r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#
        )))
    }

    /// Returns the SHA-256 thumbprint in base64url (RFC 7638).
    pub(super) fn thumbprint(&self) -> String {
        base64url(crypto::sha256(self.0.as_bytes()))
    }

    /// Returns the key as JSON with its use, its algorithm and its name, by default its thumbprint.
    pub(super) fn to_json(&self, algorithm: Algorithm, kid: Option<&str>) -> String {
        let members = &self.0[..self.0.len() - 1];
        let kid = kid.map_or_else(|| self.thumbprint(), str::to_owned);
        let kid = serde_json::Value::from(kid);
        format!(r#"{members},"use":"sig","alg":"{algorithm}","kid":{kid}}}"#)
    }
}
