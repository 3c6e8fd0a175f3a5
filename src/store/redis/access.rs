//! What a Redis account must be allowed.

/// The commands that [`RedisStore`](crate::RedisStore) sends, as a Redis ACL writes them.
///
/// `ACL SETUSER app on >password ~sess:* resetchannels -@all` and these are enough; the keys are
/// those of the keyspace. A store made of a pool also wants `+unwatch`, which the pool sends.
/// `INFO` and `CONFIG`, asked once at the start for the eviction policy, may be refused.
pub(super) const ACL_RULES: &str = "+ping +get +pttl +set +pexpire +del +eval +evalsha \
     +zadd +zscore +zrem +zrange +zrangebyscore";
