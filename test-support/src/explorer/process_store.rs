//! The store that a process uses.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{
    CompareOutcome, Due, EntryState, IndexEntry, InsertOutcome, NewEntry, NewRecord, PutMode,
    Store, StoreError, StoredRecord, SupersedeOutcome, async_trait,
};
use tokio::sync::oneshot;

use super::store_call::{Answer, Argument, StoreCall};

/// Store whose calls wait for an [answer](Self::answer) that is given from outside.
///
/// With `PIPELINED`, the steps of a provided method run like a pipeline: when one of them fails,
/// the later ones run all the same, and the call fails. The provided methods of the contract stop
/// at the first failure. A store may do either.
#[derive(Clone, Debug, Default)]
pub(super) struct ProcessStore<const PIPELINED: bool> {
    /// Several if the process does several things concurrently. The first is answered first.
    waiting: Arc<Mutex<VecDeque<Waiting>>>,
}

#[derive(Debug)]
struct Waiting {
    call: StoreCall,
    answer: oneshot::Sender<Answer>,
}

impl<const PIPELINED: bool> ProcessStore<PIPELINED> {
    /// Returns the call that is answered next.
    pub(super) fn next(&self) -> Option<StoreCall> {
        let mut waiting = self.waiting();
        // A call whose future was dropped before it was answered is never made.
        waiting.retain(|waiting| !waiting.answer.is_closed());
        waiting.front().map(|waiting| waiting.call.clone())
    }

    /// Answers the [next](Self::next) call.
    pub(super) fn answer(&self, answer: Answer) {
        let next = self.waiting().pop_front();
        let next = next.expect("the operation is deterministic, so it makes the same calls again");
        let _ = next.answer.send(answer);
    }

    async fn call<T: Clone + 'static>(&self, call: StoreCall) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.waiting().push_back(Waiting { call, answer });
        match answered.await {
            Ok(answer) => answer.into_result(),
            Err(_) => pending().await,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Implements the contract for both kinds of store from the list of required methods.
macro_rules! stores {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        stores!(false {} $($name($($arg: $ty),*) -> $out;)*);
        stores!(true {
            async fn insert_indexed(
                &self,
                entries: &[NewEntry<'_>],
                record: NewRecord<'_>,
                due: Option<Due>,
            ) -> Result<InsertOutcome, StoreError> {
                let put = self.put_all(entries).await;
                let inserted = self.insert(record).await;
                let (mut state, mut listed) = (Ok(None), Ok(Vec::new()));
                if let Some(last) = entries.last() {
                    state = self.index_get(last.index, last.member).await;
                    if due.is_some() {
                        listed = self.index_list(last.index, due).await;
                    }
                }
                put?;
                let (inserted, state, listed) = (inserted?, state?, listed?);
                Ok(match state {
                    _ if !inserted => InsertOutcome::KeyTaken,
                    Some(EntryState::Active { .. }) => InsertOutcome::Inserted { due: listed },
                    None if entries.is_empty() => InsertOutcome::Inserted { due: listed },
                    _ => InsertOutcome::EntryLost,
                })
            }

            async fn compare_and_set_indexed(
                &self,
                entry: NewEntry<'_>,
                expected: &[u8],
                record: NewRecord<'_>,
            ) -> Result<CompareOutcome, StoreError> {
                let put = self.index_put(entry, PutMode::KeepTombstone).await;
                let set = self.compare_and_set(expected, record).await;
                put.and(set)
            }

            async fn set_ttl_indexed(
                &self,
                entry: NewEntry<'_>,
                key: &str,
                prefix: &[u8],
                ttl: Duration,
            ) -> Result<CompareOutcome, StoreError> {
                let put = self.index_put(entry, PutMode::KeepTombstone).await;
                let set = self.set_ttl_if(key, prefix, ttl).await;
                put.and(set)
            }

            async fn delete_indexed(
                &self,
                keys: &[&str],
                index: &str,
                members: &[&str],
            ) -> Result<usize, StoreError> {
                let mut deleted = Ok(0);
                for key in keys {
                    let existed = self.delete(key).await;
                    deleted = deleted.and_then(|count| Ok(count + usize::from(existed?)));
                }
                if members.is_empty() {
                    return deleted;
                }
                let removed = self.index_remove(index, members, None).await;
                removed.and(deleted)
            }

            async fn index_refresh(
                &self,
                index: &str,
                live: &[NewEntry<'_>],
                dead: &[&str],
                due_by: i64,
            ) -> Result<(), StoreError> {
                let put = self.put_all(live).await;
                let removed = self.index_remove(index, dead, Some(due_by)).await;
                put.and(removed)
            }
        } $($name($($arg: $ty),*) -> $out;)*);
    };
    ($pipelined:tt { $($provided:tt)* } $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for ProcessStore<$pipelined> {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                let text = [stringify!($name).to_owned() $(, Argument::text(&$arg))*].join(" ");
                $(let $arg = Argument::keep($arg);)*
                let make = move |store: &MemoryStore| Answer::of(store.$name($($arg),*));
                self.call(StoreCall { text, make: Arc::new(make) }).await
            })*

            $($provided)*
        }
    };
}

stores! {
    load(key: &str) -> Option<StoredRecord>;
    insert(record: NewRecord<'_>) -> bool;
    compare_and_set(expected: &[u8], record: NewRecord<'_>) -> CompareOutcome;
    compare_and_delete(key: &str, expected: &[u8]) -> CompareOutcome;
    set_ttl_if(key: &str, prefix: &[u8], ttl: Duration) -> CompareOutcome;
    delete(key: &str) -> bool;
    index_put(entry: NewEntry<'_>, mode: PutMode) -> ();
    index_get(index: &str, member: &str) -> Option<EntryState>;
    index_list(index: &str, due: Option<Due>) -> Vec<IndexEntry>;
    index_remove(index: &str, members: &[&str], due_by: Option<i64>) -> ();
    index_tombstone_all(index: &str, keep: Option<&str>, now: i64) -> ();
    index_supersede(index: &str, old: &str, new: &str, now: i64) -> SupersedeOutcome;
    ping() -> ();
}

impl ProcessStore<true> {
    async fn put_all(&self, entries: &[NewEntry<'_>]) -> Result<(), StoreError> {
        let mut result = Ok(());
        for entry in entries {
            let put = self.index_put(*entry, PutMode::KeepTombstone).await;
            result = result.and(put);
        }
        result
    }
}
