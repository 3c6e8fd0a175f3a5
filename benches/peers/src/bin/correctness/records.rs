//! The records of sessions, as they are in Redis.

use redis::Value;
use test_support::redis_server::RedisServer;

/// Returns the keys of all records. Indexes of sessions are not strings.
pub(crate) fn keys(redis: &RedisServer) -> Vec<String> {
    let mut keys = texts(redis.run(&["KEYS", "*"]));
    keys.retain(|key| texts(redis.run(&["TYPE", key])) == ["string"]);
    keys
}

/// Returns a record, which is not always a text.
pub(crate) fn get(redis: &RedisServer, key: &str) -> Option<Vec<u8>> {
    redis::from_redis_value(redis.run(&["GET", key])).expect("a string")
}

/// Returns how many records contain the name of a user.
pub(crate) fn of_user(redis: &RedisServer, user: &str) -> usize {
    let is_of_user = |key: &&String| {
        let record = get(redis, key).unwrap_or_default();
        let mut windows = record.windows(user.len());
        windows.any(|part| part == user.as_bytes())
    };
    keys(redis).iter().filter(is_of_user).count()
}

pub(crate) fn texts(reply: Value) -> Vec<String> {
    match reply {
        Value::Nil => Vec::new(),
        Value::Array(replies) => replies.into_iter().flat_map(texts).collect(),
        reply => vec![redis::from_redis_value(reply).expect("a text")],
    }
}
