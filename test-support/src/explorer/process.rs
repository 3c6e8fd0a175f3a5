//! What one process does next, depending on the answers that it got so far.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jwt_redis_session::store::{SharedStore, Store};

use super::process_store::ProcessStore;
use super::store_call::{Answer, StoreCall};

/// After this time every task waits for the store or has ended. It is longer than any pause between
/// two attempts. The clock is paused: it advances only when no task can run.
const QUIET: Duration = Duration::from_secs(1);

type Start = dyn Fn(SharedStore) -> Pin<Box<dyn Future<Output = Returned> + Send>>;

/// An operation, and everything that it was seen to do.
///
/// An operation is deterministic: its next step depends only on the answers to its steps so far.
/// So it is enough to run it once for each sequence of answers, without the other processes, and
/// to look the result up when the same sequence comes again in another order of the processes.
pub(super) struct Process {
    pub(super) name: String,
    start: Box<Start>,
    pipelined: bool,
    positions: Vec<Position>,
}

/// Where an operation is after some events. Positions are numbered; 0 is the first.
pub(super) struct Position {
    events: Vec<Event>,
    /// The step that it takes next.
    pub(super) next: Option<StoreCall>,
    pub(super) call: CallState,
    /// The numbers of the positions after one more event, by the hash of the event.
    after: HashMap<u64, usize>,
}

/// How far the call that the process makes has come. Tasks that it spawned may go on after it.
pub(super) enum CallState {
    Running,
    Returned(Returned),
    Dropped,
    Panicked,
}

/// The value that a call returned.
#[derive(Clone)]
pub(super) struct Returned {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) text: String,
}

/// Something that happens to a process.
#[derive(Clone, Hash)]
pub(super) enum Event {
    /// Its next step is answered.
    Answer(Answer),
    /// The future of its call is dropped.
    Drop,
}

impl Process {
    pub(super) fn new<F, T>(
        name: String,
        pipelined: bool,
        operation: impl Fn(SharedStore) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: fmt::Debug + Send + Sync + 'static,
    {
        let start = move |store| -> Pin<Box<dyn Future<Output = Returned> + Send>> {
            Box::pin(operation(store).map(|value| Returned {
                text: format!("{value:?}"),
                value: Arc::new(value),
            }))
        };
        let mut process = Self {
            name,
            start: Box::new(start),
            pipelined,
            positions: Vec::new(),
        };
        process.add(Vec::new());
        process
    }

    pub(super) fn position(&self, number: usize) -> &Position {
        &self.positions[number]
    }

    /// Returns the number of the position after `event`.
    pub(super) fn after(&mut self, number: usize, event: Event) -> usize {
        let mut hasher = DefaultHasher::new();
        event.hash(&mut hasher);
        let key = hasher.finish();
        if let Some(known) = self.positions[number].after.get(&key) {
            return *known;
        }
        let mut events = self.positions[number].events.clone();
        events.push(event);
        let new = self.add(events);
        self.positions[number].after.insert(key, new);
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
