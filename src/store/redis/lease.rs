//! The one connection that all calls share, and its renewal.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::backoff;
use super::dial::Dialer;
use super::journal::Journal;
use crate::store::error::{StoreError, StoreErrorKind};

/// So many timeouts in a row mean that the connection is dead, not that the server is slow.
const TIMEOUTS: u32 = 3;
/// A connection this young is not replaced for what the server says: the next would hear it too.
const YOUNG: Duration = Duration::from_millis(100);
/// So many connections in a row that never answered a call are a failure of the server.
const STILLBORN: u32 = 5;
/// A connection unused for so long may have been closed by somebody meanwhile.
const IDLE: Duration = Duration::from_secs(1);
const NEVER: u64 = u64::MAX;

/// A connection, and how it is doing.
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    born: Instant,
    timeouts: AtomicU32,
    /// Whole seconds of its life after which it last answered a call, or [`NEVER`].
    answered_at: AtomicU64,
}

/// Holds the connection in force and replaces it, one dial at a time.
pub(super) struct Lease {
    slot: ArcSwapOption<Link>,
    connected_once: AtomicBool,
    renewal: Mutex<Renewal>,
    dialer: Dialer,
    budget: Duration,
    pub(super) journal: Journal,
}

/// `None` while a dial is under way.
type Outcome = Option<Result<Arc<Link>, StoreError>>;

#[derive(Default)]
struct Renewal {
    under_way: Option<watch::Receiver<Outcome>>,
    failures: u32,
    stillborn: u32,
    /// Until when nobody dials again after a failed dial.
    rest_until: Option<Instant>,
    /// Why there is no connection: what broke the last one, or the last dial.
    reason: Option<StoreError>,
}

impl Lease {
    /// Creates a lease without a connection; `budget` is how long a call waits for a renewal.
    pub(super) fn new(dialer: Dialer, budget: Duration) -> Arc<Self> {
        Arc::new(Self {
            slot: ArcSwapOption::empty(),
            connected_once: AtomicBool::new(false),
            renewal: Mutex::default(),
            dialer,
            budget,
            journal: Journal::default(),
        })
    }

    /// Where the server is, for error messages.
    pub(super) fn address(&self) -> &str {
        self.dialer.address()
    }

    /// Returns the connection in force, or waits for one, but not past `deadline`.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Arc<Link>, StoreError> {
        match self.slot.load_full() {
            Some(link) => Ok(link),
            None => self.wait(deadline).await,
        }
    }

    async fn wait(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Link>, StoreError> {
        let mut outcome = self.renew()?;
        let until = if self.connected_once.load(Ordering::Relaxed) {
            deadline.min(Instant::now() + self.budget)
        } else {
            deadline
        };
        match timeout_at(until, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(done)) => done.clone().unwrap_or_else(|| Err(self.unreachable())),
            // The dialling task died with its runtime; the next call dials on its own.
            Ok(Err(_)) => Err(self.unreachable()),
            Err(_) => Err(self.why(&self.lock())),
        }
    }

    /// Joins the dial that is under way or starts one, unless the last has just failed.
    fn renew(self: &Arc<Self>) -> Result<watch::Receiver<Outcome>, StoreError> {
        let mut renewal = self.lock();
        if let Some(link) = self.slot.load_full() {
            return Ok(watch::channel(Some(Ok(link))).1);
        }
        if let Some(outcome) = &renewal.under_way
            && outcome.has_changed().is_ok()
        {
            return Ok(outcome.clone());
        }
        if renewal
            .rest_until
            .is_some_and(|until| Instant::now() < until)
        {
            return Err(self.why(&renewal));
        }
        let (tell, outcome) = watch::channel(None);
        renewal.under_way = Some(outcome.clone());
        let lease = Arc::clone(self);
        // A task of its own: a caller that goes away does not stop what others wait for.
        tokio::spawn(async move {
            let made = lease.dialer.dial().await;
            tell.send_replace(Some(lease.settle(made)));
        });
        Ok(outcome)
    }

    fn settle(
        &self,
        made: Result<MultiplexedConnection, StoreError>,
    ) -> Result<Arc<Link>, StoreError> {
        let mut renewal = self.lock();
        renewal.under_way = None;
        match made {
            Ok(connection) => {
                let link = Arc::new(Link::new(connection));
                self.slot.store(Some(Arc::clone(&link)));
                self.connected_once.store(true, Ordering::Relaxed);
                renewal.rest_until = None;
                if std::mem::take(&mut renewal.failures) > 0 {
                    self.journal.recovered();
                }
                Ok(link)
            }
            Err(error) => {
                renewal.rest_until = Some(Instant::now() + backoff::pause(renewal.failures));
                renewal.failures = renewal.failures.saturating_add(1);
                renewal.reason = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Gives up `link`, broken for the `reason` given, and starts to dial another.
    pub(super) fn discard(self: &Arc<Self>, link: &Arc<Link>, reason: &StoreError) {
        // Under the lock, so that whoever finds the slot empty also finds why.
        let mut renewal = self.lock();
        let held = self.slot.compare_and_swap(Arc::as_ptr(link), None);
        // Of all the calls that broke with it, one mourns.
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, link)) {
            renewal.mourn(link, reason);
            drop(renewal);
            // Whoever calls next hears how it went.
            let _ = self.renew();
        }
    }

    /// Gives up `link` because its server does not serve us: it became a replica, or forgot who
    /// we are. Where its name leads now there may be one that does.
    pub(super) fn turned_away(self: &Arc<Self>, link: &Arc<Link>, reason: &StoreError) {
        if link.born.elapsed() >= YOUNG {
            self.discard(link, reason);
        }
    }

    /// Notes that `link` did not answer in time.
    pub(super) fn timed_out(self: &Arc<Self>, link: &Arc<Link>, reason: &StoreError) {
        if link.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS {
            self.discard(link, reason);
        }
    }

    fn why(&self, renewal: &Renewal) -> StoreError {
        let reason = renewal.reason.clone();
        reason.unwrap_or_else(|| self.unreachable())
    }

    fn unreachable(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Connection).with_detail(self.address())
    }

    fn lock(&self) -> MutexGuard<'_, Renewal> {
        self.renewal
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Renewal {
    /// Notes why `link` was given up. Connections that break before they serve must not be made
    /// again and again without a pause.
    fn mourn(&mut self, link: &Link, reason: &StoreError) {
        self.reason = Some(reason.clone());
        let served = link.answered_at.load(Ordering::Relaxed) != NEVER;
        self.stillborn = if served { 0 } else { self.stillborn + 1 };
        if self.stillborn >= STILLBORN {
            self.rest_until = Some(Instant::now() + backoff::pause(self.stillborn));
        }
    }
}

