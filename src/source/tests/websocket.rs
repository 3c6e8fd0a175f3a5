//! Tokens among the subprotocols of a WebSocket handshake.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{StatusCode, Version};

use super::request::{described, request, rows};
use crate::source::token_source::TokenSource;
use crate::source::token_sources::TokenSources;
use crate::token::Token;

/// Lines of the header are separated by ` ; ` in the tables.
const OFFER: &str = " | sec-websocket-protocol:";

/// Returns the token or the reason, and the subprotocols that are left for the application.
fn taken(mut head: Parts) -> (Option<StatusCode>, String) {
    let sources = TokenSources::headers_only().with(TokenSource::WebSocketProtocol);
    let found = described(sources.find(&head));
    let status = sources.take_from_protocols(&mut head);
    let left = head.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let left: Vec<_> = left.map(|line| line.to_str().unwrap()).collect();
    (status, format!("{found} > {}", left.join(" ; ")))
}

#[test]
fn token_follows_bearer_and_both_are_taken() {
    let table = "
none > a, b        | a, b
none > a  ; b      | a  ; b
none > Bearer, T   | Bearer, T
none > xbearer, T  | xbearer, T
T >                | bearer, T
T >                | bearer,T
T >                | , bearer ,, T ,
T >                | bearer ; T
T > a              | a, bearer, T
T > a, b           | a ; b, bearer ; T
a.b-_~+ >          | bearer, a.b-_~+
malformed >        | bearer
malformed > a      | a, bearer,
malformed >        | bearer, T U
malformed >        | bearer, a/b=
malformed >        | bearer, \"T\"
malformed >        | bearer, ÿ
ambiguous >        | bearer, T, U
ambiguous >        | bearer, T, T
ambiguous > a      | a, bearer, T, bearer, U
ambiguous >        | bearer, T ; bearer, T
";
    for (expected, offered) in rows(table) {
        let (expected, offered) = (expected.trim_end(), offered.trim());
        let lines = offered.split(" ; ").map(|line| format!("{OFFER}{line}"));
        let line = format!(
            "GET / | upgrade: h2c, WebSocket{}",
            lines.collect::<String>()
        );
        let (status, seen) = taken(request(&line));
        assert_eq!(seen.trim_end(), expected, "{offered}");
        let is_taken = !seen.starts_with("none");
        let switching = is_taken.then_some(StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(status, switching, "{offered}");
    }
    let long = "a".repeat(Token::MAX_LEN + 1);
    let line = format!("GET / | upgrade: websocket{OFFER}bearer, {long}");
    assert_eq!(taken(request(&line)).1, "too_long > ");
}

#[test]
fn only_handshakes_are_searched() {
    let none = "none > bearer, T";
    for line in [
        "GET /",
        "GET / | upgrade: h2c",
        "GET / | upgrade: websocket2",
    ] {
        let (status, seen) = taken(request(&format!("{line}{OFFER}bearer, T")));
        assert_eq!((status, &*seen), (None, none), "{line}");
    }
    let connect = |version, headers| {
        let mut head = request(&format!("CONNECT h:443{headers}{OFFER}bearer, T"));
        head.version = version;
        taken(head)
    };
    let (status, seen) = connect(Version::HTTP_2, " | sec-websocket-version: 13");
    assert_eq!((status, &*seen), (Some(StatusCode::OK), "T > "));
    assert_eq!(connect(Version::HTTP_2, "").1, none);
    let http_1 = connect(Version::HTTP_11, " | sec-websocket-version: 13");
    assert_eq!(http_1.1, none);
    // Without this source the offer is not changed.
    let mut head = request(&format!("GET / | upgrade: websocket{OFFER}bearer, T"));
    assert_eq!(TokenSources::default().take_from_protocols(&mut head), None);
    assert_eq!(head.headers[SEC_WEBSOCKET_PROTOCOL], "bearer, T");
}
