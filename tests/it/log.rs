//! The events that a test logs.

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::{Arc, LazyLock, Mutex};

use tracing::callsite::rebuild_interest_cache;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

thread_local! {
    /// The log of the test that runs on this thread, if it records one.
    static CURRENT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// One subscriber for all tests. Subscribers that come and go race with other threads that reach
/// an event for the first time: tracing may then switch the event off for the whole process.
static SUBSCRIBER: LazyLock<()> = LazyLock::new(|| {
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(|| CURRENT.with_borrow(Clone::clone).unwrap_or_default())
        .with_filter(dynamic_filter_fn(|_, _| {
            CURRENT.with_borrow(Option::is_some)
        }));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();
});

/// The events of this thread at every level, as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

/// Ends the recording when it is dropped.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Log {
    pub(crate) fn record() -> (Self, Guard) {
        LazyLock::force(&SUBSCRIBER);
        // Switches on the events that other threads have met before the subscriber was set.
        rebuild_interest_cache();
        let log = Self::default();
        CURRENT.set(Some(log.clone()));
        (log, Guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
