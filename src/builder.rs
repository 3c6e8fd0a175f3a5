//! Configuration of sessions.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::counters::ReadMetrics;
use crate::id::SessionId;
use crate::lifecycle::{Evict, Lifecycle, Lifetime, Touch, is_storable};
use crate::record::Keyspace;
use crate::sessions::Sessions;
use crate::store::SharedStore;
use crate::token::TokenFormat;

/// Builder of [`Sessions`], returned by [`Sessions::builder`].
///
/// All settings have defaults; [`build`](Self::build) checks them.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::config::Evict;
/// use jwt_redis_session::{Keyring, Lifetime, MemoryStore, Sessions};
///
/// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring)
///     .keyspace("shop:")
///     .lifetime(Lifetime::Both {
///         idle: Duration::from_secs(3600),
///         absolute: Duration::from_secs(30 * 86_400),
///     })
///     .max_sessions(10, Evict::LeastRecentlyUsed)
///     .max_size(64 * 1024)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "call `build` to get the sessions"]
pub struct SessionsBuilder {
    lifecycle: Lifecycle,
    any_keyspace: bool,
}

impl Sessions {
    /// Starts building sessions that are kept in `store`. `tokens` is a
    /// [`Keyring`](crate::Keyring) for JWTs, or [`OpaqueTokens`](crate::OpaqueTokens).
    ///
    /// Several `Sessions`, each with its own [keyspace](SessionsBuilder::keyspace), can share one
    /// store; see [`store`](crate::store).
    pub fn builder(
        store: impl Into<SharedStore>,
        tokens: impl Into<TokenFormat>,
    ) -> SessionsBuilder {
        SessionsBuilder::new(store.into(), Some(tokens.into()))
    }

    /// Starts building sessions that have no tokens and are addressed by id. They need no key ring.
    ///
    /// Create them with [`without_token`](crate::session::CreateSession::without_token), and open
    /// them with [`get`](Sessions::get). Every token is rejected.
    ///
    /// ```
    /// # use jwt_redis_session::{MemoryStore, SessionId, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::without_tokens(MemoryStore::new()).keyspace("order:").build()?;
    ///
    /// let session = sessions.new_session();
    /// session.insert("state", "paid")?;
    /// let id = SessionId::parse("order-2024-000017")?;
    /// session.create().id(id.clone()).without_token().await?;
    ///
    /// let state: Option<String> = sessions.get(&id).await?.get("state")?;
    /// assert_eq!(state.as_deref(), Some("paid"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_tokens(store: impl Into<SharedStore>) -> SessionsBuilder {
        SessionsBuilder::new(store.into(), None)
    }
}

impl SessionsBuilder {
    fn new(store: SharedStore, format: Option<TokenFormat>) -> Self {
        Self {
            lifecycle: Lifecycle {
                store,
                format,
                keyspace: Keyspace::new("sess:"),
                lifetime: Lifetime::Idle(Duration::from_secs(86_400)),
                touch: None,
                auth_time: false,
                max_size: 1 << 20,
                max_fields: 1000,
                max_sessions: None,
                clock: Arc::new(SystemClock),
                new_id: Arc::new(SessionId::random),
                end_reasons: Arc::default(),
                reads: ReadMetrics::default(),
            },
            any_keyspace: false,
        }
    }

    /// Sets the prefix of every key in the store. Defaults to `sess:`.
    ///
    /// It must end with a character that no id contains, such as `:`, so that sessions of
    /// different keyspaces never see each other, even under the same secret.
    pub fn keyspace(mut self, prefix: impl Into<String>) -> Self {
        self.lifecycle.keyspace = Keyspace::new(prefix);
        self.any_keyspace = false;
        self
    }

    /// Sets a prefix that may be empty or end like an id, for sharing sessions with an npm app
    /// whose keyspace is for example `sess`.
    ///
    /// Make sure that no other keyspace of the database begins with `prefix`: keyspaces such as
    /// `app` and `app2` can read each other's sessions.
    pub fn keyspace_without_delimiter(mut self, prefix: impl Into<String>) -> Self {
        self.lifecycle.keyspace = Keyspace::new(prefix);
        self.any_keyspace = true;
        self
    }

    /// Sets how long a session lives after its last use: a shorthand for
    /// [`lifetime`](Self::lifetime) with [`Lifetime::Idle`]. Defaults to 86,400 s (a day).
    pub fn max_age(self, max_age: Duration) -> Self {
        self.lifetime(Lifetime::Idle(max_age))
    }

