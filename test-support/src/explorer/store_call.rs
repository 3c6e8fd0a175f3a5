//! One call of the store contract, as data.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{
    IndexFilter, NewEntry, NewRecord, PutMode, Store as _, StoreError, StoreErrorKind,
};

/// A call of a required method with its arguments.
#[derive(Clone, Debug)]
pub(super) enum StoreCall {
    Load(String),
    Insert(Record),
    CompareAndSet(String, Record),
    CompareAndDelete(String, String),
    SetTtl(String, Duration),
    Delete(String),
    IndexPut(Entry, PutMode),
    IndexGet(String, String),
    IndexList(String, IndexFilter),
    IndexRemove(String, Vec<String>, Option<i64>),
    IndexTombstoneAll(String, Option<String>, i64),
    IndexSupersede(String, String, String, i64),
    Ping,
}

/// A [`NewRecord`] that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Record {
    key: String,
    value: String,
    ttl: Duration,
}

/// A [`NewEntry`] that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    index: String,
    member: String,
    check_after: i64,
    ttl: Duration,
}

impl StoreCall {
    /// Runs the call on `store`, which never waits.
    pub(super) fn run(&self, store: &MemoryStore) -> Answer {
        match self {
            Self::Load(key) => answer(store.load(key)),
            Self::Insert(record) => answer(store.insert(record.borrow())),
            Self::CompareAndSet(expected, record) => {
                answer(store.compare_and_set(expected.as_bytes(), record.borrow()))
            }
            Self::CompareAndDelete(key, expected) => {
                answer(store.compare_and_delete(key, expected.as_bytes()))
            }
            Self::SetTtl(key, ttl) => answer(store.set_ttl(key, *ttl)),
            Self::Delete(key) => answer(store.delete(key)),
            Self::IndexPut(entry, mode) => answer(store.index_put(entry.borrow(), *mode)),
            Self::IndexGet(index, member) => answer(store.index_get(index, member)),
            Self::IndexList(index, filter) => answer(store.index_list(index, *filter)),
            Self::IndexRemove(index, members, due_by) => {
                let members: Vec<_> = members.iter().map(String::as_str).collect();
                answer(store.index_remove(index, &members, *due_by))
            }
            Self::IndexTombstoneAll(index, keep, now) => {
                answer(store.index_tombstone_all(index, keep.as_deref(), *now))
            }
            Self::IndexSupersede(index, old, new, now) => {
                answer(store.index_supersede(index, old, new, *now))
            }
            Self::Ping => answer(store.ping()),
        }
    }
}

impl Record {
    fn borrow(&self) -> NewRecord<'_> {
        NewRecord::new(&self.key, self.value.as_bytes(), self.ttl)
    }
}

impl From<NewRecord<'_>> for Record {
    fn from(record: NewRecord<'_>) -> Self {
        Self {
            key: record.key.to_owned(),
            value: text(record.value),
            ttl: record.ttl,
        }
    }
}

impl Entry {
    fn borrow(&self) -> NewEntry<'_> {
        NewEntry::new(&self.index, &self.member, self.check_after, self.ttl)
    }
}

impl From<NewEntry<'_>> for Entry {
    fn from(entry: NewEntry<'_>) -> Self {
        Self {
            index: entry.index.to_owned(),
            member: entry.member.to_owned(),
            check_after: entry.check_after,
            ttl: entry.ttl,
        }
    }
}

/// Returns the value of a record as text, so that a printed schedule can be read.
pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).expect("records are JSON")
}

/// What a call of the store returned: a value with its hash, or an error.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Value(Arc<dyn Any + Send + Sync>, u64),
    Error(StoreErrorKind),
}

impl Answer {
    /// Returns the answer as the return value of a method that returns `T`.
    pub(super) fn into_result<T: Clone + 'static>(self) -> Result<T, StoreError> {
        match self {
            Self::Value(value, _) => {
                let value = value.downcast_ref::<T>();
                Ok(value.expect("the return type of the method").clone())
            }
            Self::Error(kind) => Err(kind.into()),
        }
    }
}

/// Equal answers have equal hashes.
impl Hash for Answer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Value(_, digest) => digest.hash(state),
            Self::Error(kind) => kind.hash(state),
        }
    }
}

fn answer<T: Hash + Send + Sync + 'static>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Answer {
    match call.now_or_never().expect("a memory store never waits") {
        Ok(value) => {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            Answer::Value(Arc::new(value), hasher.finish())
        }
        Err(error) => Answer::Error(error.kind()),
    }
}
