//! The claims of a verified token.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ClaimTypeError;
use super::numeric_date::NumericDate;
use super::object;
use super::policy::Reserved;
use super::registered::InForce;
use crate::id::SessionId;

/// What a token says that was signed by the key ring and is in force (RFC 7519 section 4).
///
/// Cheap to clone. The caller's own claims are parsed when they are asked for, one by one.
/// `Debug` prints no value.
#[derive(Clone)]
pub struct Claims(Arc<Inner>);

struct Inner {
    id: SessionId,
    subject: Option<Box<str>>,
    issued_at: Option<NumericDate>,
    expires_at: Option<NumericDate>,
    /// The JSON object, already found to be one without a name twice.
    payload: String,
    reserved: Reserved,
}

impl Claims {
    /// The session that the token names: `jti`.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.0.id
    }

    /// The owner that the token names: `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// When the token was signed: `iat`, in whole seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> Option<i64> {
        self.0.issued_at.map(NumericDate::seconds)
    }

    /// When the token runs out: `exp`, in whole seconds since 1970; `None` if it does not.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.0.expires_at.map(NumericDate::seconds)
    }

    /// Reads the claim `name`; `None` if the token has none of that name.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// use jwt_redis_session::{Keyring, NewClaims, SessionId};
    ///
    /// # let secret: [u8; 32] = std::array::from_fn(|n| n as u8);
    /// let keyring = Keyring::hs256(secret)?;
    /// let mut custom = serde_json::Map::new();
    /// custom.insert("tenant".into(), "acme".into());
    /// let token = keyring.sign(&SessionId::random(), &NewClaims::at(1).custom(&custom))?;
    ///
    /// let claims = keyring.verify(token.as_str(), SystemTime::now()).unwrap();
    /// assert_eq!(claims.get("tenant")?, Some("acme".to_owned()));
    /// assert_eq!(claims.get::<u32>("role")?, None);
    /// assert!(claims.get::<u32>("tenant").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClaimTypeError`] if the claim is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClaimTypeError> {
        let mut found = None;
        let keep = |other: &str, value| {
            if other == name {
                found = Some(value);
            }
        };
        object::members(&self.0.payload, keep).ok_or(ClaimTypeError(()))?;
        found
            .map(|value: &str| serde_json::from_str(value).map_err(|_| ClaimTypeError(())))
            .transpose()
    }

    /// The caller's own claims: all but those the session sets itself, which are `jti`, `iat`,
    /// `sub`, `exp`, and `iss` and `aud` if the key ring configures them.
    ///
    /// # Errors
    ///
    /// [`ClaimTypeError`] if a value cannot be held, such as one nested more than 127 deep.
    pub(crate) fn custom(&self) -> Result<Map<String, Value>, ClaimTypeError> {
        let mut custom: Map<String, Value> =
            serde_json::from_str(&self.0.payload).map_err(|_| ClaimTypeError(()))?;
        for name in self.0.reserved.names() {
            custom.remove(name);
        }
        Ok(custom)
    }

    pub(super) fn new(claims: InForce, payload: String, reserved: Reserved) -> Self {
        Self(Arc::new(Inner {
            id: claims.id,
            subject: claims.subject,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
            payload,
            reserved,
        }))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([redacted])")
    }
}
