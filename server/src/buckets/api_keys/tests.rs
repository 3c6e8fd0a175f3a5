//! Tests of API keys, each on a separate store.

use std::hash::Hash;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{SharedStore, StoreError};
use jwt_redis_session::testing::{Hook, Hooked, Step};
use tokio::sync::Semaphore;

use super::*;
use crate::settings::Settings;

fn keys(store: SharedStore) -> ApiKeys {
    ApiKeys::new(&AppState::with_store(Settings::default(), store)).unwrap()
}

fn bucket(name: &str) -> BucketName {
    BucketName::parse(name).unwrap()
}

async fn listed(keys: &ApiKeys) -> Vec<String> {
    let listed = keys.list().await.unwrap();
    assert!(listed.iter().all(|keyed| keyed.created.is_some()));
    let names = listed.iter().map(|keyed| keyed.bucket.as_str().to_owned());
    names.collect()
}

#[tokio::test]
async fn buckets_with_a_key_are_listed_by_name() {
    let keys = keys(MemoryStore::new().into());
    assert!(listed(&keys).await.is_empty());
    for name in ["b", "c", "a"] {
        keys.create(&bucket(name)).await.unwrap();
    }
    assert_eq!(listed(&keys).await, ["a", "b", "c"]);
    assert!(keys.revoke(&bucket("b")).await.unwrap());
    assert!(!keys.revoke(&bucket("b")).await.unwrap());
    assert_eq!(listed(&keys).await, ["a", "c"]);
}

#[tokio::test]
async fn a_key_opens_its_bucket_until_it_is_revoked() {
    let keys = keys(MemoryStore::new().into());
    let key = keys.create(&bucket("a")).await.unwrap();
    let hash = KeyHash::of(key.expose().as_bytes()).unwrap();
    assert!(keys.check(&bucket("a"), &hash).await.unwrap());
    assert!(!keys.check(&bucket("b"), &hash).await.unwrap());
    assert_eq!(
        keys.create(&bucket("a")).await.unwrap_err(),
        SessionError::Taken
    );
    keys.revoke(&bucket("a")).await.unwrap();
    assert!(!keys.check(&bucket("a"), &hash).await.unwrap());
    keys.create(&bucket("a")).await.unwrap();
    assert!(!keys.check(&bucket("a"), &hash).await.unwrap());
}

/// Hook that halts before an index entry is removed, until `go_on` has a permit.
#[derive(Debug)]
struct Halting {
    halted: Semaphore,
    go_on: Semaphore,
}

impl Hook for Halting {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if step == Step::IndexRemove {
            self.halted.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
        }
        call.await
    }
}

#[tokio::test]
async fn a_key_that_is_made_while_another_is_taken_away_is_listed() {
    let store = Arc::new(Halting {
        halted: Semaphore::new(0),
        go_on: Semaphore::new(0),
    });
    let keys = keys(Hooked::new(MemoryStore::new(), Arc::clone(&store)).into());
    keys.create(&bucket("a")).await.unwrap();
    let revoking = tokio::spawn({
        let keys = keys.clone();
        async move { keys.revoke(&bucket("a")).await }
    });
    store.halted.acquire().await.unwrap().forget();
    keys.create(&bucket("a")).await.unwrap();
    store.go_on.add_permits(1);
    assert!(revoking.await.unwrap().unwrap());
    assert_eq!(listed(&keys).await, ["a"]);
}
