//! `FORMAT.md` against what a real Redis holds.

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::Store;
use jwt_redis_session::{Keyring, RedisStore, SessionId, Sessions};
use serde_json::Value;

use crate::support::redis_server::RedisServer;

#[tokio::test]
async fn scores_in_redis_are_those_of_the_vectors() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/index.json")).unwrap();
    let (active, deleting) = (&vectors["active"], &vectors["deleting"]);
    let now = deleting["time"].as_i64().unwrap();
    assert_eq!(active["time"], now + 86_400 + 60);
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let id = SessionId::random();
    let generated = id.clone();
    let sessions = Sessions::builder(store.clone(), Keyring::hs256([7, 8].repeat(16)).unwrap())
        .clock(ManualClock::at(now))
        .id_generator(move || generated.clone());
    let session = sessions.build().unwrap().new_session();
    session.set_owner("a:b").unwrap();
    session.create().await.unwrap();

    let index = "sess:owner:YTpi:";
    let run = |command: &[&str]| -> String { redis::from_redis_value(redis.run(command)).unwrap() };
    let score = ["ZSCORE", index, id.as_str()];
    assert_eq!(run(&score), active["score"]);
    let tombstones = store.index_tombstone_all(index, None, now).await;
    assert_eq!(tombstones.unwrap(), [id.as_str()]);
    assert_eq!(run(&score), deleting["score"]);
    let record = run(&["GET", &format!("sess:{}", id.as_str())]);
    assert_eq!(record, r#"{"_jrs":{"owner":"a:b","created":1700000000}}"#);
}

#[test]
fn format_md_names_the_commands_that_an_account_needs() {
    let rules = RedisStore::ACL_RULES;
    assert!(include_str!("../../FORMAT.md").contains(rules), "{rules}");
}
