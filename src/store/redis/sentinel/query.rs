//! Queries to one sentinel.

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::error;

/// Host and port of a master.
pub(super) type Address = (String, u16);

/// Reads the address of the master of `service`.
pub(super) async fn master_address(
    handle: &mut MultiplexedConnection,
    sentinel: &str,
    service: &str,
) -> Result<Address> {
    let mut query = cmd("SENTINEL");
    query.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    let answer = handle.send_packed_command(&query).await;
    match answer.map_err(|error| error::broken(&error, sentinel))? {
        Value::ServerError(answer) => Err(error::rejected(&answer)),
        Value::Array(parts) => read_address(&parts)
            .ok_or_else(|| StoreError::new(StoreErrorKind::Protocol).with_detail(sentinel)),
        Value::Nil => Err(
            StoreError::new(StoreErrorKind::Configuration).with_detail(format!(
                "the sentinel at {sentinel} has no service of this name; check sentinelServiceName"
            )),
        ),
        _ => Err(StoreError::new(StoreErrorKind::Protocol).with_detail(sentinel)),
    }
}

fn read_address(parts: &[Value]) -> Option<Address> {
    let text = |part: &Value| match part {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let [host, port] = parts else {
        return None;
    };
    Some((text(host)?, text(port)?.parse().ok()?))
}
