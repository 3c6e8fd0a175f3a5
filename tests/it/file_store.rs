//! The store in a file: the contract, and its speed for an owner with many sessions.

use std::time::{Duration, Instant};

use jwt_redis_session::store::FileStore;
use jwt_redis_session::testing::conformance;
use jwt_redis_session::{Keyring, Sessions};

#[tokio::test]
async fn the_file_store_passes_every_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::open(folder.path().join("sessions.redb")).expect("a store");
    conformance::check(store.clone()).await;
    crate::operations::tickets::one_of_many_calls_opens(store).await;
}

#[tokio::test]
async fn many_sessions_of_one_owner_are_listed_quickly() {
    const SESSIONS: usize = 5000;

    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::open(folder.path().join("sessions.redb")).expect("a store");
    let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").expect("a key");
    let sessions = Sessions::builder(store, keys).build().expect("sessions");
    let logins = (0..SESSIONS).map(|number| {
        let session = sessions.new_session();
        async move {
            session.insert("number", number).expect("a number");
            session.login("jo").await.expect("a login");
        }
    });
    let logins = futures_util::stream::iter(logins);
    futures_util::StreamExt::for_each_concurrent(logins, 200, |login| login).await;

    let start = Instant::now();
    let listed = sessions.list("jo").await.expect("a list");
    let took = start.elapsed();
    assert_eq!(listed.len(), SESSIONS);
    // An optimized build takes at most a tenth of this.
    assert!(took < Duration::from_secs(1), "{took:?}");
    let destroyed = sessions.destroy_all("jo").await.expect("an end");
    assert_eq!(destroyed, SESSIONS);
}
