//! What TLS needs before the first handshake.

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

use crate::store::error::{StoreError, StoreErrorKind};

/// Certificates in PEM; what is not given is the operating system's, or nothing.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    pub(super) root: Option<Vec<u8>>,
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Chooses the cryptography of the process unless the application has chosen.
///
/// rustls panics at the first handshake when several providers, or none, are compiled in and
/// nobody has chosen; any crate of the application may bring a second one.
fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Lost a race against another installer: then there is one, which is all we want.
        let _ = ring::default_provider().install_default();
    }
}

impl Certificates {
    /// Puts the certificates into `info`, which must ask for TLS if there are any.
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, StoreError> {
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            install_provider();
        }
        if self.root.is_none() && self.client.is_none() {
            return Ok(info);
        }
        let client = self.client.clone();
        let certificates = TlsCertificates {
            root_cert: self.root.clone(),
            client_tls: client.map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            }),
        };
        let client = Client::build_with_tls(info, certificates).map_err(|_| {
            StoreError::new(StoreErrorKind::Configuration)
                .with_detail("the certificates cannot be read, or the url is not rediss://")
        })?;
        Ok(client.get_connection_info().clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;

    use crate::RedisConfig;

    /// The only test of this process that may name a rediss:// address: the provider is the
    /// process's.
    #[test]
    fn a_provider_is_installed_for_tls_only_and_once() {
        RedisConfig::new("redis://127.0.0.1").lazy().unwrap();
        RedisConfig::new("unix:///r.sock").lazy().unwrap();
        #[cfg(feature = "pool")]
        for url in ["redis://127.0.0.1", "rediss://127.0.0.1"] {
            let manager = deadpool_redis::Manager::new(url).unwrap();
            let pool = deadpool_redis::Pool::builder(manager).build().unwrap();
            let _ = crate::RedisStore::from_pool(pool);
        }
        assert!(CryptoProvider::get_default().is_none());

        RedisConfig::new("rediss://127.0.0.1").lazy().unwrap();
        let installed = Arc::clone(CryptoProvider::get_default().unwrap());
        RedisConfig::new("rediss://127.0.0.1").lazy().unwrap();
        let still = CryptoProvider::get_default().unwrap();
        assert!(Arc::ptr_eq(&installed, still));
    }
}
