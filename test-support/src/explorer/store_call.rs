//! One call of the store contract, as data.

use std::any::Any;
use std::fmt::{self, Debug};
use std::future::ready;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{Due, NewEntry, NewRecord, PutMode, StoreError, StoreErrorKind};

/// A call of a required method, which can be made on any copy of the store.
#[derive(Clone)]
pub(super) struct StoreCall {
    /// The method and its arguments.
    pub(super) text: String,
    pub(super) make: Arc<dyn Fn(&MemoryStore) -> Answer + Send + Sync>,
}

impl Debug for StoreCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a call returned. Equal answers have equal digests.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    value: Result<Arc<dyn Any + Send + Sync>, StoreErrorKind>,
    pub(super) digest: u64,
}

impl Answer {
    /// Waits for a call of a memory store, which is ready immediately.
    pub(super) fn of<T: Hash + Send + Sync + 'static>(
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Self {
        let result = call.now_or_never().expect("a memory store never waits");
        let result = result.map_err(|error| error.kind());
        let mut hasher = DefaultHasher::new();
        result.hash(&mut hasher);
        Self {
            digest: hasher.finish(),
            value: result.map(|value| Arc::new(value) as _),
        }
    }

    /// Returns the answer to a call that failed or whose reply is lost.
    pub(super) fn lost() -> Self {
        Self::of::<()>(ready(Err(StoreErrorKind::Timeout.into())))
    }

    /// Returns the answer as the return value of a method that returns `T`.
    pub(super) fn into_result<T: Clone + 'static>(self) -> Result<T, StoreError> {
        let value = self.value?;
        let value = value.downcast_ref::<T>();
        Ok(value.expect("the return type of the method").clone())
    }
}

/// An argument of a call.
pub(super) trait Argument {
    type Kept: Copy + Send + Sync + 'static;

    fn keep(self) -> Self::Kept;

    fn text(&self) -> String;
}

/// Returns texts for the rest of the program. All orders have the same few texts, so that leaking
/// them takes little memory.
fn keep(texts: &[&str]) -> &'static [&'static str] {
    static KEPT: Mutex<Vec<&[&str]>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.iter().find(|known| **known == texts) {
        return known;
    }
    let texts = texts.iter().map(|text| &*Box::leak(Box::from(*text)));
    let new: &[&str] = Vec::leak(texts.collect());
    kept.push(new);
    new
}

macro_rules! arguments {
    ($($ty:ty => $kept:ty, $this:ident: $keep:expr, $text:expr;)*) => {
        $(impl Argument for $ty {
            type Kept = $kept;

            fn keep(self) -> $kept {
                let $this = self;
                $keep
            }

            fn text(&self) -> String {
                let $this = self;
                $text
            }
        })*
    };
}

arguments! {
    &str => &'static str, it: keep(&[it])[0], (*it).to_owned();
    &[u8] => &'static [u8], it: keep(&[&text(it)])[0].as_bytes(), text(it);
    &[&str] => &'static [&'static str], it: keep(it), format!("{it:?}");
    Option<&str> => Option<&'static str>, it: it.map(Argument::keep), format!("{it:?}");
    NewRecord<'_> => NewRecord<'static>,
        it: NewRecord::new(it.key.keep(), it.value.keep(), it.ttl),
        format!("{} {}", it.key, text(it.value));
    NewEntry<'_> => NewEntry<'static>,
        it: NewEntry::new(it.index.keep(), it.member.keep(), it.check_after, it.ttl),
        format!("{} {}", it.index, it.member);
    Duration => Self, it: it, format!("{it:?}");
    PutMode => Self, it: it, format!("{it:?}");
    Option<Due> => Self, it: it, format!("{it:?}");
    i64 => Self, it: it, it.to_string();
    Option<i64> => Self, it: it, format!("{it:?}");
}

fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).expect("records are JSON")
}
