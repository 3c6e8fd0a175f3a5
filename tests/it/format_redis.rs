//! `FORMAT.md` against what a real Redis holds.

use std::collections::BTreeMap;

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::Store;
use jwt_redis_session::{Keyring, RedisStore, SessionId, Sessions};
use redis::Value;
use serde::Deserialize;

use crate::support::redis_server::RedisServer;

#[derive(Deserialize)]
struct EntryVector {
    time: i64,
    score: String,
}

fn vectors() -> BTreeMap<String, EntryVector> {
    serde_json::from_str(include_str!("../vectors/index.json")).unwrap()
}

fn text(value: Value) -> String {
    redis::from_redis_value(value).unwrap()
}

#[tokio::test]
async fn format_scores_in_redis_are_those_of_the_vectors() {
    let vectors = vectors();
    let (active, deleting) = (&vectors["active"], &vectors["deleting"]);
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let id = SessionId::random();
    let drawn = id.clone();
    let sessions = Sessions::builder(store.clone(), Keyring::hs256([7, 8].repeat(16)).unwrap())
        .clock(ManualClock::at(deleting.time))
        .id_generator(move || drawn.clone())
        .build()
        .unwrap();
    let session = sessions.new_session();
    session.set_owner("a:b").unwrap();
    session.create().await.unwrap();

    let index = "sess:owner:YTpi:";
    let score = || text(redis.run(&["ZSCORE", index, id.as_str()]));
    assert_eq!(active.time, deleting.time + 86_400 + 60);
    assert_eq!(score(), active.score);
    let (keep, now) = (None, deleting.time);
    let marked = store.index_tombstone_all(index, keep, now).await;
    assert_eq!(marked.unwrap(), [id.as_str()]);
    assert_eq!(score(), deleting.score);
    let key = format!("sess:{}", id.as_str());
    assert_eq!(
        text(redis.run(&["GET", &key])),
        r#"{"_jrs":{"owner":"a:b","created":1700000000}}"#
    );
}

#[test]
fn format_md_names_the_least_that_an_account_needs() {
    let rules = RedisStore::ACL_RULES;
    assert!(include_str!("../../FORMAT.md").contains(rules), "{rules}");
}
