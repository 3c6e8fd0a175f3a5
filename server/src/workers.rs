//! The threads that serve requests.

use std::io;
use std::num::NonZeroUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::app::{App, Surface};
use crate::app_state::AppState;
use crate::serve::{Listener, Socket, serve_all};
use crate::start_error::StartError;

/// The period of the timer of [`keep_timer_armed`]: shorter than the deadline of any call.
const TICK: Duration = Duration::from_millis(50);

/// Starts the threads that serve requests until `stop` is true.
///
/// Each thread has its own runtime and its own connection to Redis, and serves a client connection
/// from its first request to its last. So no request waits for another thread to wake up. On one
/// runtime for all threads a request costs 1.3 times the CPU, as the rows "(no log)" and
/// "(one runtime)" of `cargo bench -p jwt-redis-session-server --bench load` show. The threads
/// share the sockets; an idle one accepts.
/// Errors: [`StartError`] if the service cannot be built, or a thread cannot be started.
pub(crate) fn start(
    sockets: &[(Surface, Socket)],
    states: &watch::Receiver<AppState>,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, StartError> {
    let state = states.borrow().clone();
    let threads = match state.settings.http.threads {
        0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    };
    (0..threads)
        .map(|number| {
            let (states, mut stop) = (states.clone(), stop.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (app, listeners) = {
                // The store spawns tasks, which must run on the thread that uses the connection.
                let _inside = runtime.enter();
                let app = App::assemble(&state.for_another_thread()?)?;
                let listener = |(surface, socket): &(_, Socket)| {
                    Ok((*surface, Listener::new(socket.try_clone()?)?))
                };
                let listeners = sockets.iter().map(listener);
                (app, listeners.collect::<io::Result<Vec<_>>>()?)
            };
            let work = move || {
                runtime.block_on(async {
                    tokio::spawn(keep_timer_armed());
                    tokio::spawn(follow(states, app.clone()));
                    // An error means that the sender is gone, which is a shutdown too.
                    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
                    serve_all(listeners, app, stopped).await;
                });
            };
            let thread = thread::Builder::new().name(format!("sessiond-{number}"));
            Ok(thread.spawn(work)?)
        })
        .collect()
}

/// Replaces the router of `app` for each new state.
async fn follow(mut states: watch::Receiver<AppState>, app: App) {
    while states.changed().await.is_ok() {
        let state = states.borrow_and_update().clone();
        // The state was checked before it was sent, so this fails only for a file that was changed
        // since.
        match state
            .for_another_thread()
            .and_then(|state| App::assemble(&state))
        {
            Ok(next) => app.replace(&next),
            Err(error) => tracing::error!(%error, "a thread cannot use the new settings"),
        }
    }
}

/// Keeps a timer running that fires soon.
///
/// Tokio wakes its driver by a system call for each new timer that fires before all existing ones.
/// Without this timer, that is the deadline of every call to Redis, so at least one per request.
async fn keep_timer_armed() {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
    }
}

/// Waits until the threads have ended.
pub(crate) async fn join(threads: Vec<JoinHandle<()>>) {
    let all = move || {
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread has panicked");
            }
        }
    };
    // An error is a panic, which the panic hook has logged.
    let _ = tokio::task::spawn_blocking(all).await;
}
