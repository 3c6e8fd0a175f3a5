//! How one connection is made.

use std::fmt;

use deadpool_redis::{Connection, Manager, Pool};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Value, cmd};
use tokio::time::{Instant, timeout_at};

use super::address;
use super::config::{Limits, RedisConfig};
use super::fault;
use crate::store::error::{StoreError, StoreErrorKind};

/// Takes connections out of a pool, which makes them.
pub(super) struct Dialer {
    pool: Pool,
    address: Box<str>,
    limits: Limits,
}

impl Dialer {
    /// Prepares to dial the server that `config` names.
    pub(super) fn new(config: &RedisConfig) -> Result<Self, StoreError> {
        let info = address::parse(&config.url)?;
        let address = info.addr().to_string().into_boxed_str();
        #[cfg(feature = "tls")]
        let info = config.certificates.apply(info)?;
        // Answers are timed by the store: one timer for each call, not two.
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.limits.connect))
            .set_response_timeout(None);
        let manager = Manager::new_with_config(info, settings)
            .map_err(|error| fault::broken(&error, &address))?;
        let pool = Pool::builder(manager).build();
        Ok(Self {
            pool: pool.map_err(|_| StoreErrorKind::Configuration)?,
            address,
            limits: config.limits,
        })
    }

    /// Prepares to take connections out of `pool`.
    #[cfg(feature = "pool")]
    pub(super) fn of_pool(pool: Pool) -> Self {
        Self {
            pool,
            address: "the pool's server".into(),
            limits: Limits::default(),
        }
    }

    /// Where the server is, for error messages.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Makes a connection and sees that somebody answers on it: a hung server accepts
    /// connections, because its kernel does.
    pub(super) async fn dial(&self) -> Result<MultiplexedConnection, StoreError> {
        let deadline = Instant::now() + self.limits.connect;
        let mut connection = self.in_time(deadline, self.take()).await?;
        let probe = self.in_time(deadline, self.probe(&mut connection));
        probe.await?;
        Ok(connection)
    }

    async fn take(&self) -> Result<MultiplexedConnection, StoreError> {
        match self.pool.get().await {
            Ok(connection) => Ok(Connection::take(connection)),
            Err(deadpool_redis::PoolError::Backend(error)) => Err(self.refusal(&error)),
            Err(deadpool_redis::PoolError::Timeout(_)) => Err(self.late()),
            Err(_) => Err(StoreError::new(StoreErrorKind::Connection)
                .with_detail("the pool gives no connection")),
        }
    }

    fn refusal(&self, error: &redis::RedisError) -> StoreError {
        if error.code() == Some("ERR") {
            let detail = format!("{}: the database was refused", self.address);
            return StoreError::new(StoreErrorKind::Configuration).with_detail(detail);
        }
        fault::broken(error, &self.address)
    }

    /// A server that refuses commands for the moment is still the right server; one that does
    /// not know us, or hangs up, is not.
    async fn probe(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        match connection.send_packed_command(&cmd("PING")).await {
            Ok(Value::ServerError(error)) => {
                let refusal = fault::refused(&error);
                match refusal.kind() {
                    StoreErrorKind::Auth | StoreErrorKind::Connection => Err(refusal),
                    _ => Ok(()),
                }
            }
            Ok(Value::SimpleString(answer)) if answer == "PONG" => Ok(()),
            Ok(_) => Err(StoreErrorKind::Protocol.into()),
            Err(error) => Err(fault::broken(&error, &self.address)),
        }
    }

    async fn in_time<T>(
        &self,
        deadline: Instant,
        step: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = |_| Err(self.late());
        timeout_at(deadline, step).await.unwrap_or_else(late)
    }

    fn late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout).with_detail(&*self.address)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}
