//! Whom a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

/// The address at the other end of the connection, and how far to believe what it forwards; put
/// into each request by the connection that it came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress {
    pub(crate) peer: IpAddr,
    pub(crate) trusted_proxies: usize,
}

/// The address of the client: the peer, or what the trusted proxies say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

impl ClientAddress {
    /// The client's address as the proxy furthest from us that we trust has seen it.
    fn client(self, headers: &HeaderMap) -> IpAddr {
        let Some(place) = self.trusted_proxies.checked_sub(1) else {
            return self.peer;
        };
        let values = headers.get_all("x-forwarded-for").iter();
        let addresses: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let forwarded = addresses.iter().rev().nth(place);
        forwarded
            .and_then(|address| address.parse().ok())
            .unwrap_or(self.peer)
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let address = parts.extensions.get::<ClientAddress>();
        Ok(Self(
            address.map_or(unknown, |address| address.client(&parts.headers)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_append_is_believed() {
        let mut headers = HeaderMap::new();
        let client = |trusted_proxies, headers: &HeaderMap| {
            let peer = IpAddr::from([127, 0, 0, 1]);
            ClientAddress {
                peer,
                trusted_proxies,
            }
            .client(headers)
            .to_string()
        };
        assert_eq!(client(1, &headers), "127.0.0.1");
        headers.append("x-forwarded-for", "127.0.0.66, 127.0.0.3".parse().unwrap());
        headers.append("x-forwarded-for", "127.0.0.2".parse().unwrap());
        assert_eq!(client(0, &headers), "127.0.0.1");
        assert_eq!(client(1, &headers), "127.0.0.2");
        assert_eq!(client(2, &headers), "127.0.0.3");
        assert_eq!(client(9, &headers), "127.0.0.1");
    }
}
