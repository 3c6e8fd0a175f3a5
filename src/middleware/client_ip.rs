//! The address of the client of a request.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::FORWARDED;
use http::{Extensions, HeaderMap};

use super::proxy_node::{self, from_end, text};

/// The largest number of addresses that are read from a header.
const MAX_PROXIES: usize = 16;

/// Configuration of how the address of a client is determined.
///
/// The extractor for [`Device`](crate::session::Device) reads it from the extensions of the
/// request, where `axum::Extension` puts it. Without it a device has no address.
///
/// The default is the address of the peer. No header is read, because a client can send any header.
/// Behind proxies, choose the one header that they set, and specify which addresses are trusted
/// proxies. The header is then read from its end. The first address that is not a trusted proxy is
/// that of the client.
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::extract::ConnectInfo;
/// use axum::routing::post;
/// use axum::{Extension, Router};
/// use jwt_redis_session::middleware::ClientIp;
/// use jwt_redis_session::session::Device;
/// use jwt_redis_session::{Session, SessionError};
///
/// async fn login(session: Session, device: Device) -> Result<String, SessionError> {
///     session.set_device(device);
///     Ok(session.login("jo").await?.into_string())
/// }
///
/// let client_ip = ClientIp::new(|extensions| {
///     let peer: &ConnectInfo<SocketAddr> = extensions.get()?;
///     Some(peer.ip())
/// });
/// // A proxy on this host that appends to `X-Forwarded-For`:
/// let client_ip = client_ip.x_forwarded_for(|proxy| proxy.is_loopback());
/// let app: Router = Router::new().route("/login", post(login)).layer(Extension(client_ip));
/// // For `ConnectInfo`:
/// let app = app.into_make_service_with_connect_info::<SocketAddr>();
/// ```
#[derive(Clone)]
pub struct ClientIp {
    peer: Arc<FindPeer>,
    proxies: Option<Proxies>,
}

type FindPeer = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;

type IsTrusted = dyn Fn(IpAddr) -> bool + Send + Sync;

#[derive(Clone)]
struct Proxies {
    header: ProxyHeader,
    is_trusted: Arc<IsTrusted>,
}

#[derive(Clone, Copy, Debug)]
enum ProxyHeader {
    XForwardedFor,
    Forwarded,
}

impl ClientIp {
    /// Creates a configuration that returns the address of the peer, which `peer` finds in the
    /// extensions of a request.
    ///
    /// `peer` may also return an address that other middleware has determined.
    #[must_use]
    pub fn new(peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self {
            peer: Arc::new(peer),
            proxies: None,
        }
    }

    /// Reads `X-Forwarded-For` if it comes from a proxy for whose address `is_trusted` is true.
    #[must_use]
    pub fn x_forwarded_for(
        self,
        is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.behind(ProxyHeader::XForwardedFor, Arc::new(is_trusted))
    }

    /// Reads `for` of `Forwarded` (RFC 7239) if it comes from a proxy for whose address
    /// `is_trusted` is true.
    #[must_use]
    pub fn forwarded(self, is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        self.behind(ProxyHeader::Forwarded, Arc::new(is_trusted))
    }

    fn behind(mut self, header: ProxyHeader, is_trusted: Arc<IsTrusted>) -> Self {
        self.proxies = Some(Proxies { header, is_trusted });
        self
    }

    /// Returns the address of the client, or `None` if the peer is unknown or a trusted proxy
    /// reports no address that can be read.
    #[must_use]
    pub fn of(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        // An IPv6 socket reports IPv4 clients as IPv4-mapped addresses.
        let peer = (self.peer)(extensions)?.to_canonical();
        match &self.proxies {
            Some(proxies) => proxies.client(peer, headers),
            None => Some(peer),
        }
    }
}

impl Proxies {
    fn client(&self, mut address: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let mut reported = self.header.nodes(headers).take(MAX_PROXIES);
        while (self.is_trusted)(address) {
            match reported.next() {
                Some(node) => address = proxy_node::address(node)?.to_canonical(),
                // The request comes from the proxy itself.
                None => break,
            }
        }
        Some(address)
    }
}

impl ProxyHeader {
    /// Returns the reported addresses, the one of the nearest proxy first. An element without one,
    /// or that is not UTF-8, is empty.
    fn nodes(self, headers: &HeaderMap) -> impl Iterator<Item = &str> {
        let name = match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => FORWARDED.as_str(),
        };
        let values = headers.get_all(name).iter().rev();
        let elements = values.flat_map(|value| from_end(value.as_bytes(), b','));
        elements.map(move |element| match self {
            Self::XForwardedFor => text(element),
            Self::Forwarded => forwarded_for(element),
        })
    }
}

