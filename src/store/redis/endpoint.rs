//! Opening connections to one server.
//!
//! Connections are opened here and not by redis-rs' `Client`, because the stream below redis-rs
//! must be watched; see [`traffic`](super::traffic).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::time::Duration;

use redis::aio::{AsyncStream, MultiplexedConnection};
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisError};
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio::time::timeout;

use super::cache::{LocalCache, Moment, Tracking};
use super::config::RedisConfig;
use super::connection::Connection;
use super::credentials::Provider;
use super::error;
use super::hello::Hello;
use super::tcp;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::traffic::{Traffic, Watched};
use crate::store::error::{Result, StoreError, StoreErrorKind};

type Stream = Pin<Box<dyn AsyncStream + Send>>;

/// What a new connection does with the pushes of the server.
#[derive(Clone)]
pub(super) enum Pushes {
    Ignored,
    /// Changes of records go to the cache.
    ToCache(Arc<LocalCache>),
    /// Pushes go to the receiver in these settings of redis-rs.
    To(Box<AsyncConnectionConfig>),
}

/// Credentials and certificates for all servers of a configuration.
#[derive(Clone)]
pub(super) struct Access {
    provider: Option<Provider>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    /// Shorter than the time for a connection, whose end does not show that TLS is the reason.
    #[cfg(feature = "tls")]
    handshake_timeout: Duration,
}

impl Access {
    /// Reads the certificates if `address`, which is that of any of the servers, requires TLS.
    pub(super) fn new(
        config: &RedisConfig,
        #[cfg_attr(
            not(feature = "tls"),
            expect(unused, reason = "only certificates need it")
        )]
        address: &ConnectionAddr,
    ) -> Result<Self> {
        Ok(Self {
            provider: config.credentials_provider.clone(),
            #[cfg(feature = "tls")]
            tls: config.certificates.for_address(address)?,
            #[cfg(feature = "tls")]
            handshake_timeout: config.limits.connect * 3 / 4,
        })
    }

    /// Returns the same without the credentials provider, for servers that have other accounts.
    #[cfg(feature = "sentinel")]
    pub(super) fn without_provider(mut self) -> Self {
        self.provider = None;
        self
    }
}

/// Address of a server, with the settings for connections to it.
#[derive(Clone)]
pub(super) struct Endpoint {
    info: ConnectionInfo,
    address: Box<str>,
    access: Access,
}

impl Endpoint {
    pub(super) fn new(info: ConnectionInfo, access: Access) -> Self {
        Self {
            address: info.addr().to_string().into(),
            info,
            access,
        }
    }

    /// Returns the same server with another version of the protocol.
    pub(super) fn with_protocol(&self, protocol: ProtocolVersion) -> Self {
        let mut endpoint = self.clone();
        let settings = self.info.redis_settings().clone().set_protocol(protocol);
        endpoint.info = endpoint.info.set_redis_settings(settings);
        endpoint
    }

    /// Returns the address, for error messages.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Opens a connection and returns it with the server's answer to `HELLO`.
    ///
    /// The kernel of a server that hangs still accepts connections. The answer shows that the
    /// server itself works.
    pub(super) async fn open(&self) -> Result<(Connection, Hello)> {
        self.open_with(AsyncConnectionConfig::new()).await
    }

    /// Opens a connection that handles pushes as `pushes` says.
    ///
    /// With sentinels, `confirmed` is when they last named this server as the master. The cache
    /// needs it.
    pub(super) async fn open_for(
        &self,
        pushes: Pushes,
        confirmed: Option<Arc<Moment>>,
    ) -> Result<(Connection, Hello)> {
        match pushes {
            Pushes::Ignored => self.open().await,
            Pushes::ToCache(cache) => {
                let tracking = Tracking::new(&cache, confirmed);
                let config = AsyncConnectionConfig::new().set_push_sender(tracking.listener());
                let (connection, hello) = self.open_with(config).await?;
                Ok((connection.with_tracking(tracking), hello))
            }
            Pushes::To(config) => {
                let server = self.with_protocol(ProtocolVersion::RESP3);
                server.open_with(*config).await
            }
        }
    }

    /// Opens a connection with other settings of redis-rs than the usual ones.
    pub(super) async fn open_with(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<(Connection, Hello)> {
        let settings = self.info.redis_settings();
        let settings = match &self.access.provider {
            Some(provider) => provider.apply(settings).await?,
            None => settings.clone(),
        };
        let stream = self.stream().await;
        let stream = stream.map_err(|error| error::no_stream(error, &self.address))?;
        let traffic = Traffic::new();
        // Answers are timed by the client: one timer for each call, not two.
        let config = config
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let stream = Watched::new(stream, traffic.clone());
        let (handle, driver) = MultiplexedConnection::new_with_config(&settings, stream, config)
            .await
            .map_err(|error| rejected(&error, &self.address))?;
        let driver = tokio::spawn(driver).abort_handle();
        let connection = Connection::new(handle, traffic, Some(driver));
        let hello = Hello::greet(&mut connection.handle(), &self.address).await?;
        Ok((connection, hello))
    }

    async fn stream(&self) -> io::Result<Stream> {
        Ok(match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => Box::pin(tcp::connect(host, *port).await?),
            #[cfg(feature = "tls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let tls = self.access.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
                let stream = tcp::connect(host, *port).await?;
                let handshake = tls.handshake(host, stream);
                Box::pin(timeout(self.access.handshake_timeout, handshake).await??)
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Box::pin(UnixStream::connect(path).await?),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

/// Translates the failure of the commands that open a connection.
pub(super) fn rejected(error: &RedisError, address: &str) -> StoreError {
    // Of these commands, only SELECT is answered with a plain ERR.
    if error.code() == Some("ERR") {
        let detail = format!("{address}: the server has no such database");
        return StoreError::new(StoreErrorKind::Configuration).with_detail(detail);
    }
    error::broken(error, address)
}
