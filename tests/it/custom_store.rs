//! The durable store of the example `custom_store`.

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code)]
mod example;

use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::store::cas::CasStore;
use jwt_redis_session::testing::conformance;
use jwt_redis_session::{SessionError, Sessions};

#[tokio::test]
async fn the_custom_store_passes_every_case() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let database = example::Redb::open(file.path()).expect("a database");
    // One after the other: on a busy machine, records of concurrent cases would expire while
    // their writes wait for each other and for the disk.
    conformance::check(CasStore::new(database.clone())).await;
    crate::operations::tickets::one_of_many_calls_opens(CasStore::new(database)).await;
}

/// The database has no list of its keys.
#[tokio::test]
async fn it_cannot_end_everything() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let database = example::Redb::open(file.path()).expect("a database");
    let sessions = Sessions::without_tokens(CasStore::new(database)).build();
    let everything = sessions.expect("sessions").destroy_everything();
    match everything.await {
        Err(SessionError::Unavailable(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::Unsupported);
        }
        other => panic!("{other:?}"),
    }
}
