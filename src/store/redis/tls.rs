//! TLS over a TCP stream, through rustls.

use std::io;
use std::sync::Arc;

use redis::ConnectionAddr;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::store::error::{Result, StoreError, StoreErrorKind};

/// Certificates in PEM. By default the roots are those of the operating system, and the client
/// presents no certificate.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    pub(super) root: Option<Vec<u8>>,
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Makes TLS streams.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Certificates {
    /// Prepares TLS if `address` requires it.
    pub(super) fn for_address(&self, address: &ConnectionAddr) -> Result<Option<Tls>> {
        if matches!(address, ConnectionAddr::TcpTls { .. }) {
            install_provider();
            let config = self.config();
            let config = config.ok_or_else(|| invalid("the certificates cannot be read"))?;
            return Ok(Some(Tls(TlsConnector::from(Arc::new(config)))));
        }
        if self.root.is_some() || self.client.is_some() {
            return Err(invalid("certificates need rediss://"));
        }
        Ok(None)
    }

    fn config(&self) -> Option<ClientConfig> {
        let roots = match &self.root {
            Some(pem) => trusted(pem)?,
            None => system_roots(),
        };
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let Some((chain, key)) = &self.client else {
            return Some(builder.with_no_client_auth());
        };
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(key).ok()?;
        builder.with_client_auth_cert(chain.ok()?, key).ok()
    }
}

impl Tls {
    /// Performs the handshake with the server, whose certificate must be valid for `host`.
    pub(super) async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let handshake = self.0.connect(name.to_owned(), stream).await;
        // Only the kind: the text may quote the server's certificate.
        handshake.map_err(|error| error.kind().into())
    }
}

/// Installs ring as the rustls provider of this process, unless the application has installed one.
///
/// rustls panics at the first handshake if no provider is installed and several, or none, are
/// compiled in. Any crate of the application may add a second one.
fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Fails only if another thread has installed one, which serves the same purpose.
        let _ = ring::default_provider().install_default();
    }
}

fn trusted(pem: &[u8]) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.ok()?).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // One unreadable certificate must not disable the others. Without any, every handshake fails
    // with an error.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn invalid(detail: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;

    use crate::RedisConfig;

    /// No other test in this process may use a `rediss://` URL, because the provider is global.
    #[test]
    fn provider_is_installed_only_for_tls_and_only_once() {
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
