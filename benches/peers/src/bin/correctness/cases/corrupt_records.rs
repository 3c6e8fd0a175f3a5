//! The record of a session is no longer what the library has written.

use test_support::unique;

use crate::finding::{Finding, Promise};
use crate::harness::Harness;

const GARBAGE: &str = "garbage{not a record";

pub(super) async fn run(harness: &mut Harness, number: usize) -> Vec<Finding> {
    let (mut reads, mut changed) = (Vec::new(), 0);
    for _ in 0..number {
        harness.redis.run(&["FLUSHALL"]);
        let credential = harness.a.site.login(&unique("user")).await;
        let key = record(harness);
        harness.redis.run(&["SET", &key, GARBAGE, "KEEPTTL"]);
        reads.push(harness.b.site.get("/read", &credential).await);
        changed += usize::from(get(harness, &key).as_deref() != Some(GARBAGE));
    }
    vec![
        Finding::answers("the record is damaged: a read", &reads, |answer| {
            answer.is_ok() || answer.hangs()
        }),
        Finding::count(
            "the record is damaged: a read overwrites it",
            changed,
            number,
        )
        .of(Promise::KeepsRecords),
    ]
}

/// Returns the key of the only record. Indexes of sessions are not strings.
fn record(harness: &Harness) -> String {
    let keys = texts(harness.redis.run(&["KEYS", "*"]));
    let is_record = |key: &&String| texts(harness.redis.run(&["TYPE", key])) == ["string"];
    let found = keys.iter().find(is_record);
    found.expect("the record of a session").clone()
}

fn get(harness: &Harness, key: &str) -> Option<String> {
    texts(harness.redis.run(&["GET", key])).pop()
}

pub(super) fn texts(reply: redis::Value) -> Vec<String> {
    match reply {
        redis::Value::Nil => Vec::new(),
        redis::Value::Array(replies) => replies.into_iter().flat_map(texts).collect(),
        reply => vec![redis::from_redis_value(reply).expect("a text")],
    }
}
