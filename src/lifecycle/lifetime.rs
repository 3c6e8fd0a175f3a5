//! Idle and absolute lifetimes, and when a use resets them.

use std::time::Duration;

/// The longest time to live: 100 years, far within what Redis takes.
const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The default of [`Touch::After`] is the max age divided by this.
pub(crate) const DEFAULT_SHARE: u32 = 16;

/// Returns whether a store can keep a record for `ttl`.
pub(crate) const fn is_storable(ttl: Duration) -> bool {
    ttl.as_millis() >= 1 && ttl.as_secs() <= MAX.as_secs()
}

/// Lifetime of sessions: idle, absolute, or both.
///
/// One session can have its own max age ([`set_max_age`](crate::Session::set_max_age)) and an
/// earlier absolute end ([`set_absolute_expiry`](crate::Session::set_absolute_expiry)).
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::{Keyring, Lifetime, MemoryStore, Sessions};
///
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring)
///     .lifetime(Lifetime::Both {
///         idle: Duration::from_secs(30 * 60),
///         absolute: Duration::from_secs(12 * 3600),
///     })
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// The session ends this long after its last use: the max age, or idle time.
    Idle(Duration),
    /// The session ends this long after its creation, even if it is used. Tokens carry `exp`, and a
    /// JWT without it is rejected.
    Absolute(Duration),
    /// The session ends at the earlier of the two times.
    Both {
        /// Time after the last use.
        idle: Duration,
        /// Time after the creation; see [`Absolute`](Self::Absolute).
        absolute: Duration,
    },
}

/// Rule for when a read resets the time to live of a session to the idle time.
///
/// Has no effect with [`Lifetime::Absolute`], except on a session with its own max age
/// ([`set_max_age`](crate::Session::set_max_age)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Touch {
    /// On every read, which then writes as well, in a second round trip.
    EveryRead,
    /// Once this much time has passed since the last use, so that most reads write nothing; at
    /// most the idle time. A session may expire up to this much earlier than the idle time after
    /// its last use. The default is 1/16 of the idle time. For a session with its own max age it is
    /// at most 1/16 of that.
    ///
    /// A read does not reset a time set by [`touch_for`](crate::Session::touch_for) that is shorter
    /// than the idle time by at most this much.
    After(Duration),
    /// Never: only writes, [`touch`](crate::Session::touch) and
    /// [`touch_for`](crate::Session::touch_for) change the time to live. A record that has none
    /// gets one.
    Never,
}

impl Lifetime {
    /// Returns 30 minutes of idle and 12 hours of absolute lifetime (OWASP ASVS 5.0, 7.3).
    #[must_use]
    pub const fn owasp() -> Self {
        Self::Both {
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 3600),
        }
    }

    pub(crate) const fn idle(self) -> Option<Duration> {
        match self {
            Self::Idle(idle) | Self::Both { idle, .. } => Some(idle),
            Self::Absolute(_) => None,
        }
    }

    pub(crate) const fn absolute(self) -> Option<Duration> {
        match self {
            Self::Absolute(absolute) | Self::Both { absolute, .. } => Some(absolute),
            Self::Idle(_) => None,
        }
    }

    /// Returns the absolute end of a session created at `now`, both in Unix seconds; a part of a
    /// second counts as a whole one.
    pub(crate) fn expires(self, now: i64) -> Option<i64> {
        let seconds = self.absolute()?.as_millis().div_ceil(1000);
        Some(now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    /// Returns the time to live that a use now gives to a session that ends at `expires` (Unix
    /// seconds); `None` if it has ended. `own` is the idle time of this session, if it differs from
    /// the configured one.
    pub(crate) fn ttl(
        self,
        own: Option<Duration>,
        expires: Option<i64>,
        now_millis: i64,
    ) -> Option<Duration> {
        let idle = own.or_else(|| self.idle());
        let longest = idle.or_else(|| self.absolute()).unwrap_or(MAX);
        // Another writer may have stored a longer one.
        limit(longest.min(MAX), expires, now_millis)
    }
}

/// Returns `ttl`, or what is left until `expires` (Unix seconds) if that is less; `None` if nothing
/// is left.
pub(crate) fn limit(ttl: Duration, expires: Option<i64>, now_millis: i64) -> Option<Duration> {
    let Some(expires) = expires else {
        return Some(ttl);
    };
    let left = expires.saturating_mul(1000).saturating_sub(now_millis);
    let left = Duration::from_millis(u64::try_from(left).ok()?);
    (!left.is_zero()).then_some(left.min(ttl))
}

/// How long a record had left when it was last seen or written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remaining {
    /// `None`: it did not expire.
    ttl: Option<Duration>,
    /// When that was, in Unix milliseconds. Taken before the call of the store, so the computed end
    /// is never later than the real one.
    at_millis: i64,
}

impl Remaining {
    pub(crate) const fn new(ttl: Option<Duration>, at_millis: i64) -> Self {
        Self { ttl, at_millis }
    }

    /// When it ends, in Unix milliseconds: at the latest at `end` (Unix seconds).
    pub(crate) fn expires(self, end: Option<i64>) -> Option<i64> {
        let ttl = self.ttl.map(|ttl| {
            let millis = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
            self.at_millis.saturating_add(millis)
        });
        let end = end.map(|end| end.saturating_mul(1000));
        [ttl, end].into_iter().flatten().min()
    }

    /// When that was, in Unix milliseconds.
    pub(crate) const fn at_millis(self) -> i64 {
        self.at_millis
    }

    /// Returns what is left at `now_millis`.
    pub(crate) fn at(self, now_millis: i64) -> Option<Duration> {
        let passed = now_millis.saturating_sub(self.at_millis);
        // Negative after the clock was set back. More time must not be left than was seen.
        let passed = Duration::from_millis(u64::try_from(passed).unwrap_or(0));
        self.ttl.map(|ttl| ttl.saturating_sub(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn use_never_extends_beyond_the_absolute_lifetime() {
        let (idle, absolute) = (S(10), S(60));
        let both = Lifetime::Both { idle, absolute };
        let expires = both.expires(1000);
        assert_eq!(expires, Some(1060));
        assert_eq!(both.ttl(None, expires, 1_000_000), Some(S(10)));
        assert_eq!(both.ttl(None, expires, 1_055_000), Some(S(5)));
        let last = both.ttl(None, expires, 1_059_999);
        assert_eq!(last, Some(Duration::from_millis(1)));
        assert_eq!(both.ttl(None, expires, 1_060_000), None);
        let idle = Lifetime::Idle(S(10));
        assert_eq!(idle.ttl(None, None, i64::MIN), Some(S(10)));
        let absolute = Lifetime::Absolute(absolute);
        assert_eq!(absolute.ttl(None, expires, 1_000_000), Some(S(60)));
        for lifetime in [both, absolute] {
            assert_eq!(lifetime.ttl(Some(S(20)), expires, 1_000_000), Some(S(20)));
            assert_eq!(lifetime.ttl(Some(S(20)), expires, 1_055_000), Some(S(5)));
            assert_eq!(lifetime.ttl(Some(S(99)), expires, 1_000_000), Some(S(60)));
        }
        assert_eq!(idle.ttl(Some(MAX * 2), None, 0), Some(MAX));
    }
}
