//! How sessions are configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::lifetime::{DEFAULT_SHARE, Lifetime, is_storable};
use crate::record::keyspace::Keyspace;
use crate::sessions::Sessions;
use crate::store::SharedStore;
use crate::token::TokenFormat;

/// Builds [`Sessions`]; made by [`Sessions::builder`].
#[must_use = "call `build` to get the sessions"]
pub struct SessionsBuilder {
    store: SharedStore,
    format: TokenFormat,
    keyspace: Box<str>,
    max_age: Option<Duration>,
    absolute_lifetime: Option<Duration>,
    touch_every_read: bool,
    touch_after: Option<Duration>,
    max_size: usize,
    clock: Arc<dyn Clock>,
    new_id: Arc<dyn Fn() -> SessionId + Send + Sync>,
}

impl Sessions {
    /// Starts building sessions that live in `store` and whose tokens are `tokens`: a
    /// [`Keyring`](crate::Keyring) for JWTs, or [`OpaqueTokens`](crate::OpaqueTokens).
    ///
    /// Several `Sessions`, each with a [keyspace](SessionsBuilder::keyspace) of its own, may share
    /// one store: clones of it, or of one [`SharedStore`].
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// use jwt_redis_session::store::SharedStore;
    ///
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let store = SharedStore::from(MemoryStore::new());
    /// let shop = Sessions::builder(store.clone(), keyring.clone()).keyspace("shop:");
    /// let admin = Sessions::builder(store, keyring).keyspace("admin:");
    /// # shop.build()?;
    /// # admin.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(
        store: impl Into<SharedStore>,
        tokens: impl Into<TokenFormat>,
    ) -> SessionsBuilder {
        SessionsBuilder {
            store: store.into(),
            format: tokens.into(),
            keyspace: "sess:".into(),
            max_age: Some(Duration::from_secs(86_400)),
            absolute_lifetime: None,
            touch_every_read: false,
            touch_after: None,
            max_size: 1 << 20,
            clock: Arc::new(SystemClock),
            new_id: Arc::new(SessionId::random),
        }
    }
}

impl SessionsBuilder {
    /// Sets the prefix of every name in the store. Defaults to `sess:`.
    ///
    /// Sessions of different keyspaces never see each other, even under the same secret. End it
    /// with a delimiter such as `:`, which no id contains: of the keyspaces `app` and `app2` one
    /// is the beginning of the other's names.
    pub fn keyspace(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.keyspace = prefix.into();
        self
    }

    /// Sets how long a session lives after its last use. Defaults to 86,400 s (a day).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Lets idle sessions live to the end of their absolute lifetime, which must be set.
    pub fn no_max_age(mut self) -> Self {
        self.max_age = None;
        self
    }

    /// Sets how long a session lives from its creation, however much it is used. Defaults to
    /// no limit. Tokens then carry `exp`, and a JWT without it is rejected.
    pub fn absolute_lifetime(mut self, lifetime: Duration) -> Self {
        self.absolute_lifetime = Some(lifetime);
        self
    }

    /// Sets 30 minutes of idle and 12 hours of absolute lifetime (OWASP ASVS 5.0, 7.3).
    pub fn hardened(self) -> Self {
        self.max_age(Duration::from_secs(30 * 60))
            .absolute_lifetime(Duration::from_secs(12 * 3600))
    }

    /// Pushes the time to live back on every read. Defaults to false: only once some time has
    /// passed since the last use ([`touch_after`](Self::touch_after)), so that most reads write
    /// nothing.
    pub fn touch_every_read(mut self, exact: bool) -> Self {
        self.touch_every_read = exact;
        self
    }

    /// Sets how long after its last use a read pushes the session's time to live back. Defaults to
    /// 1/16 of the max age; at most the max age, to the millisecond.
    ///
    /// Each read costs the session up to so much of its max age: one that is used all the time may
    /// still end so much early after its last use. Zero pushes back on nearly every read, though
    /// not along with it; the max age itself means never, so that only what writes the session or
    /// touches it keeps it alive. A time set by [`touch_for`](crate::Session::touch_for) that is
    /// shorter than the max age by no more than this is not set back by a read. Without meaning if
    /// each read pushes back, or without a max age.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring)
    ///     .max_age(Duration::from_secs(3600))
    ///     .touch_after(Duration::from_secs(60))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn touch_after(mut self, idle: Duration) -> Self {
        self.touch_after = Some(idle);
        self
    }

    /// Sets the largest record in bytes. Defaults to 1 MiB.
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// Sets the clock by which tokens are issued and judged. Defaults to the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how session ids are drawn. Defaults to [`SessionId::random`]. Ids must be
    /// unguessable and never repeat. Opaque tokens ignore it: their id is the token's hash.
    /// [`Session::create_as`](crate::Session::create_as) draws a nonce with it.
    pub fn id_generator(mut self, new_id: impl Fn() -> SessionId + Send + Sync + 'static) -> Self {
        self.new_id = Arc::new(new_id);
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a lifetime is zero or above 100 years, if there is neither a max age
    /// nor an absolute lifetime, or if [`touch_after`](Self::touch_after) is above the max age.
    pub fn build(self) -> Result<Sessions, ConfigError> {
        for (name, lifetime) in [
            ("max_age", self.max_age),
            ("absolute_lifetime", self.absolute_lifetime),
        ] {
            if lifetime.is_some_and(|lifetime| !is_storable(lifetime)) {
                return Err(ConfigError::Lifetime(name));
            }
        }
        let lifetime = match (self.max_age, self.absolute_lifetime) {
            (Some(idle), None) => Lifetime::Idle(idle),
            (None, Some(absolute)) => Lifetime::Absolute(absolute),
            (Some(idle), Some(absolute)) => Lifetime::Both { idle, absolute },
            (None, None) => return Err(ConfigError::Endless),
        };
        let idle = lifetime.idle();
        if self.touch_after > idle && idle.is_some() {
            return Err(ConfigError::TouchAfter);
        }
        let touch_after = self
            .touch_after
            .unwrap_or_else(|| idle.unwrap_or_default() / DEFAULT_SHARE);
        Ok(Sessions::new(Engine {
            store: self.store,
            format: self.format,
            keyspace: Keyspace::new(self.keyspace),
            lifetime,
            touch_every_read: self.touch_every_read,
            touch_after,
            max_size: self.max_size,
            clock: self.clock,
            new_id: self.new_id,
        }))
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("store", &self.store)
            .field("keyspace", &self.keyspace)
            .field("max_age", &self.max_age)
            .field("absolute_lifetime", &self.absolute_lifetime)
            .finish_non_exhaustive()
    }
}

/// Why sessions cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The named lifetime is zero or above 100 years.
    #[error("`{0}` must be at least a millisecond and at most 100 years")]
    Lifetime(&'static str),
    /// There is neither a max age nor an absolute lifetime.
    #[error("`no_max_age` needs an `absolute_lifetime`: a session must end some time")]
    Endless,
    /// The time after which a read pushes the time to live back is longer than the max age.
    #[error("`touch_after` must not be longer than `max_age`: no session is idle for so long")]
    TouchAfter,
}
