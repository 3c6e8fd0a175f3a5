//! Both stores against the suite that any store must pass.

use std::sync::Arc;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::Store;
use jwt_redis_session::testing::conformance::CASES;

/// All cases at once, so that they also show whether they disturb each other.
async fn check(store: impl Store) {
    let store: Arc<dyn Store> = Arc::new(store);
    let cases = CASES.iter().map(|case| case.run(Arc::clone(&store)));
    futures_util::future::join_all(cases).await;
}

#[tokio::test]
async fn the_memory_store_passes_every_case() {
    check(MemoryStore::new()).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn the_redis_store_passes_every_case() {
    let server = crate::support::redis_server::RedisServer::start();
    let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
    check(store.expect("connect")).await;
}
