//! Mode and role of a server, from its answer to `HELLO`.

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

use super::error;
use crate::store::error::{Result, StoreError, StoreErrorKind};

/// Mode of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Standalone,
    Sentinel,
    Cluster,
}

/// Answer of `HELLO`.
///
/// Every account may send `HELLO`, whatever its permissions are, where `INFO` and `ROLE` need one.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    /// `None` if the server does not report it: one older than Redis 6.2.
    pub(super) mode: Option<Mode>,
    pub(super) is_replica: bool,
    pub(super) version: Option<Box<str>>,
}

impl Hello {
    const UNKNOWN: Self = Self {
        mode: None,
        is_replica: false,
        version: None,
    };

    /// Sends `HELLO`, which also shows that the server answers.
    ///
    /// A server that rejects commands for now passes. One that rejects the credentials does not.
    pub(super) async fn greet(handle: &mut MultiplexedConnection, address: &str) -> Result<Self> {
        // Without the number of a protocol: a connection of a pool may use either. Redis 6.0
        // requires one and rejects this.
        let answer = handle.send_packed_command(&cmd("HELLO")).await;
        match answer.map_err(|error| error::broken(&error, address))? {
            Value::ServerError(answer) => {
                let rejection = error::rejected(&answer);
                match rejection.kind() {
                    StoreErrorKind::Auth | StoreErrorKind::Connection => Err(rejection),
                    _ => Ok(Self::UNKNOWN),
                }
            }
            Value::Array(flat) => {
                let mut flat = flat.into_iter();
                Ok(Self::read(std::iter::from_fn(|| {
                    flat.next().zip(flat.next())
                })))
            }
            Value::Map(pairs) => Ok(Self::read(pairs.into_iter())),
            _ => Err(StoreError::new(StoreErrorKind::Protocol).with_detail(address)),
        }
    }

    fn read(pairs: impl Iterator<Item = (Value, Value)>) -> Self {
        let mut hello = Self::UNKNOWN;
        for (name, value) in pairs {
            match (text(&name), text(&value)) {
                ("mode", "standalone") => hello.mode = Some(Mode::Standalone),
                ("mode", "sentinel") => hello.mode = Some(Mode::Sentinel),
                ("mode", "cluster") => hello.mode = Some(Mode::Cluster),
                ("version", version) => hello.version = Some(version.into()),
                ("role", role) => hello.is_replica = matches!(role, "replica" | "slave"),
                _ => {}
            }
        }
        hello
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).unwrap_or_default(),
        Value::SimpleString(text) => text,
        _ => "",
    }
}
