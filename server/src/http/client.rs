//! Extractor for the client of a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

/// The peer of a connection. `serve` adds it to the extensions of each request.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// The number of proxies in front that append to `X-Forwarded-For`.
    pub(crate) trusted_proxies: usize,
}

/// The client: the peer, or the one that the trusted proxies report.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether it uses TLS, which a proxy terminates.
    pub(crate) over_tls: bool,
}

impl Peer {
    fn client(self, headers: &HeaderMap) -> Client {
        // Without a trusted proxy the headers are the client's choice.
        let Some(index) = self.trusted_proxies.checked_sub(1) else {
            let (address, over_tls) = (self.address, false);
            return Client { address, over_tls };
        };
        let values = headers.get_all("x-forwarded-for").iter().rev();
        let mut addresses = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','));
        // Counted from the right: the client can write anything to the left of what the trusted
        // proxies append.
        let address = addresses.nth(index).map(|address| address.trim().parse());
        let address = address.and_then(Result::ok).unwrap_or(self.address);
        let scheme = headers.get("x-forwarded-proto");
        let over_tls = scheme.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"https"));
        Client { address, over_tls }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let (address, over_tls) = (Ipv4Addr::UNSPECIFIED.into(), false);
        let peer = parts.extensions.get::<Peer>();
        let client = peer.map(|peer| peer.client(&parts.headers));
        Ok(client.unwrap_or(Self { address, over_tls }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_trusted_proxies_count() {
        let address = |last| IpAddr::from([127, 0, 0, last]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "127.0.0.66, 127.0.0.3".parse().unwrap());
        headers.append("x-forwarded-for", "127.0.0.2".parse().unwrap());
        for (trusted_proxies, last) in [(0, 1), (1, 2), (2, 3), (9, 1)] {
            let peer = Peer {
                address: address(1),
                trusted_proxies,
            };
            assert_eq!(peer.client(&headers).address, address(last));
            assert_eq!(peer.client(&HeaderMap::new()).address, address(1));
        }
    }
}
