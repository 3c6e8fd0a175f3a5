//! Addresses and schemes that proxies report in headers.
//!
//! The last element is that of the nearest proxy, so elements are counted from the end: a client
//! can write anything in front of what the trusted proxies append. Nothing here allocates.

use std::net::IpAddr;
use std::sync::Once;

use http::HeaderMap;
use http::header::FORWARDED;

use crate::settings::ProxyHeader;

/// The longest part of an unreadable address that is logged.
const MAX_LOGGED: usize = 64;

/// Returns the element at `index` from the end of `X-Forwarded-For`; `None` if there are fewer.
pub(super) fn x_forwarded_for(headers: &HeaderMap, index: usize) -> Option<&str> {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let mut elements = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    Some(text(elements.nth(index)?))
}

/// Returns whether the first element of `X-Forwarded-Proto` is `https`: the hop of the browser. A
/// client that sends the header itself changes only the attributes of the cookies that it gets.
pub(super) fn proto_is_https(headers: &HeaderMap) -> bool {
    let value = headers.get("x-forwarded-proto");
    let value = value.and_then(|value| value.to_str().ok());
    let first = value.and_then(|value| value.split(',').next());
    first.is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

/// Returns `for` of the element at `index` from the end of `Forwarded` (RFC 7239), and whether its
/// `proto` is `https`. The address is empty if the element has no `for`, and `None` if there are
/// fewer elements.
pub(super) fn forwarded(headers: &HeaderMap, index: usize) -> (Option<&str>, bool) {
    let values = headers.get_all(FORWARDED).iter().rev();
    let mut elements = values.flat_map(|value| from_end(value.as_bytes(), b','));
    let Some(element) = elements.nth(index) else {
        return (None, false);
    };
    let parameter = |name: &str| {
        let mut pairs = from_end(element, b';').filter_map(|pair| text(pair).split_once('='));
        pairs.find_map(|(key, value)| {
            key.trim()
                .eq_ignore_ascii_case(name)
                .then_some(value.trim())
        })
    };
    let proto = parameter("proto").unwrap_or_default().trim_matches('"');
    (
        Some(parameter("for").unwrap_or_default()),
        proto.eq_ignore_ascii_case("https"),
    )
}

/// Splits at `separator` outside of quotes, from the end: a quote that the client left open does
/// not reach what a proxy appends. Addresses and schemes contain no escaped quotes; an element with
/// one may be split wrongly, and is then unreadable.
fn from_end(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut in_quotes = false;
    list.rsplit(move |byte| {
        in_quotes ^= *byte == b'"';
        *byte == separator && !in_quotes
    })
}

/// Returns an element as text, which is empty if it is not UTF-8. Other elements of the line may be
/// bytes that the client chose.
fn text(element: &[u8]) -> &str {
    std::str::from_utf8(element).unwrap_or_default()
}

/// Reads `ip`, `ip:port`, `[ip]` or `[ip]:port`, with or without quotes.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let unquoted = node.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let node = unquoted.unwrap_or(node);
    if let Ok(address) = node.parse() {
        return Some(address);
    }
    let (host, port) = match node.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => node.split_at(node.find(':')?),
    };
    // RFC 7239 also has ports that are names, such as `_port`.
    let is_port = port.is_empty() || port.len() > 1 && port.starts_with(':');
    let address: IpAddr = host.parse().ok().filter(|_| is_port)?;
    (address.is_ipv6() == node.starts_with('[')).then_some(address)
}

/// Logs once per process that an address cannot be read: the proxy sends the same with every
/// request.
pub(super) fn log_unreadable(header: ProxyHeader, node: &str) {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| {
        let logged = node.char_indices().nth(MAX_LOGGED);
        let node = logged.map_or(node, |(end, _)| &node[..end]);
        tracing::warn!(
            header = header.as_str(),
            address = node,
            "the address that a proxy reports cannot be read: all such clients share the limit of \
             the proxy; let it send an IP address, or check http.trusted_proxies"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_ports_brackets_and_quotes() {
        for (node, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            (" 192.0.2.1 ", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("\"192.0.2.1:80\"", Some("192.0.2.1")),
            ("192.0.2.1:_port", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("\"2001:db8::1\"", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("\"[2001:db8::1]:4711\"", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("::ffff:192.0.2.1")),
            ("", None),
            ("\"\"", None),
            ("\"", None),
            ("unknown", None),
            ("_hidden", None),
            ("unix:", None),
            ("a.example", None),
            ("192.0.2.1:", None),
            ("192.0.2.1;80", None),
            ("192.0.2", None),
            ("[192.0.2.1]:80", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]443", None),
            ("\"192.0.2.1", None),
            ("fe80::1%eth0", None),
        ] {
            let expected: Option<IpAddr> = expected.map(|address| address.parse().unwrap());
            assert_eq!(address(node), expected, "{node}");
        }
    }
}