impl Link {
    fn new(connection: MultiplexedConnection) -> Self {
        Self {
            connection,
            born: Instant::now(),
            timeouts: AtomicU32::new(0),
            answered_at: AtomicU64::new(NEVER),
        }
    }

    /// Notes that the server answered.
    pub(super) fn answered(&self) {
        // Written only when it changes something: all calls share this line of cache.
        if self.timeouts.load(Ordering::Relaxed) != 0 {
            self.timeouts.store(0, Ordering::Relaxed);
        }
        let now = self.born.elapsed().as_secs();
        if self.answered_at.load(Ordering::Relaxed) != now {
            self.answered_at.store(now, Ordering::Relaxed);
        }
    }

    /// Whether nobody has heard from the server for a while.
    pub(super) fn is_idle(&self) -> bool {
        let heard = match self.answered_at.load(Ordering::Relaxed) {
            NEVER => Duration::ZERO,
            seconds => Duration::from_secs(seconds),
        };
        self.born.elapsed() >= heard + IDLE
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("address", &self.dialer)
            .field("connected", &self.slot.load().is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use redis::RedisConnectionInfo;
    use redis::aio::MultiplexedConnection;

    use super::{Lease, STILLBORN};
    use crate::RedisConfig;
    use crate::store::error::{StoreError, StoreErrorKind};
    use crate::store::redis::dial::Dialer;

    #[tokio::test]
    async fn a_connection_given_up_by_many_is_mourned_once() {
        let (stream, _server) = tokio::io::duplex(64);
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let (connection, _driver) = MultiplexedConnection::new(&info, stream).await.unwrap();

        let dialer = Dialer::new(&RedisConfig::new("redis://127.0.0.1:1")).unwrap();
        let lease = Lease::new(dialer, Duration::from_millis(250));
        let link = lease.settle(Ok(connection)).unwrap();

        // Held until everybody has found the connection in its place.
        let renewal = lease.lock();
        let calls: Vec<_> = (0..2 * STILLBORN)
            .map(|_| {
                let (lease, link) = (Arc::clone(&lease), Arc::clone(&link));
                let reason = StoreError::new(StoreErrorKind::Connection);
                tokio::task::spawn_blocking(move || lease.discard(&link, &reason))
            })
            .collect();
        thread::sleep(Duration::from_millis(200));
        drop(renewal);
        for call in calls {
            call.await.unwrap();
        }
        assert!(lease.slot.load().is_none());
        assert_eq!(lease.lock().stillborn, 1);

        lease.discard(&link, &StoreErrorKind::Connection.into());
        assert_eq!(lease.lock().stillborn, 1, "it was given up before");
    }
}
