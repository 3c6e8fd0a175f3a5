//! New connections to a server.
//!
//! Connections are made here and not by redis-rs' `Client`, because the stream below redis-rs must
//! be watched; see [`traffic`](super::traffic).

use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use redis::aio::{AsyncStream, MultiplexedConnection};
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, Value, cmd};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::address;
use super::config::{Limits, RedisConfig};
use super::connection::Connection;
use super::error;
use super::eviction::warn_if_evicting;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::traffic::{Traffic, Watched};
use crate::store::error::{Result, StoreError, StoreErrorKind};

type Stream = Pin<Box<dyn AsyncStream + Send>>;

/// Makes connections to one server.
pub(super) struct Connector {
    source: Source,
    address: Box<str>,
    pub(super) limits: Limits,
    eviction_checked: OnceCell<()>,
}

enum Source {
    Server(Box<Server>),
    #[cfg(feature = "pool")]
    Pool(deadpool_redis::Pool),
}

struct Server {
    info: ConnectionInfo,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Connector {
    /// Prepares to connect to the server of `config`.
    pub(super) fn new(config: &RedisConfig) -> Result<Self> {
        let info = address::parse(config)?;
        Ok(Self {
            address: info.addr().to_string().into_boxed_str(),
            source: Source::Server(Box::new(Server {
                #[cfg(feature = "tls")]
                tls: config.certificates.for_address(info.addr())?,
                info,
            })),
            limits: config.limits,
            eviction_checked: OnceCell::new(),
        })
    }

    /// Prepares to take connections out of `pool`.
    #[cfg(feature = "pool")]
    pub(super) fn of_pool(pool: deadpool_redis::Pool) -> Self {
        Self {
            source: Source::Pool(pool),
            address: "the pool's server".into(),
            limits: Limits::default(),
            eviction_checked: OnceCell::new(),
        }
    }

    /// Returns the address of the server, for error messages.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Makes a connection and checks that it answers: a hung server accepts connections, because
    /// its kernel does.
    pub(super) async fn connect(&self) -> Result<Connection> {
        let deadline = Instant::now() + self.limits.connect;
        let make = async {
            let connection = match &self.source {
                Source::Server(server) => self.open(server).await?,
                #[cfg(feature = "pool")]
                Source::Pool(pool) => self.take(pool).await?,
            };
            self.probe(&mut connection.handle()).await?;
            Ok(connection)
        };
        timeout_at(deadline, make)
            .await
            .unwrap_or_else(|_| Err(self.late()))
    }

    /// Warns if the server evicts sessions, once for all connections.
    pub(super) async fn check_eviction(&self, handle: &mut MultiplexedConnection) {
        let check = self
            .eviction_checked
            .get_or_try_init(|| warn_if_evicting(handle));
        // A server that hangs now must not keep the task, and the connection with it.
        let _ = timeout_at(Instant::now() + self.limits.connect, check).await;
    }

    async fn open(&self, server: &Server) -> Result<Connection> {
        let stream = server
            .stream()
            .await
            .map_err(|error| error::no_stream(error, &self.address))?;
        let traffic = Traffic::new();
        // Answers are timed by the client: one timer for each call, not two.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let (handle, driver) = MultiplexedConnection::new_with_config(
            server.info.redis_settings(),
            Watched::new(stream, traffic.clone()),
            config,
        )
        .await
        .map_err(|error| self.rejected(&error))?;
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Connection::new(handle, traffic, Some(driver)))
    }

    #[cfg(feature = "pool")]
    async fn take(&self, pool: &deadpool_redis::Pool) -> Result<Connection> {
        use deadpool_redis::PoolError;

        match pool.get().await {
            Ok(connection) => {
                let handle = deadpool_redis::Connection::take(connection);
                Ok(Connection::of_pool(handle))
            }
            Err(PoolError::Backend(error)) => Err(self.rejected(&error)),
            Err(PoolError::Timeout(_)) => Err(self.late()),
            Err(_) => Err(StoreError::new(StoreErrorKind::Connection)
                .with_detail("the pool has no connection")),
        }
    }

    fn rejected(&self, error: &redis::RedisError) -> StoreError {
        // Of the commands that open a connection, only SELECT is answered with a plain ERR.
        if error.code() == Some("ERR") {
            let detail = format!("{}: the server has no such database", self.address);
            return StoreError::new(StoreErrorKind::Configuration).with_detail(detail);
        }
        error::broken(error, &self.address)
    }

    /// A server that rejects commands for now is the right server all the same. One that does
    /// not accept the credentials, or closes the connection, is not.
    async fn probe(&self, handle: &mut MultiplexedConnection) -> Result<()> {
        match handle.send_packed_command(&cmd("PING")).await {
            Ok(Value::ServerError(answer)) => {
                let rejection = error::rejected(&answer);
                match rejection.kind() {
                    StoreErrorKind::Auth | StoreErrorKind::Connection => Err(rejection),
                    _ => Ok(()),
                }
            }
            Ok(Value::SimpleString(answer)) if answer == "PONG" => Ok(()),
            Ok(_) => Err(StoreErrorKind::Protocol.into()),
            Err(error) => Err(error::broken(&error, &self.address)),
        }
    }

    /// Returns the error of something that took too long.
    pub(super) fn late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout).with_detail(&*self.address)
    }

    /// Returns the error of a connection that ended.
    pub(super) fn unreachable(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Connection).with_detail(&*self.address)
    }
}

impl Server {
    async fn stream(&self) -> io::Result<Stream> {
        Ok(match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => Box::pin(tcp(host, *port).await?),
            #[cfg(feature = "tls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let tls = self.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
                Box::pin(tls.handshake(host, tcp(host, *port).await?).await?)
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Box::pin(UnixStream::connect(path).await?),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

/// Connects to all addresses of the host concurrently and takes the first that accepts.
async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    for address in lookup_host((host, port)).await? {
        attempts.spawn(TcpStream::connect(address));
    }
    let mut error = io::Error::from(io::ErrorKind::NotFound);
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return configured(stream),
            Ok(Err(failed)) => error = failed,
            Err(_) => {}
        }
    }
    Err(error)
}

/// Finds a dead peer in seconds: unacknowledged data by the user timeout, silence by keepalive.
fn configured(stream: TcpStream) -> io::Result<TcpStream> {
    // Without these the kernel tries for a quarter of an hour.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(5))
        .with_interval(Duration::from_secs(1))
        .with_retries(2);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(2)))?;
    // A request is one write: waiting for more bytes would only delay it.
    socket.set_tcp_nodelay(true)?;
    Ok(stream)
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}
