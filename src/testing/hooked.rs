//! A store that reports every single step to a hook.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::shared::SharedStore;
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

/// A required method of [`Store`](crate::store::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// Reads a record.
    Load,
    /// Writes a new record.
    Insert,
    /// Replaces a record if it holds the expected value.
    CompareAndSet,
    /// Deletes a record if it holds the expected value.
    CompareAndDelete,
    /// Sets the TTL of a record.
    SetTtl,
    /// Deletes a record.
    Delete,
    /// Adds or refreshes an index entry.
    IndexPut,
    /// Reads one index entry.
    IndexGet,
    /// Reads several index entries.
    IndexList,
    /// Removes index entries.
    IndexRemove,
    /// Turns the entries of an index into tombstones.
    IndexTombstoneAll,
    /// Turns one entry into a tombstone if its successor is active.
    IndexSupersede,
    /// Checks that the store can be reached.
    Ping,
}

impl Step {
    /// Returns whether the step changes nothing in the store.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::Load | Self::IndexGet | Self::IndexList | Self::Ping
        )
    }

    /// Returns the name of the method, for example `"index_put"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Insert => "insert",
            Self::CompareAndSet => "compare_and_set",
            Self::CompareAndDelete => "compare_and_delete",
            Self::SetTtl => "set_ttl",
            Self::Delete => "delete",
            Self::IndexPut => "index_put",
            Self::IndexGet => "index_get",
            Self::IndexList => "index_list",
            Self::IndexRemove => "index_remove",
            Self::IndexTombstoneAll => "index_tombstone_all",
            Self::IndexSupersede => "index_supersede",
            Self::Ping => "ping",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decision whether the caller gets the answer of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The step runs and the caller gets its answer.
    Deliver,
    /// The step runs but its answer is lost: the caller gets [`StoreErrorKind::Timeout`].
    Lose,
}

/// Answer that the caller of a step gets, without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepAnswer {
    digest: u64,
    error: Option<StoreErrorKind>,
}

impl StepAnswer {
    fn new<T: Hash>(answer: &Result<T, StoreError>) -> Self {
        let mut hasher = DefaultHasher::new();
        answer.as_ref().map_err(StoreError::kind).hash(&mut hasher);
        Self {
            digest: hasher.finish(),
            error: answer.as_ref().err().map(StoreError::kind),
        }
    }

    /// Returns a hash of the answer. Equal answers have equal hashes, also in other processes.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Returns the kind of the error, or `None` if the step succeeded.
    #[must_use]
    pub const fn error(&self) -> Option<StoreErrorKind> {
        self.error
    }
}

/// Code that runs before and after every step of a [`Hooked`] store.
///
/// Both methods do nothing unless they are implemented. `()` is the hook that does nothing.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use jwt_redis_session::testing::{Hook, Step, StepAnswer};
///
/// /// Counts the steps that failed.
/// #[derive(Default)]
/// struct Errors(AtomicUsize);
///
/// impl Hook for Errors {
///     fn after(&self, _: Step, answer: &StepAnswer) {
///         if answer.error().is_some() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Hook: Send + Sync + 'static {
    /// Runs before a step and decides whether the step runs and whether its answer is delivered.
    ///
    /// The step does not run before the returned future is ready, so a hook can delay it.
    ///
    /// # Errors
    ///
    /// An error refuses the step: the store does not see it and the caller gets the error.
    fn before(&self, step: Step) -> impl Future<Output = Result<Delivery, StoreError>> + Send {
        let _ = step;
        std::future::ready(Ok(Delivery::Deliver))
    }

    /// Runs after a step, with what its caller gets.
    ///
    /// Runs also if the step was refused or if its answer was lost, but not if the caller dropped
    /// the call.
    fn after(&self, step: Step, answer: &StepAnswer) {
        let _ = (step, answer);
    }
}

impl Hook for () {}

impl<H: Hook> Hook for Arc<H> {
    fn before(&self, step: Step) -> impl Future<Output = Result<Delivery, StoreError>> + Send {
        H::before(self, step)
    }

    fn after(&self, step: Step, answer: &StepAnswer) {
        H::after(self, step, answer);
    }
}

/// Store that calls a [`Hook`] around every step of another store.
///
/// Only the required methods are forwarded. The provided methods run on them step by step, so
/// the hook sees each step, and an override of the inner store is not used.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::store::{NewEntry, SharedStore, StoreError};
/// use jwt_redis_session::testing::{Hook, Hooked, Step, StepAnswer};
///
/// #[derive(Default)]
/// struct Trace(Mutex<Vec<Step>>);
///
/// impl Hook for Trace {
///     fn after(&self, step: Step, _: &StepAnswer) {
///         self.0.lock().unwrap().push(step);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let trace = Arc::new(Trace::default());
/// let store = SharedStore::from(Hooked::new(MemoryStore::new(), trace.clone()));
/// let entry = NewEntry::new("owner", "id", 0, Duration::from_secs(60));
/// store.set_ttl_indexed(entry, "key", entry.ttl).await?;
/// assert_eq!(*trace.0.lock().unwrap(), [Step::IndexPut, Step::SetTtl]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hooked<H> {
    inner: SharedStore,
    hook: H,
}

impl<H: Hook> Hooked<H> {
    /// Wraps `inner`, which may be any store or a [`SharedStore`].
    pub fn new(inner: impl Into<SharedStore>, hook: H) -> Self {
        Self {
            inner: inner.into(),
            hook,
        }
    }

    /// Returns the hook.
    #[must_use]
    pub const fn hook(&self) -> &H {
        &self.hook
    }

    /// Returns the store behind the hook.
    #[must_use]
    pub const fn inner(&self) -> &SharedStore {
        &self.inner
    }
}

impl<H> fmt::Debug for Hooked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooked").field(&self.inner).finish()
    }
}

macro_rules! hooked_store {
    ($($step:ident $name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl<H: Hook> Store for Hooked<H> {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                let answer = match self.hook.before(Step::$step).await {
                    Err(refused) => Err(refused),
                    Ok(Delivery::Deliver) => self.inner.$name($($arg),*).await,
                    Ok(Delivery::Lose) => {
                        // Whatever the store answered, the caller never learns it.
                        let _ = self.inner.$name($($arg),*).await;
                        Err(StoreErrorKind::Timeout.into())
                    }
                };
                self.hook.after(Step::$step, &StepAnswer::new(&answer));
                answer
            })*
        }
    };
}

hooked_store! {
    Load load(key: &str) -> Option<StoredRecord>;
    Insert insert(record: NewRecord<'_>) -> bool;
    CompareAndSet compare_and_set(expected: &[u8], record: NewRecord<'_>) -> CompareOutcome;
    CompareAndDelete compare_and_delete(key: &str, expected: &[u8]) -> CompareOutcome;
    SetTtl set_ttl(key: &str, ttl: Duration) -> bool;
    Delete delete(key: &str) -> bool;
    IndexPut index_put(entry: NewEntry<'_>, mode: PutMode) -> ();
    IndexGet index_get(index: &str, member: &str) -> Option<EntryState>;
    IndexList index_list(index: &str, filter: IndexFilter) -> Vec<IndexEntry>;
    IndexRemove index_remove(index: &str, members: &[&str], due_by: Option<i64>) -> ();
    IndexTombstoneAll index_tombstone_all(index: &str, keep: Option<&str>, now: i64) -> Vec<String>;
    IndexSupersede index_supersede(index: &str, old: &str, new: &str, now: i64) -> SupersedeOutcome;
    Ping ping() -> ();
}