fn forwarded_for(element: &[u8]) -> &str {
    let mut pairs = from_end(element, b';').filter_map(|pair| text(pair).split_once('='));
    let node = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    node.map_or("", |(_, node)| node)
}

impl fmt::Debug for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.proxies.as_ref().map(|proxies| proxies.header);
        f.debug_struct("ClientIp")
            .field("header", &header)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(config: &ClientIp, lines: &str) -> Option<String> {
        let lines = lines.split('\n').filter_map(|line| line.split_once(": "));
        let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let lines = lines.map(|(name, text)| (name.parse().unwrap(), value(text)));
        let mut extensions = Extensions::new();
        extensions.insert(IpAddr::from([127, 0, 0, 1]));
        let found = config.of(&extensions, &HeaderMap::from_iter(lines));
        found.map(|ip| ip.to_string())
    }

    /// Trusts 127.0.0.1 to 127.0.0.3.
    fn is_trusted(proxy: IpAddr) -> bool {
        (1..4).any(|last| proxy == IpAddr::from([127, 0, 0, last]))
    }

    fn configs() -> [ClientIp; 3] {
        let peer = ClientIp::new(|extensions| extensions.get().copied());
        let x_forwarded_for = peer.clone().x_forwarded_for(is_trusted);
        let forwarded = peer.clone().forwarded(is_trusted);
        [peer, x_forwarded_for, forwarded]
    }

    #[test]
    fn a_header_is_read_from_its_end_through_trusted_proxies() {
        let [peer, x_forwarded_for, forwarded] = configs();
        for (nodes, expected) in [
            ("192.0.2.9", Some("192.0.2.9")),
            ("192.0.2.66, 192.0.2.9", Some("192.0.2.9")),
            (
                "192.0.2.66, 192.0.2.9, 127.0.0.2,127.0.0.3",
                Some("192.0.2.9"),
            ),
            ("192.0.2.9:4711, 127.0.0.2:80", Some("192.0.2.9")),
            ("\u{e9}\", x, 192.0.2.9", Some("192.0.2.9")),
            ("\"[2001:db8::1]:80\"", Some("2001:db8::1")),
            ("::ffff:192.0.2.9", Some("192.0.2.9")),
            ("127.0.0.3, 127.0.0.2", Some("127.0.0.3")),
            ("192.0.2.9, unknown", None),
            ("192.0.2.9, ", None),
            ("192.0.2.9, [2001:db8::1", None),
        ] {
            let own = format!("x-forwarded-for: {nodes}");
            let elements = nodes.split(',').map(|node| format!("For={}", node.trim()));
            let other = format!("forwarded: {}", elements.collect::<Vec<_>>().join(","));
            assert_eq!(client(&peer, &own).as_deref(), Some("127.0.0.1"), "{own}");
            // A proxy that sets one header forwards the other one as the client sent it.
            let both = format!("{other}\n{own}");
            assert_eq!(
                client(&x_forwarded_for, &both).as_deref(),
                expected,
                "{own}"
            );
            assert_eq!(client(&forwarded, &both).as_deref(), expected, "{other}");
            let only = client(&x_forwarded_for, &other);
            assert_eq!(only.as_deref(), Some("127.0.0.1"), "{other}");
        }
    }

    #[test]
    fn the_parameters_of_forwarded_are_read() {
        let [_, x_forwarded_for, forwarded] = configs();
        let element = "forwarded: for=192.0.2.66\n\
                       forwarded: by=\"_a,b\";FOR=\"192.0.2.9:80\";proto=https, for=127.0.0.2";
        assert_eq!(client(&forwarded, element).as_deref(), Some("192.0.2.9"));
        assert_eq!(client(&forwarded, "forwarded: proto=https"), None);
        let bad_port = "x-forwarded-for: 192.0.2.9, 127.0.0.2;80";
        assert_eq!(client(&x_forwarded_for, bad_port), None);
    }

    #[test]
    fn headers_are_read_to_a_limit_and_only_from_trusted_peers() {
        let [peer, x_forwarded_for, _] = configs();
        let long = format!("x-forwarded-for: 192.0.2.9{}", ", 127.0.0.2".repeat(100));
        let found = client(&x_forwarded_for, &long);
        assert_eq!(found.as_deref(), Some("127.0.0.2"));
        let header = "x-forwarded-for: 192.0.2.9";
        let untrusting = peer.x_forwarded_for(|_| false);
        assert_eq!(client(&untrusting, header).as_deref(), Some("127.0.0.1"));
        let unknown = ClientIp::new(|_| None).x_forwarded_for(|_| true);
        assert_eq!(client(&unknown, header), None);
    }
}
