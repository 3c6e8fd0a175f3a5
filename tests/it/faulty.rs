//! Faults injected around a store on Redis, as users of the library do in their tests.

use std::time::Duration;

use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::testing::{Faults, Step};
use jwt_redis_session::{Keyring, RedisStore, SessionError, Sessions};

fn assert_unavailable<T>(outcome: Result<T, SessionError>, kind: StoreErrorKind) {
    match outcome.map(drop) {
        Err(SessionError::Unavailable(error)) => assert_eq!(error.kind(), kind),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_store_on_redis_can_be_made_to_fail() {
    let server = crate::support::redis_server::RedisServer::start();
    let redis = RedisStore::connect(&server.url()).await.expect("connect");
    let faults = Faults::new();
    let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
    let sessions = Sessions::builder(faults.wrap(redis), keys).build().unwrap();
    let token = sessions.new_session().create().await.unwrap();

    faults.fail_with(StoreErrorKind::Connection);
    let outage = sessions.open(token.as_str()).await;
    assert_unavailable(outage, StoreErrorKind::Connection);
    faults.heal();

    faults.on(Step::Delete).lose_replies(1);
    let session = sessions.open(token.as_str()).await.unwrap();
    assert_unavailable(session.destroy().await, StoreErrorKind::Timeout);
    let destroyed = sessions.open(token.as_str()).await;
    assert!(matches!(destroyed, Err(SessionError::Rejected(_))));

    faults.delay(Duration::from_millis(20));
    let since = std::time::Instant::now();
    sessions.new_session().create().await.unwrap();
    assert!(since.elapsed() >= Duration::from_millis(20));
}
