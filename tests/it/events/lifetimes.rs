//! Sessions whose lifetime is changed while their end is awaited.

use std::time::SystemTime;

use super::*;

async fn changed(sessions: Sessions, other: Sessions) {
    let opened = async |token: Token| other.open(token.as_str()).await.unwrap();
    // Each session lives for two seconds.
    let (shortened, short) = created(&sessions).await;
    let (remembered, long) = created(&sessions).await;
    remembered.set_max_age(Duration::from_secs(2)).unwrap();
    remembered.update().await.unwrap();
    let (shortened, mut remembered) = (wait_for(&shortened), wait_for(&remembered));
    sleep(Duration::from_millis(200)).await;

    let session = opened(long).await;
    session.set_max_age(Duration::from_secs(60)).unwrap();
    session.update().await.unwrap();
    let session = opened(short).await;
    session.set_absolute_expiry(SystemTime::now());
    session.update().await.unwrap();

    let end = timeout(Duration::from_secs(4), shortened).await;
    assert_eq!(end.unwrap().unwrap(), SessionEnd::Expired);
    let end = timeout(Duration::from_secs(1), &mut remembered).await;
    assert!(end.is_err(), "it was prolonged");
}

#[tokio::test]
async fn an_end_that_was_changed_is_awaited_in_memory() {
    let store = MemoryStore::new();
    changed(sessions(store.clone()), sessions(store)).await;
}

#[tokio::test]
async fn an_end_that_was_changed_is_awaited_in_redis() {
    let redis = RedisServer::start();
    let (one, two) = (connected(&redis).await, connected(&redis).await);
    changed(sessions(one), sessions(two)).await;
}
