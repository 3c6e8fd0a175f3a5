//! Stores that do something before their steps.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jwt_redis_session::store::{CompareOutcome, NewRecord, SharedStore, StoreError};
use jwt_redis_session::testing::{Hook, Hooked, Step};
use serde_json::Value;

/// Runs a function before each step.
pub(super) struct Before<F>(F);

impl<F, R> Hook for Before<F>
where
    F: Fn(Step) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0(step).await;
        call.await
    }
}

pub(super) fn before<F, R>(store: impl Into<SharedStore>, run: F) -> Hooked<Before<F>>
where
    F: Fn(Step) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    Hooked::new(store, Before(run))
}

/// Store that yields to the other tasks before every step.
pub(super) fn yielding(store: impl Into<SharedStore>) -> impl Into<SharedStore> {
    SharedStore::from(before(store, async |_| {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }))
}

/// Writes another value into the record `key` before it is compared, a number of times.
pub(super) struct Interference {
    pub(super) store: SharedStore,
    /// How many times are left.
    pub(super) left: Arc<AtomicUsize>,
}

impl Interference {
    pub(super) fn new(store: impl Into<SharedStore>, key: String, times: usize) -> Self {
        let (store, left) = (store.into(), Arc::new(AtomicUsize::new(times)));
        let (inner, count) = (store.clone(), Arc::clone(&left));
        let run = move |step| {
            let (inner, count, key) = (inner.clone(), Arc::clone(&count), key.clone());
            async move {
                if matches!(step, Step::CompareAndSet | Step::CompareAndDelete) {
                    interfere(&inner, &key, &count).await;
                }
            }
        };
        let store = before(store, run).into();
        Self { store, left }
    }
}

async fn interfere(store: &SharedStore, key: &str, count: &AtomicUsize) {
    let left = count.load(Ordering::SeqCst);
    let Some(stored) = store.load(key).await.unwrap().filter(|_| left > 0) else {
        return;
    };
    count.store(left - 1, Ordering::SeqCst);
    let mut object: Value = serde_json::from_slice(&stored.value).unwrap();
    object["interfered"] = left.into();
    let value = serde_json::to_vec(&object).unwrap();
    let record = NewRecord::new(key, &value, stored.ttl.unwrap());
    let written = store.compare_and_set(&stored.value, record).await.unwrap();
    assert_eq!(written, CompareOutcome::Applied);
}
