//! Extractor for the client of a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Extensions, HeaderMap};

use crate::http::{forwarded, proxy_node};
use crate::settings::ProxyHeader;

/// The peer of a connection. `serve` adds it to the extensions of each request.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// The number of proxies in front that append to `proxy_header`.
    pub(crate) trusted_proxies: usize,
    /// The only header that is read: a proxy passes the other one on as the client sent it.
    pub(crate) proxy_header: ProxyHeader,
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
        let mut client = Client {
            // Of an IPv4 client of an IPv6 socket.
            address: self.address.to_canonical(),
            over_tls: false,
        };
        // Without a trusted proxy the headers are the client's choice.
        let Some(index) = self.trusted_proxies.checked_sub(1) else {
            return client;
        };
        let (node, over_tls) = match self.proxy_header {
            ProxyHeader::XForwardedFor => (
                forwarded::x_forwarded_for(headers, index),
                forwarded::proto_is_https(headers),
            ),
            ProxyHeader::Forwarded => forwarded::forwarded(headers, index),
        };
        client.over_tls = over_tls;
        if let Some(node) = node {
            match proxy_node::address(node) {
                Some(address) => client.address = address.to_canonical(),
                None => forwarded::log_unreadable(self.proxy_header, node),
            }
        }
        client
    }
}

impl Client {
    /// Returns the client of a request with these extensions and headers.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let client = extensions.get::<Peer>().map(|peer| peer.client(headers));
        client.unwrap_or_else(|| Self {
            address: Ipv4Addr::UNSPECIFIED.into(),
            over_tls: false,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &str) -> HeaderMap {
        let lines = lines.split('\n').filter_map(|line| line.split_once(": "));
        let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
        HeaderMap::from_iter(lines.map(|(name, text)| (name.parse().unwrap(), value(text))))
    }

    fn client(proxy_header: ProxyHeader, trusted_proxies: usize, lines: &str) -> Client {
        let peer = Peer {
            address: IpAddr::from([127, 0, 0, 1]),
            trusted_proxies,
            proxy_header,
        };
        peer.client(&headers(lines))
    }

    /// Each row is the number of trusted proxies, the last byte of the client's address, and the
    /// headers.
    #[test]
    fn only_addresses_of_trusted_proxies_count() {
        const FOR: &str = "x-forwarded-for: 127.0.0.66, 127.0.0.3\nx-forwarded-for: 127.0.0.2";
        const FORWARDED: &str = "forwarded: for=127.0.0.66, For=\"127.0.0.3:80\"\n\
                                 forwarded: by=\"_a,b\";for=127.0.0.2;proto=https";
        for (proxy_header, own, other) in [
            (ProxyHeader::XForwardedFor, FOR, FORWARDED),
            (ProxyHeader::Forwarded, FORWARDED, FOR),
        ] {
            let both = format!("{own}\n{other}");
            for (trusted_proxies, last, lines) in [
                (0, 1, own),
                (1, 2, own),
                (2, 3, own),
                (9, 1, own),
                // A proxy that appends to one header passes on what a client sends in the other.
                (1, 1, other),
                (2, 3, &both),
                // Nothing that a client sends changes what the proxy appends.
                (
                    1,
                    2,
                    &own.replace("127.0.0.66", "\u{e9}, \"; for=\", \\\", for=127.0.0.9"),
                ),
            ] {
                let found = client(proxy_header, trusted_proxies, lines).address;
                let expected = IpAddr::from([127, 0, 0, last]);
                assert_eq!(found, expected, "{trusted_proxies} {lines}");
            }
        }
    }

    #[test]
    fn an_unreadable_address_counts_as_the_peer() {
        for lines in [
            "x-forwarded-for: unknown",
            "x-forwarded-for: ",
            "x-forwarded-for: 127.0.0.2, _hidden",
            "x-forwarded-for: 127.0.0.2, ",
            "forwarded: for=_hidden",
            "forwarded: for=127.0.0.2, proto=https",
            "forwarded: for=127.0.0.2, for=\"127.0.0.3",
        ] {
            for proxy_header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
                let found = client(proxy_header, 1, lines).address;
                assert_eq!(found, IpAddr::from([127, 0, 0, 1]), "{lines}");
            }
        }
    }

    /// Each row is the number of trusted proxies, whether the client uses TLS, and the headers.
    #[test]
    fn tls_is_that_of_the_hop_of_the_browser() {
        let x_forwarded = [
            (0, false, "x-forwarded-proto: https"),
            (1, true, "x-forwarded-proto: HTTPS"),
            (1, true, "x-forwarded-proto: https, http"),
            (1, true, "x-forwarded-proto: https\nx-forwarded-proto: http"),
            (1, false, "x-forwarded-proto: http,https"),
            (1, false, "forwarded: for=127.0.0.2;proto=https"),
        ];
        let forwarded = [
            (0, false, "forwarded: for=127.0.0.2;proto=https"),
            (1, true, "forwarded: for=127.0.0.2;Proto=\"https\""),
            (1, false, "forwarded: proto=https, for=127.0.0.2;proto=http"),
            (2, true, "forwarded: proto=https, for=127.0.0.2;proto=http"),
            (1, false, "x-forwarded-proto: https"),
        ];
        let x_forwarded = x_forwarded.map(|row| (ProxyHeader::XForwardedFor, row));
        let forwarded = forwarded.map(|row| (ProxyHeader::Forwarded, row));
        for (header, (trusted_proxies, over_tls, lines)) in x_forwarded.into_iter().chain(forwarded)
        {
            let found = client(header, trusted_proxies, lines).over_tls;
            assert_eq!(found, over_tls, "{trusted_proxies} {lines}");
        }
    }
}
