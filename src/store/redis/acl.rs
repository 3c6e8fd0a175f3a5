//! The Redis commands that an account needs.

/// The rules of [`RedisStore::ACL_RULES`](crate::RedisStore::ACL_RULES).
pub(super) const ACL_RULES: &str = "+ping +get +getrange +pttl +set +pexpire +del +eval +evalsha \
     +zadd +zscore +zrem +zrange +zrangebyscore";
