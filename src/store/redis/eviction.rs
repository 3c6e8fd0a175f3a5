//! Whether the server evicts sessions when its memory is full.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value, cmd};
use tokio::sync::OnceCell;

/// Reads the eviction policy once and warns if it is a dangerous one.
#[derive(Default)]
pub(super) struct EvictionCheck(OnceCell<()>);

impl EvictionCheck {
    /// Warns if the server evicts keys, unless that was checked before.
    ///
    /// An account may lack the permission for it: then nothing is known, which is no error. If
    /// the connection breaks, the policy is read over the next one.
    pub(super) async fn run(&self, connection: &mut MultiplexedConnection) {
        let check = async || -> Result<(), RedisError> {
            if let Some(policy) = policy(connection).await?
                && policy != "noeviction"
            {
                tracing::warn!(
                    policy,
                    "redis evicts keys when its memory is full, and logs users out; \
                     set maxmemory-policy to noeviction"
                );
            }
            Ok(())
        };
        let _ = self.0.get_or_try_init(check).await;
    }
}

async fn policy(connection: &mut MultiplexedConnection) -> Result<Option<String>, RedisError> {
    let info = connection
        .send_packed_command(cmd("INFO").arg("memory"))
        .await?;
    if let Some(info) = text(info) {
        let mut lines = info.lines();
        return Ok(lines.find_map(|line| Some(line.strip_prefix("maxmemory_policy:")?.into())));
    }
    let mut get = cmd("CONFIG");
    get.arg("GET").arg("maxmemory-policy");
    Ok(match connection.send_packed_command(&get).await? {
        Value::Array(pair) => pair.into_iter().nth(1).and_then(text),
        Value::Map(pairs) => pairs.into_iter().next().and_then(|pair| text(pair.1)),
        _ => None,
    })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}
