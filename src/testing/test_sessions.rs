//! Sessions whose time and outages a test controls.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::faulty::Faults;
use super::test_session::TestSession;
use crate::builder::SessionsBuilder;
use crate::clock::{ManualClock, unix_millis};
use crate::sessions::Sessions;
use crate::store::error::StoreErrorKind;
use crate::store::memory::MemoryStore;
use crate::token::Keyring;

/// Sessions in memory for the tests of an application, which control the clock and outages.
///
/// Time is paused until [`advance`](Self::advance): tokens, sessions and the store follow one
/// clock, which starts at the current time. Timers of tokio do not follow it, for example those of
/// [`Session::ended`](crate::Session::ended); use `tokio::time::advance` for them.
///
/// See the [module](crate::testing#a-test-of-a-handler) for an example.
#[derive(Clone, Debug)]
pub struct TestSessions {
    sessions: Sessions,
    clock: ManualClock,
    faults: Faults,
}

impl TestSessions {
    /// Creates sessions with the default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::configured(|builder| builder)
    }

    /// Creates sessions with the configuration of the application, such as its lifetimes.
    ///
    /// ```
    /// use jwt_redis_session::Lifetime;
    /// use jwt_redis_session::testing::TestSessions;
    ///
    /// let test = TestSessions::configured(|builder| builder.lifetime(Lifetime::owasp()));
    /// ```
    ///
    /// # Panics
    ///
    /// If the configuration is not valid.
    #[must_use]
    pub fn configured(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Self {
        let now = unix_millis(SystemTime::now()).div_euclid(1000);
        let (clock, faults) = (ManualClock::at(now), Faults::new());
        let store = faults.wrap(MemoryStore::new().with_clock(clock.clone()));
        let keyring = Keyring::hs256("a secret for tests alone, not for production");
        let keyring = keyring.expect("the secret is long enough");
        let builder = Sessions::builder(store, keyring).clock(clock.clone());
        let sessions = configure(builder).build();
        Self {
            sessions: sessions.expect("the configuration is valid"),
            clock,
            faults,
        }
    }

    /// Returns the sessions, to build the application with.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.sessions.clone()
    }

    /// Creates a session; see [`TestSession::create`].
    ///
    /// # Panics
    ///
    /// If the session cannot be created, for example in an outage.
    pub async fn session<'a>(
        &self,
        owner: impl Into<Option<&'a str>>,
        data: impl Serialize,
    ) -> TestSession {
        TestSession::create(&self.sessions, owner, data).await
    }

    /// Moves the time forward, to the millisecond.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Starts an outage: every call to the store fails until [`end_outage`](Self::end_outage).
    pub fn start_outage(&self) {
        self.faults.fail_with(StoreErrorKind::Connection);
    }

    /// Ends the outage, and every other fault.
    pub fn end_outage(&self) {
        self.faults.heal();
    }

    /// Returns the switches for other faults: delays, lost replies, single failures.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Default for TestSessions {
    fn default() -> Self {
        Self::new()
    }
}
