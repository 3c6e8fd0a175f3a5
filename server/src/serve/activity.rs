//! State of a connection, for its timers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Version;
use tokio::time::Instant;

use crate::settings::HttpSettings;

/// What a connection is doing, and since when. Its transport, its requests and its timer share it.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Requests whose response has not been passed to the protocol completely: number and start,
    /// the oldest first.
    requests: Vec<(u64, Instant)>,
    /// The number of the next request.
    next: u64,
    is_http2: bool,
    has_unread_body: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was received so far.
    New,
    /// A part of the head of a request was received.
    Head,
    /// There are requests.
    Busy,
    /// All requests were answered.
    Idle,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            phase: Phase::New,
            since: Instant::now(),
            requests: Vec::new(),
            next: 0,
            is_http2: false,
            has_unread_body: false,
        }))
    }

    /// Notes that bytes were received.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        match state.phase {
            Phase::New => state.phase = Phase::Head,
            // Over HTTP/2 these may be control frames. A head is then limited by the idle time.
            Phase::Idle if !state.is_http2 => {
                state.enter(Phase::Head);
            }
            Phase::Head | Phase::Busy | Phase::Idle => {}
        }
    }

    /// Notes that a request has begun. It ends when the result is dropped.
    pub(super) fn request(self: &Arc<Self>, version: Version) -> InProgress {
        let mut state = self.lock();
        state.is_http2 = version == Version::HTTP_2;
        if state.is_http2 {
            state.enter(Phase::Busy);
        } else {
            // Its time is not used, and reading the clock takes 25 ns.
            state.phase = Phase::Busy;
        }
        let (number, start) = (state.next, state.since);
        state.next += 1;
        state.requests.push((number, start));
        let activity = Arc::clone(self);
        InProgress { activity, number }
    }

    /// Notes that the connection ends with a response to a request that is not read to its end.
    pub(super) fn leave_body_unread(&self) {
        self.lock().has_unread_body = true;
    }

    /// Returns whether the client may still be sending a request that is not read.
    pub(super) fn has_unread_request(&self) -> bool {
        let state = self.lock();
        state.has_unread_body || state.phase == Phase::Head
    }

    pub(super) fn is_idle(&self) -> bool {
        self.lock().phase == Phase::Idle
    }

    /// Returns when the connection must have proceeded, unless other limits apply.
    pub(super) fn deadline(&self, http: &HttpSettings) -> Option<Instant> {
        let state = self.lock();
        let longest: Duration = match state.phase {
            Phase::New | Phase::Head => http.header_timeout,
            Phase::Idle => http.idle_timeout,
            // A client can stop a response by its flow control, which the write timeout of the
            // socket does not notice. Other requests must not prolong this one.
            Phase::Busy if state.is_http2 => {
                let oldest = state.requests.first();
                return oldest.map(|(_, start)| *start + http.request_timeout + http.write_timeout);
            }
            Phase::Busy => return None,
        };
        Some(state.since + longest)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, Instant::now());
    }
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct InProgress {
    activity: Arc<Activity>,
    number: u64,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.requests.retain(|(number, _)| *number != self.number);
        if state.requests.is_empty() {
            state.enter(Phase::Idle);
        }
    }
}
