//! Keys on a store of their own.

use std::future::Future;
use std::pin::Pin;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{Command, Reply, Store, StoreError};
use tokio::sync::Semaphore;

use super::*;
use crate::settings::Settings;

fn keys(store: Arc<dyn Store>) -> ApiKeys {
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
    let keys = keys(Arc::new(MemoryStore::new()));
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
    let keys = keys(Arc::new(MemoryStore::new()));
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

/// Deletes a record, and takes it off its list only when it is told to.
#[derive(Debug)]
struct Halting {
    store: MemoryStore,
    halted: Semaphore,
    go_on: Semaphore,
}

impl Store for Halting {
    fn run<'a, 'b, 'c, 'f>(
        &'a self,
        commands: &'b [Command<'c>],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Reply>, StoreError>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
    {
        Box::pin(async move {
            let [delete, unlist @ Command::IndexRemove { .. }] = commands else {
                return self.store.run(commands).await;
            };
            let mut replies = self.store.run(&[*delete]).await?;
            self.halted.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
            replies.extend(self.store.run(&[*unlist]).await?);
            Ok(replies)
        })
    }
}

#[tokio::test]
async fn a_key_that_is_made_while_another_is_taken_away_is_listed() {
    let store = Arc::new(Halting {
        store: MemoryStore::new(),
        halted: Semaphore::new(0),
        go_on: Semaphore::new(0),
    });
    let keys = keys(Arc::clone(&store) as Arc<dyn Store>);
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
