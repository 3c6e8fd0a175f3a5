//! Hooks around the steps of a store.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::contract::Store;
use crate::store::error::Result;
use crate::store::shared::SharedStore;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, NewEntry, NewRecord, PutMode, ScanPage,
    StoredRecord, SupersedeOutcome,
};
use crate::store::watches::RecordWatch;

/// Code that runs around every step of a [`Hooked`] store.
///
/// `()` is the hook that only runs the step.
///
/// ```
/// use std::hash::Hash;
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::store::{NewEntry, SharedStore, StoreError};
/// use jwt_redis_session::testing::{Hook, Hooked, Step};
///
/// /// Records the steps that succeed.
/// #[derive(Default)]
/// struct Trace(Mutex<Vec<Step>>);
///
/// impl Hook for Trace {
///     async fn around<T: Hash + Send>(
///         &self,
///         step: Step,
///         call: impl Future<Output = Result<T, StoreError>> + Send,
///     ) -> Result<T, StoreError> {
///         let answer = call.await?;
///         self.0.lock().unwrap().push(step);
///         Ok(answer)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let trace = Arc::new(Trace::default());
/// let store = SharedStore::from(Hooked::new(MemoryStore::new(), trace.clone()));
/// let entry = NewEntry::new("owner", "id", 0, Duration::from_secs(60));
/// store.set_ttl_indexed(entry, "key", b"", entry.ttl).await?;
/// assert_eq!(*trace.0.lock().unwrap(), [Step::IndexPut, Step::SetTtl]);
/// # Ok(())
/// # }
/// ```
pub trait Hook: Send + Sync + 'static {
    /// Runs one step and returns the result for its caller.
    ///
    /// `call` is the step of the inner store. It does nothing until it is awaited: a hook can
    /// delay it, drop it to fail the step without applying it, or await it and return an error as
    /// if the reply were lost.
    ///
    /// # Errors
    ///
    /// The error of the step, or one that the hook injects.
    fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;
}

impl Hook for () {
    async fn around<T: Hash + Send>(
        &self,
        _: Step,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        call.await
    }
}

impl<H: Hook> Hook for Arc<H> {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        H::around(self, step, call).await
    }
}

/// Store that passes every step of another store through a [`Hook`].
///
/// The provided methods run step by step on the required ones, so the hook sees each step, and
/// overrides of the inner store are not used. [`Store::watch`] and [`Store::scan`] are forwarded
/// without the hook, because they are not steps.
///
/// See [`Hook`] for an example.
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
}

impl<H> fmt::Debug for Hooked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooked").field(&self.inner).finish()
    }
}

/// Defines [`Step`] and the methods of [`Hooked`] from one list of the required methods.
macro_rules! steps {
    ($(
        #[doc = $doc:literal]
        $step:ident = $name:ident($($arg:ident: $ty:ty),*) -> $out:ty;
    )*) => {
        /// Required method of [`Store`](crate::store::Store), as a [`Hook`] sees it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Step {
            $(#[doc = $doc] $step,)*
        }

        #[async_trait]
        impl<H: Hook> Store for Hooked<H> {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out> {
                self.hook.around(Step::$step, self.inner.$name($($arg),*)).await
            })*

            async fn scan(
                &self,
                prefix: &str,
                after: Option<&str>,
                limit: usize,
            ) -> Result<ScanPage> {
                self.inner.scan(prefix, after, limit).await
            }

            fn watch(&self, key: &str) -> Option<RecordWatch> {
                self.inner.watch(key)
            }
        }
    };
}

steps! {
    /// Reads a record.
    Load = load(key: &str) -> Option<StoredRecord>;
    /// Writes a new record.
    Insert = insert(record: NewRecord<'_>) -> bool;
    /// Replaces a record if it holds the expected value.
    CompareAndSet = compare_and_set(expected: &[u8], record: NewRecord<'_>) -> CompareOutcome;
    /// Deletes a record if it holds the expected value.
    CompareAndDelete = compare_and_delete(key: &str, expected: &[u8]) -> CompareOutcome;
    /// Sets the TTL of a record.
    SetTtl = set_ttl_if(key: &str, prefix: &[u8], ttl: Duration) -> CompareOutcome;
    /// Deletes a record.
    Delete = delete(key: &str) -> bool;
    /// Adds or refreshes an index entry.
    IndexPut = index_put(entry: NewEntry<'_>, mode: PutMode) -> ();
    /// Reads one index entry.
    IndexGet = index_get(index: &str, member: &str) -> Option<EntryState>;
    /// Reads several index entries.
    IndexList = index_list(index: &str, due: Option<Due>) -> Vec<IndexEntry>;
    /// Removes index entries.
    IndexRemove = index_remove(index: &str, members: &[&str], due_by: Option<i64>) -> ();
    /// Turns the entries of an index into tombstones.
    IndexTombstoneAll = index_tombstone_all(index: &str, keep: Option<&str>, now: i64) -> ();
    /// Turns one entry into a tombstone if its successor is active.
    IndexSupersede = index_supersede(index: &str, old: &str, new: &str, now: i64) -> SupersedeOutcome;
    /// Checks that the store can be reached.
    Ping = ping() -> ();
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
}
