//! Tokens among the subprotocols that a WebSocket handshake offers.
//!
//! The script of a page cannot add a header to a WebSocket. It can only offer subprotocols.

use http::header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::token_lookup::{TokenLookup, token_text};
use super::token_source::TokenSource;
use super::token_sources::TokenSources;
use crate::token_rejection::TokenRejection;

/// Subprotocol in front of a token. Names of subprotocols are case-sensitive.
const BEARER: &[u8] = b"bearer";

/// Finds the token after the subprotocol `bearer` of a handshake.
pub(super) fn find(head: &Parts) -> TokenLookup<'_> {
    if accepting_status(head).is_none() {
        return Ok(None);
    }
    let mut offered = protocols(&head.headers).skip_while(|&name| name != BEARER);
    if offered.next().is_none() {
        return Ok(None);
    }
    let token = offered.next().ok_or(TokenRejection::Malformed)?;
    if offered.next().is_some() {
        return Err(TokenRejection::Ambiguous);
    }
    let text = token_text(token)?;
    if !token.iter().all(|&byte| is_token_byte(byte)) {
        return Err(TokenRejection::Malformed);
    }
    Ok(Some(text.into()))
}

impl<P> TokenSources<P> {
    /// Removes `bearer` and the token from the subprotocols of a handshake, if the list has this
    /// source. The application can then neither select nor log the token.
    ///
    /// Returns the status of a response that accepts the handshake, if `bearer` was offered.
    pub(crate) fn take_from_protocols(&self, head: &mut Parts) -> Option<StatusCode> {
        if !self.list.contains(&TokenSource::WebSocketProtocol) {
            return None;
        }
        let status = accepting_status(head)?;
        let headers = &mut head.headers;
        if !protocols(headers).any(|name| name == BEARER) {
            return None;
        }
        let others = protocols(headers).take_while(|&name| name != BEARER);
        let others = others.collect::<Vec<_>>().join(&b", "[..]);
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        // Parts of valid values are a valid value.
        if let Some(others) = HeaderValue::from_bytes(&others)
            .ok()
            .filter(|it| !it.is_empty())
        {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, others);
        }
        Some(status)
    }
}

/// Returns the status of a response that accepts the WebSocket handshake; `None` if the request is
/// no handshake.
///
/// RFC 6455 section 4 over HTTP/1.1, and RFC 8441 section 5 over HTTP/2.
fn accepting_status(head: &Parts) -> Option<StatusCode> {
    let headers = &head.headers;
    if head.method == Method::CONNECT {
        let is_handshake =
            head.version >= Version::HTTP_2 && headers.contains_key(SEC_WEBSOCKET_VERSION);
        return is_handshake.then_some(StatusCode::OK);
    }
    let mut upgrades = elements(headers, &UPGRADE);
    let is_handshake = upgrades.any(|name| name.eq_ignore_ascii_case(b"websocket"));
    is_handshake.then_some(StatusCode::SWITCHING_PROTOCOLS)
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    elements(headers, &SEC_WEBSOCKET_PROTOCOL)
}

/// Returns the elements of a list header, which may have several lines (RFC 9110 section 5.6.1).
fn elements<'a>(
    headers: &'a HeaderMap,
    name: &'static HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    let elements = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let trimmed = elements.map(<[u8]>::trim_ascii);
    trimmed.filter(|element| !element.is_empty())
}

/// Whether a token of HTTP may contain `byte` (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