    /// Sets how long a session lives. Defaults to [`Lifetime::Idle`] of a day.
    /// [`Lifetime::owasp`] is a good choice for users who log in with a password.
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifecycle.lifetime = lifetime;
        self
    }

    /// Sets when a read resets the time to live. Defaults to [`Touch::After`] 1/16 of the idle
    /// time.
    pub fn touch(mut self, touch: Touch) -> Self {
        self.lifecycle.touch = Some(touch);
        self
    }

    /// Adds the claim `auth_time` to JWTs: when the owner last authenticated, in Unix seconds
    /// (OpenID Connect Core 1.0, section 2). Off by default.
    ///
    /// For programs that verify tokens themselves. A token keeps its `auth_time` until the session
    /// gets another token, and has none while that time is unknown. This crate never reads the
    /// claim: [`Session::authenticated_at`](crate::Session::authenticated_at) comes from the
    /// record. The application then cannot set a claim with this name. Opaque tokens have no
    /// claims.
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring).auth_time_claim().build()?;
    ///
    /// let session = sessions.new_session();
    /// session.login("jo").await?;
    /// let auth_time: Option<u64> = session.claims().unwrap().get("auth_time")?;
    /// assert!(auth_time.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn auth_time_claim(mut self) -> Self {
        self.lifecycle.auth_time = true;
        self
    }

    /// Sets the largest record in bytes of JSON. Defaults to 1 MiB. A stored record that is larger
    /// is rejected as corrupt.
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.lifecycle.max_size = bytes;
        self
    }

    /// Sets the largest number of top-level fields of a session. Defaults to 1,000.
    ///
    /// Every update reads all fields, so sessions with very many fields cost much CPU time. A
    /// stored record with more fields can be read, touched and destroyed, but a write must leave at
    /// most this number.
    pub fn max_fields(mut self, fields: usize) -> Self {
        self.lifecycle.max_fields = fields;
        self
    }

    /// Limits the sessions of an owner; `evict` is the rule for a login beyond the limit. By
    /// default there is no limit.
    ///
    /// Enforced when a session gets its owner: by [`create`](crate::Session::create) and
    /// [`login`](crate::Session::login), and by [`update`](crate::Session::update) and
    /// [`rotate`](crate::Session::rotate) after [`set_owner`](crate::Session::set_owner). A
    /// rotation for the same owner does not count as another session. Sessions that have ended do
    /// not count.
    ///
    /// When all concurrent logins of an owner have returned, at most `limit` of the sessions that
    /// they or earlier logins have returned still work. With [`Evict::LeastRecentlyUsed`],
    /// [`Session::evicted`](crate::Session::evicted) returns the sessions that were ended. With
    /// [`Evict::Refuse`] the login fails with
    /// [`SessionError::TooManySessions`](crate::SessionError::TooManySessions). If two logins
    /// compete for the last place, one waits up to 500 ms until the other is undone, and then
    /// succeeds.
    ///
    /// What it does not promise:
    ///
    /// - After a crash during a login, one session more than `limit` may work. The next login or
    ///   list of the owner ends it, if that is at least a minute later. With [`Evict::Refuse`] the
    ///   session of the crashed login, whose token no client has, counts until it expires or is
    ///   destroyed.
    /// - A login during a rotation of the same owner counts both ids, so it may end one session too
    ///   many, or be refused.
    /// - A lower limit takes effect with the next login of the owner, and only in processes with
    ///   this setting.
    ///
    /// Each login reads the ids of the owner and their records: two round trips for up to 16
    /// sessions, and one more for each 16. Ending one session takes four round trips.
    ///
    /// ```
    /// use jwt_redis_session::config::Evict;
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring)
    ///     .max_sessions(1, Evict::LeastRecentlyUsed)
    ///     .build()?;
    /// let (phone, laptop) = (sessions.new_session(), sessions.new_session());
    /// phone.login("jo").await?;
    /// laptop.login("jo").await?;
    /// assert_eq!(laptop.evicted(), [phone.id().unwrap()]);
    /// assert_eq!(phone.is_alive().await, Ok(false));
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_sessions(mut self, limit: usize, evict: Evict) -> Self {
        self.lifecycle.max_sessions = Some((limit, evict));
        self
    }

    /// Sets the clock for tokens and lifetimes. Defaults to the clock of the operating system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.lifecycle.clock = Arc::new(clock);
        self
    }

    /// Sets how session ids are generated. Defaults to [`SessionId::random`]. Ids must be
    /// unguessable and must never repeat. Opaque tokens ignore the generator, because their ids are
    /// hashes. Sessions with a [chosen id](crate::session::CreateSession::id) use it for a nonce.
    pub fn id_generator(mut self, new_id: impl Fn() -> SessionId + Send + Sync + 'static) -> Self {
        self.lifecycle.new_id = Arc::new(new_id);
        self
    }

    /// Checks the configuration and builds the sessions.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a lifetime is below a millisecond or above 100 years, if
    /// [`Touch::After`] is longer than the idle time, if the keyspace has no delimiter, or if no
    /// session is allowed.
    pub fn build(self) -> Result<Sessions, ConfigError> {
        let lifecycle = self.lifecycle;
        let (idle, absolute) = (lifecycle.lifetime.idle(), lifecycle.lifetime.absolute());
        if ![idle, absolute].into_iter().flatten().all(is_storable) {
            return Err(ConfigError::Lifetime);
        }
        if !self.any_keyspace && !lifecycle.keyspace.ends_with_delimiter() {
            return Err(ConfigError::Keyspace);
        }
        if matches!(lifecycle.max_sessions, Some((0, _))) {
            return Err(ConfigError::MaxSessions);
        }
        let idle = idle.unwrap_or_default();
        let is_too_long = |after| after > idle && !idle.is_zero();
        if matches!(lifecycle.touch, Some(Touch::After(after)) if is_too_long(after)) {
            return Err(ConfigError::TouchAfter);
        }
        let lifecycle = Arc::new(lifecycle);
        Ok(Sessions { lifecycle })
    }
}
