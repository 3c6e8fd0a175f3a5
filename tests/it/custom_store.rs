//! The durable store of the example `custom_store`.

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code)]
mod example;

use jwt_redis_session::store::cas::CasStore;
use jwt_redis_session::testing::conformance;

#[tokio::test]
async fn the_custom_store_passes_every_case() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let database = example::Redb::open(file.path()).expect("a database");
    // One after the other: on a busy machine, records of concurrent cases would expire while
    // their writes wait for each other and for the disk.
    conformance::check(CasStore::new(database.clone())).await;
    crate::operations::tickets::one_of_many_calls_opens(CasStore::new(database)).await;
}
