//! The stores of the library against the conformance suite.

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::SharedStore;
use jwt_redis_session::testing::conformance::CASES;

/// Runs all cases concurrently, which also shows whether they disturb each other.
pub(crate) async fn check(store: impl Into<SharedStore>) {
    let store = store.into();
    let cases = CASES.iter().map(|case| case.run(store.clone()));
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
    for parameters in ["", "?protocol=resp3"] {
        let url = server.url() + parameters;
        let store = crate::redis_store::patient(&url).connect().await;
        check(store.expect("connect")).await;
    }
}
