//! The thread that writes.
//!
//! redb has one writer at a time, and a commit waits for the disk. Steps that arrive meanwhile are
//! committed together: 100 concurrent logins wait for the disk a few times, not 100 times.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::error::Step;
use super::file::SessionFile;
use super::sweep::Sweep;
use super::tables::Tables;
use crate::clock::{Clock, unix_millis};
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::watches::RecordWatches;

/// The largest number of steps in one transaction.
const BATCH: usize = 256;

/// The pause of writes after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Handle to the thread. Dropping it waits until the accepted steps are written.
pub(super) struct Writer {
    steps: Option<Sender<Box<dyn Queued>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        file: Arc<SessionFile>,
        clock: Arc<dyn Clock>,
        watches: RecordWatches,
    ) -> Result<Self> {
        let (steps, queue) = channel();
        let writing = Writing {
            file,
            clock,
            watches,
            sweep: Sweep::default(),
            failed: None,
        };
        let thread = std::thread::Builder::new().name("session-file".into());
        let thread = thread.spawn(move || writing.run(&queue));
        let failed = |error| StoreError::new(StoreErrorKind::Other).with_source(error);
        Ok(Self {
            steps: Some(steps),
            thread: Some(thread.map_err(failed)?),
        })
    }

    /// Runs `step` in a transaction and returns its result when that is on the disk.
    ///
    /// If the future is dropped, the step may still be run.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Tables<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let queued = QueuedStep {
            step: Some(step),
            result: None,
            reply,
        };
        let ended = || StoreError::new(StoreErrorKind::Other);
        let steps = self.steps.as_ref().ok_or_else(ended)?;
        steps.send(Box::new(queued)).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.steps = None;
        // The file can be opened again once this returns.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A step that waits for its transaction.
trait Queued: Send {
    /// Returns whether the caller no longer waits for the result.
    fn is_abandoned(&self) -> bool;

    fn run(&mut self, tables: &mut Tables<'_>) -> Step<()>;

    /// Reports the result of the step after its transaction.
    fn reply(self: Box<Self>, committed: Result<()>);
}

struct QueuedStep<T, F> {
    step: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&mut Tables<'_>) -> Step<T> + Send> Queued for QueuedStep<T, F> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tables: &mut Tables<'_>) -> Step<()> {
        if let Some(step) = self.step.take() {
            self.result = Some(step(tables)?);
        }
        Ok(())
    }

    fn reply(self: Box<Self>, committed: Result<()>) {
        let Self { result, reply, .. } = *self;
        let missing = StoreError::new(StoreErrorKind::Other);
        let _ = reply.send(committed.and_then(|()| result.ok_or(missing)));
    }
}

/// State of the thread.
struct Writing {
    file: Arc<SessionFile>,
    clock: Arc<dyn Clock>,
    watches: RecordWatches,
    sweep: Sweep,
    /// The last failure and its time, until a pause has passed and the file is open.
    failed: Option<(StoreError, Instant)>,
}

impl Writing {
    fn run(mut self, queue: &Receiver<Box<dyn Queued>>) {
        loop {
            let pause = self
                .sweep
                .pause()
                .min(self.failed.as_ref().map_or(Duration::MAX, |_| PAUSE));
            match queue.recv_timeout(pause) {
                Ok(first) => self.write(first, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Also while there are no steps: reads need an open file too.
            if self.recover().is_ok() && self.sweep.pause().is_zero() {
                self.sweep();
            }
        }
    }

    /// Runs the steps that wait in one transaction.
    fn write(&mut self, first: Box<dyn Queued>, queue: &Receiver<Box<dyn Queued>>) {
        let waiting = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1));
        let mut steps: Vec<_> = waiting.filter(|step| !step.is_abandoned()).collect();
        let committed =
            self.transaction(|tables| steps.iter_mut().try_for_each(|step| step.run(tables)));
        for step in steps {
            step.reply(committed.clone());
        }
    }

    fn sweep(&mut self) {
        let now = unix_millis(self.clock.now());
        match self.sweep.find(&self.file, now) {
            Ok(expired) if expired.is_empty() => {}
            // The next sweep finds what remains after a failure.
            Ok(expired) => drop(self.transaction(|tables| expired.delete(tables))),
            Err(error) => self.fail(error),
        }
    }

    fn transaction(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Step<()>) -> Result<()> {
        self.recover()?;
        let now = unix_millis(self.clock.now());
        let changed = self.file.write(|transaction| {
            let mut tables = Tables::open(transaction, now)?;
            work(&mut tables)?;
            Ok(tables.changed)
        });
        let changed = changed.inspect_err(|error| self.fail(error.clone()))?;
        // After the commit, so that a notified task reads the new state.
        changed.iter().for_each(|key| self.watches.notify(key));
        Ok(())
    }

    /// Opens the file again, for reads too, and notes the failure.
    fn fail(&mut self, error: StoreError) {
        let path = self.file.path().display();
        tracing::error!(%error, %path, "the file of sessions has failed and is opened again");
        let error = self.file.reopen().err().unwrap_or(error);
        self.failed = Some((error, Instant::now()));
    }

    /// Returns the last failure until a pause has passed: a large file takes a moment to open, and
    /// a full disk stays full for a while.
    fn recover(&mut self) -> Result<()> {
        let Some((error, at)) = &self.failed else {
            return Ok(());
        };
        if at.elapsed() < PAUSE {
            return Err(error.clone());
        }
        let opened = self.file.ensure_open();
        self.failed = opened.clone().err().map(|error| (error, Instant::now()));
        opened
    }
}
