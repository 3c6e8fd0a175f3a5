//! The content of a verified token.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ClaimTypeError;
use super::object;
use crate::clock::from_unix_millis;
use crate::id::SessionId;

/// Content of a verified token: the session id and the claims.
///
/// The store was not read: the session may be destroyed, expired, or of another keyspace.
/// So **this is not a login**. Use it for a response or a log; only
/// [`Sessions::open`](crate::Sessions::open) authenticates. `Debug` prints no claim, and a short
/// hash of the id.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// let session = sessions.new_session();
/// let token = session.login("jo").await?;
/// session.logout().await?;
///
/// let verified = sessions.verify(token.as_str()).unwrap();
/// let claims = verified.claims().expect("the token is a JWT");
/// assert_eq!(claims.subject().as_deref(), Some("jo"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verified {
    pub(crate) id: SessionId,
    pub(crate) claims: Option<Claims>,
}

impl Verified {
    /// Returns the id of the session, which may not exist.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns the claims of the token; `None` for an opaque token, which has none.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }
}

/// Claims of a token that was verified by a [`Keyring`](crate::Keyring) (RFC 7519 section 4).
///
/// Cheap to clone. The session id and the times are parsed once, at verification. Verification only
/// checks that the other claims can be read; each call parses them again. `Debug` prints no value.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// let session = sessions.new_session();
/// session.create().claims(serde_json::json!({ "tenant": "acme" })).await?;
///
/// let claims = session.claims().expect("the token is a JWT");
/// assert_eq!(claims.get("tenant")?, Some("acme".to_owned()));
/// assert_eq!(Some(claims.id()), session.id().as_ref());
/// assert_eq!(claims.expires_at(), None); // without an absolute lifetime
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Claims {
    pub(super) id: SessionId,
    /// Unix milliseconds.
    pub(super) issued_at: Option<i64>,
    /// Unix milliseconds.
    pub(super) expires_at: Option<i64>,
    /// Unix milliseconds.
    pub(super) not_before: Option<i64>,
    /// The JSON object: no duplicate names, every value readable.
    pub(super) payload: Arc<str>,
    /// The names of the claims that the session sets.
    pub(super) reserved: &'static [&'static str],
}

impl Claims {
    /// Returns the id of the session: `jti`.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns `sub` if it is a string: the owner at the time the token was issued.
    ///
    /// `None` if the token has no `sub` or one of another type, such as the number that an npm
    /// application may have set; [`get`](Self::get) reads those. The owner of a session comes from
    /// its record ([`Session::owner`](crate::Session::owner)), never from the token.
    #[must_use]
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        object::member(&self.payload, "sub").and_then(object::text)
    }

    /// Returns when the token was signed: `iat`, to the millisecond.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at.and_then(from_unix_millis)
    }

    /// Returns when the token expires: `exp`, to the millisecond; `None` if it does not.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.and_then(from_unix_millis)
    }

    /// Returns `exp` in whole Unix seconds, rounded down.
    pub(crate) fn expires_at_unix(&self) -> Option<i64> {
        self.expires_at.map(|millis| millis.div_euclid(1000))
    }

    /// Returns the claim `name` as a `T`; `None` if the token has no such claim.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// use jwt_redis_session::{Keyring, SessionId, token::NewClaims};
    ///
    /// # let secret: [u8; 32] = std::array::from_fn(|n| n as u8);
    /// let keyring = Keyring::hs256(secret)?;
    /// let now = SystemTime::now();
    /// let mut custom = serde_json::Map::new();
    /// custom.insert("tenant".into(), "acme".into());
    /// let token = keyring.sign(&SessionId::random(), &NewClaims::at(now).custom(&custom))?;
    ///
    /// let claims = keyring.verify(token.as_str(), now).unwrap();
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
        object::member(&self.payload, name)
            .map(|value| serde_json::from_str(value).map_err(|_| ClaimTypeError(())))
            .transpose()
    }

    /// Returns the claims of the application: all but those that the session sets, which are
    /// `jti`, `iat`, `sub`, `exp`, and `iss` and `aud` if the key ring configures them.
    ///
    /// # Errors
    ///
    /// [`ClaimTypeError`] if a value cannot be read, which verification rules out.
    pub(crate) fn custom(&self) -> Result<Map<String, Value>, ClaimTypeError> {
        let mut custom: Map<String, Value> =
            serde_json::from_str(&self.payload).map_err(|_| ClaimTypeError(()))?;
        // Rotation issues new ones, and would reject the old ones as reserved names.
        for name in self.reserved {
            custom.remove(*name);
        }
        Ok(custom)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([redacted])")
    }
}
