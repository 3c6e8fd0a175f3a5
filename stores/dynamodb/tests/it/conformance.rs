//! The conformance suite of the library, and concurrent sessions.

use std::time::Duration;

use futures_util::future::join_all;
use jwt_redis_session::store::cas::CasStore;
use jwt_redis_session::testing::conformance;
use jwt_redis_session::{Keyring, Sessions};

use crate::emulator::{Emulator, store};

#[tokio::test(flavor = "multi_thread")]
async fn the_store_passes_every_case() {
    let emulator = Emulator::start().await;
    // On a busy machine, 50 concurrent calls wait for each other for longer than by default.
    let backend = emulator.backend().deadline(Duration::from_secs(5));
    conformance::check(CasStore::new(backend)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_concurrent_processes_is_lost() {
    const PROCESSES: u32 = 4;
    const LOGINS: u32 = 10;
    let emulator = Emulator::start().await;
    // Each has its own client, as a process has.
    let sessions = || {
        let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
        Sessions::builder(store(&emulator.url()), keys)
            .build()
            .unwrap()
    };
    let shared = sessions().new_session();
    let token = shared.create().await.unwrap();
    let processes = (0..PROCESSES).map(async |process| {
        let sessions = sessions();
        let cart = sessions.open(token.as_str()).await.unwrap();
        for login in 0..LOGINS {
            let session = sessions.new_session();
            session.insert("of", (process, login)).unwrap();
            session.login("jo").await.unwrap();
            cart.update_with(|data| {
                let count = data.get::<u32>("count")?.unwrap_or(0);
                data.insert("count", count + 1)
            })
            .await
            .unwrap();
        }
    });
    join_all(processes).await;
    shared.reload().await.unwrap();
    assert_eq!(
        shared.get::<u32>("count").unwrap(),
        Some(PROCESSES * LOGINS)
    );
    let sessions = sessions();
    let all = (PROCESSES * LOGINS) as usize;
    assert_eq!(sessions.list("jo").await.unwrap().len(), all);
    assert_eq!(sessions.destroy_all("jo").await.unwrap(), all);
    assert!(sessions.list("jo").await.unwrap().is_empty());
}
