//! Addresses and schemes that proxies report in headers.
//!
//! The last element is that of the nearest proxy, so elements are counted from the end: a client
//! can write anything in front of what the trusted proxies append. Nothing here allocates.

use std::sync::Once;

use http::HeaderMap;
use http::header::FORWARDED;

use crate::http::proxy_node::{from_end, text};
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
