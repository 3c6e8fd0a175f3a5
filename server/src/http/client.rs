//! Extractor for the address of the client.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

/// The peer of a connection. `serve` adds it to the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress {
    pub(crate) peer: IpAddr,
    /// The number of proxies in front that append to `X-Forwarded-For`.
    pub(crate) trusted_proxies: usize,
}

/// The address of the client: the peer, or the one that the trusted proxies forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

impl ClientAddress {
    fn client(self, headers: &HeaderMap) -> IpAddr {
        let Some(index) = self.trusted_proxies.checked_sub(1) else {
            return self.peer;
        };
        let values = headers.get_all("x-forwarded-for").iter();
        let addresses: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        // Counted from the right: the client can write anything to the left of what the trusted
        // proxies append.
        let forwarded = addresses.iter().rev().nth(index);
        forwarded
            .and_then(|address| address.parse().ok())
            .unwrap_or(self.peer)
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientAddress>();
        let client = address.map(|address| address.client(&parts.headers));
        Ok(Self(client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_trusted_proxies_count() {
        let peer = IpAddr::from([127, 0, 0, 1]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "127.0.0.66, 127.0.0.3".parse().unwrap());
        headers.append("x-forwarded-for", "127.0.0.2".parse().unwrap());
        for (trusted_proxies, last) in [(0, 1), (1, 2), (2, 3), (9, 1)] {
            let address = ClientAddress {
                peer,
                trusted_proxies,
            };
            assert_eq!(address.client(&headers), IpAddr::from([127, 0, 0, last]));
            assert_eq!(address.client(&HeaderMap::new()), peer);
        }
    }
}
