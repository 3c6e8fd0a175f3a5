//! Whether the server evicts sessions when its memory is full.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value, cmd};

/// Reads the eviction policy and warns if the server evicts keys.
///
/// An account may lack the permission to read it, which is no error.
pub(super) async fn warn_if_evicting(
    connection: &mut MultiplexedConnection,
) -> Result<(), RedisError> {
    let info = connection
        .send_packed_command(cmd("INFO").arg("memory"))
        .await?;
    let info = match info {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Value::VerbatimString { text, .. } => text,
        _ => return Ok(()),
    };
    let mut lines = info.lines();
    if let Some(policy) = lines.find_map(|line| line.strip_prefix("maxmemory_policy:"))
        && policy != "noeviction"
    {
        tracing::warn!(
            policy,
            "redis evicts keys when its memory is full, and logs users out; \
             set maxmemory-policy to noeviction"
        );
    }
    Ok(())
}
