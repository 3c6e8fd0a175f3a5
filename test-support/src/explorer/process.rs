//! What one process does next, depending on the answers that it got so far.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jwt_redis_session::store::{SharedStore, Store};

use super::process_store::ProcessStore;
use super::store_call::{Answer, StoreCall};

/// After this time every task waits for the store or has ended. It is longer than any pause between
/// two attempts. The clock is paused: it advances only when no task can run.
const QUIET: Duration = Duration::from_secs(1);

pub(super) type Start = dyn Fn(SharedStore) -> BoxFuture<'static, Returned>;

/// An operation, and what it does after each sequence of answers that occurred.
///
/// Operations are deterministic: the next step depends only on the answers so far. One run for each
/// sequence of answers is enough, without the other processes. Other orders of the processes with
/// the same sequence reuse the result.
pub(super) struct Process {
    pub(super) name: &'static str,
    start: Box<Start>,
    pipelined: bool,
    /// All positions that were reached; 0 is the first.
    pub(super) positions: Vec<Position>,
}

/// Where an operation is after some events.
pub(super) struct Position {
    events: Vec<Event>,
    /// The step that it takes next.
    pub(super) next: Option<StoreCall>,
    pub(super) call: CallState,
    /// The numbers of the positions after one more event, by its digest.
    after: HashMap<Option<u64>, usize>,
}

/// How far the call of a process is. Tasks that it spawned may continue after it.
pub(super) enum CallState {
    Running,
    Returned(Returned),
    Dropped,
    Panicked,
}

/// The value that a call returned.
#[derive(Clone, Debug)]
pub(super) struct Returned {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) text: String,
}

/// Something that happens to a process.
#[derive(Clone)]
pub(super) enum Event {
    /// Its next step is answered.
    Answer(Answer),
    /// The future of its call is dropped.
    Drop,
}

impl Event {
    fn digest(&self) -> Option<u64> {
        match self {
            Self::Answer(answer) => Some(answer.digest),
            Self::Drop => None,
        }
    }
}

impl Process {
    pub(super) fn new(name: &'static str, start: Box<Start>, pipelined: bool) -> Self {
        let mut process = Self {
            name,
            start,
            pipelined,
            positions: Vec::new(),
        };
        process.add(Vec::new());
        process
    }

    /// Returns the number of the position after `event`.
    pub(super) fn after(&mut self, number: usize, event: Event) -> usize {
        if let Some(known) = self.positions[number].after.get(&event.digest()) {
            return *known;
        }
        let mut events = self.positions[number].events.clone();
        let digest = event.digest();
        events.push(event);
        let new = self.add(events);
        self.positions[number].after.insert(digest, new);
        new
    }

    fn add(&mut self, events: Vec<Event>) -> usize {
        let (next, call) = if self.pipelined {
            self.run(&ProcessStore::<true>::default(), &events)
        } else {
            self.run(&ProcessStore::<false>::default(), &events)
        };
        self.positions.push(Position {
            events,
            next,
            call,
            after: HashMap::new(),
        });
        self.positions.len() - 1
    }

    /// Runs the operation from the start through `events`.
    fn run<const PIPELINED: bool>(
        &self,
        store: &ProcessStore<PIPELINED>,
        events: &[Event],
    ) -> (Option<StoreCall>, CallState)
    where
        ProcessStore<PIPELINED>: Store,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.expect("a runtime").block_on(async {
            let call = tokio::spawn((self.start)(store.clone().into()));
            tokio::time::sleep(QUIET).await;
            for event in events {
                match event {
                    Event::Answer(answer) => store.answer(answer.clone()),
                    Event::Drop => call.abort(),
                }
                tokio::time::sleep(QUIET).await;
            }
            let call = match call.now_or_never() {
                None => CallState::Running,
                Some(Ok(returned)) => CallState::Returned(returned),
                Some(Err(error)) if error.is_cancelled() => CallState::Dropped,
                Some(Err(_)) => CallState::Panicked,
            };
            (store.next(), call)
        })
    }
}
