//! Threads, each of which answers requests all by itself.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::app::App;
use crate::serve::serve;
use crate::shared::Shared;
use crate::start_error::StartError;

/// How soon the pulse of a thread comes: sooner than the deadline of any call.
const PULSE: Duration = Duration::from_millis(50);

/// Starts the threads that answer requests until `stop` says true.
///
/// A thread keeps a connection from its first request to its last, over a runtime and a
/// connection to Redis of its own: no request ever waits for another thread to wake up, which
/// costs more than anything else that is done for it. The threads share the listener; whichever
/// is idle accepts.
///
/// # Errors
///
/// [`StartError`] if the service cannot be put together, or a thread cannot be started.
pub(crate) fn start(
    listener: &TcpListener,
    shared: &Shared,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, StartError> {
    listener.set_nonblocking(true)?;
    let threads = match shared.settings.http.threads {
        0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    };
    (0..threads)
        .map(|number| {
            let (listener, stop) = (listener.try_clone()?, stop.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let app = {
                let _inside = runtime.enter();
                App::assemble(&shared.for_another_thread()?)?
            };
            let work = move || {
                runtime.block_on(async {
                    tokio::spawn(pulse());
                    match tokio::net::TcpListener::from_std(listener) {
                        Ok(listener) => serve(listener, app, stopped(stop)).await,
                        Err(error) => tracing::error!(%error, "a thread cannot listen"),
                    }
                });
            };
            let thread = thread::Builder::new().name(format!("sessiond-{number}"));
            Ok(thread.spawn(work)?)
        })
        .collect()
}

/// Keeps a timer that ends soon, always.
///
/// Tokio wakes its driver up, by a system call, for each timer that ends before all that it knew
/// of when it last went to sleep. Without this that is every deadline of every call to Redis,
/// more than one a request.
async fn pulse() {
    let mut ticks = tokio::time::interval(PULSE);
    loop {
        ticks.tick().await;
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // If nobody can say stop any more, it is time too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for the threads to end.
pub(crate) async fn join(threads: Vec<JoinHandle<()>>) {
    let all = move || {
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread has ended before its time");
            }
        }
    };
    // What panics in there has been said already.
    let _ = tokio::task::spawn_blocking(all).await;
}
