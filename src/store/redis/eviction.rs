//! Whether the server forgets sessions when its memory is full.

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

/// Warns if the server evicts keys. An account that may not ask learns nothing, which is fine.
pub(super) async fn warn_if_evicting(connection: &mut MultiplexedConnection) {
    if let Some(policy) = policy(connection).await
        && policy != "noeviction"
    {
        tracing::warn!(
            policy,
            "redis evicts keys when its memory is full, and logs users out; \
             set maxmemory-policy to noeviction"
        );
    }
}

async fn policy(connection: &mut MultiplexedConnection) -> Option<String> {
    let info = connection
        .send_packed_command(cmd("INFO").arg("memory"))
        .await;
    if let Some(info) = text(info.ok()?) {
        let mut lines = info.lines();
        return lines.find_map(|line| Some(line.strip_prefix("maxmemory_policy:")?.into()));
    }
    let config = connection
        .send_packed_command(cmd("CONFIG").arg("GET").arg("maxmemory-policy"))
        .await;
    match config.ok()? {
        Value::Array(pair) => text(pair.into_iter().nth(1)?),
        Value::Map(pairs) => text(pairs.into_iter().next()?.1),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}
