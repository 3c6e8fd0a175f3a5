//! Elements of the headers in which proxies report addresses (RFC 7239). `sessiond` compiles this file
//! too.

use std::net::IpAddr;

/// Splits at `separator` outside of quotes, from the end: a quote that the client left open does
/// not reach what a proxy appends. Addresses and schemes contain no escaped quotes; an element with
/// one may be split wrongly, and is then unreadable.
pub(crate) fn from_end(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut in_quotes = false;
    list.rsplit(move |byte| {
        in_quotes ^= *byte == b'"';
        *byte == separator && !in_quotes
    })
}

/// Returns an element as text, which is empty if it is not UTF-8. Other elements of the line may be
/// bytes that the client chose.
pub(crate) fn text(element: &[u8]) -> &str {
    std::str::from_utf8(element).unwrap_or_default()
}

/// Reads `ip`, `ip:port`, `[ip]` or `[ip]:port`, with or without quotes.
pub(crate) fn address(node: &str) -> Option<IpAddr> {
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
