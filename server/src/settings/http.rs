//! How requests come in.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

/// How requests come in: section `http`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The address to listen on. Defaults to `127.0.0.1:8385`.
    pub listen: SocketAddr,
    /// How many threads answer requests. Defaults to 0: as many as there are processors.
    pub threads: usize,
    /// How long a client may take to send the head of a request, and how long a connection may
    /// stay idle. Defaults to `10s`.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request. Defaults to `10s`.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// How long a client may take no further part of an answer before the connection is cut.
    /// Defaults to `10s`.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    /// How long a request may take in all before it is answered 503. Defaults to `15s`.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long requests under way may take once the service is told to stop. Defaults to `10s`.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
    /// How many connections are served at once; more wait to be accepted. Defaults to 10,000.
    pub max_connections: usize,
    /// How many proxies stand in front, each of which appends to `X-Forwarded-For`: the client's
    /// address is that many places from its end. Defaults to 0: the peer is the client.
    pub trusted_proxies: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8385)),
            threads: 0,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(15),
            shutdown_timeout: Duration::from_secs(10),
            max_connections: 10_000,
            trusted_proxies: 0,
        }
    }
}
