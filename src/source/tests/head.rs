//! Tokens in headers, cookies and the query.

use proptest::prelude::*;

use super::request::{described, request, rows};
use crate::source::token_source::TokenSource;
use crate::source::token_sources::TokenSources;
use crate::token::Token;

fn find<P>(sources: &TokenSources<P>, line: &str) -> String {
    described(sources.find(&request(line)))
}

/// Checks rows of requests; with a header name, rows of the lines of that header.
fn check<P>(sources: &TokenSources<P>, header: Option<&str>, table: &str) {
    for (expected, case) in rows(table) {
        let line = match header {
            None => case.to_owned(),
            Some(_) if case.is_empty() => "GET /".to_owned(),
            Some(name) => format!(
                "GET / | {name}:{}",
                case.replace(" | ", &format!(" | {name}:"))
            ),
        };
        assert_eq!(find(sources, &line), expected, "{line}");
    }
}

#[test]
fn first_source_wins_and_a_bad_token_ends_the_search() {
    check(
        &TokenSources::default(),
        None,
        r#"
none      | GET /
none      | GET *
none      | CONNECT h:443
none      | GET / | cookie: accessToken=C
H         | GET /?accessToken=Q | authorization: Bearer B | x-access-token: H
H         | GET /?accessToken=a&accessToken=b | X-Access-Token: H
B         | GET /?accessToken=Q | authorization: Bearer B
Q         | GET /?accessToken=Q
Q         | GET http://h?accessToken=Q
Q         | GET /?accessToken=Q | x-access-token:
Q         | GET /?accessToken=Q | authorization: Basic B
malformed | GET /?accessToken=Q | authorization: Bearer
malformed | GET /?accessToken=Q | x-access-token: Bearer H
T         | GET / | x-access-token:  T  | accept: x
T         | GET / | authorization:  Bearer T  | accept: x
none      | GET / | x-access-token: | x-access-token:  | accept: x
ambiguous | GET /?accessToken=a&accessToken=b
"#,
    );
    check(
        &TokenSources::default().strict_single_source(true),
        None,
        r#"
none      | GET /
H         | GET / | x-access-token: H
H         | GET / | authorization: Basic x | x-access-token: H
Q         | GET /?accessToken=Q | x-access-token:
ambiguous | GET /?accessToken=Q | x-access-token: H
ambiguous | GET /?accessToken=H | x-access-token: H
ambiguous | GET / | authorization: Bearer | x-access-token: H
"#,
    );
}

#[test]
fn bearer_token_follows_its_scheme() {
    check(
        &TokenSources::new([TokenSource::Bearer]),
        Some("authorization"),
        r#"
none      |
none      | Basic dTpw
none      | BearerT
none      | ÿÿÿÿÿÿÿ
none      | Basic x | Basic y
T         | Bearer T
T         | bearer T
T         |  Bearer    T
malformed | Bearer
malformed | Bearer\tT
malformed | Bearer T U
malformed | Bearer T, U
malformed | Bearer T, Basic x
malformed | Bearer,Bearer T
malformed | Bearer,
malformed | Bearer ,T
malformed | Bearer | Bearer T
malformed | Bearer ÿ
malformed | Bearer TÃ©
ambiguous | Bearer a | Bearer b
ambiguous | Bearer a, Bearer b
ambiguous | ,Bearer T | Bearer T
ambiguous | Basic x | Bearer a
ambiguous | Bearer a | Basic x
"#,
    );
}

/// A proxy may repeat the header, or join its lines to a list.
#[test]
fn the_same_bearer_token_twice_is_one() {
    check(
        &TokenSources::new([TokenSource::Bearer]),
        Some("authorization"),
        r#"
T         | Bearer T | Bearer T
T         | Bearer T, bearer  T
T         | Bearer T,Bearer T,
T         | Bearer T | Bearer T, Bearer T
ambiguous | Bearer T | Bearer T, Bearer U
ambiguous | Bearer T, Bearer T | Basic x
ambiguous | Bearer T | Bearer t
none      | Basic x, Bearer T
"#,
    );
}

#[test]
fn token_follows_another_scheme() {
    let token = TokenSource::authorization("Token");
    assert_eq!(token, TokenSource::authorization("TOKEN"));
    check(
        &TokenSources::new([token.clone()]),
        Some("authorization"),
        r#"
none      |
none      | Bearer T
none      | Tokens T
T         | Token T
T         | token T | TOKEN T
malformed | Token
malformed | Token token="T"x, Token
ambiguous | Token a | Token b
ambiguous | Token a | Bearer b
"#,
    );
    check(
        &TokenSources::new([TokenSource::Bearer, token]),
        Some("authorization"),
        "T | Token T\nB | Bearer B\nambiguous | Token T | Bearer B",
    );
}

proptest! {
    /// A line with one element is the usual case, which is found without a search for elements.
    #[test]
    fn an_empty_element_of_a_list_changes_nothing(
        scheme in "|bearer|a,b",
        line in "(bearer|BEARER|a,b)?[ ,=\\.Tba\u{e9}]{0,8}(\\\\t)?",
        more in prop::option::of("bearer T"),
    ) {
        let sources = TokenSources::new([TokenSource::authorization(scheme)]);
        let more = more.map_or_else(String::new, |line| format!(" | authorization:{line}"));
        let [one, list] = ["", ","].map(|end| {
            find(&sources, &format!("GET / | authorization:{line}{end}{more}"))
        });
        prop_assert_eq!(one, list);
    }
}

#[test]
fn header_value_is_the_token() {
    check(
        &TokenSources::headers_only(),
        Some("x-access-token"),
        r#"
none      |
T         | T
T         |  T
a.b-_~+/= | a.b-_~+/=
malformed | Bearer T
malformed | a\tb
malformed | Tÿ
ambiguous | a | b
ambiguous | a | a
ambiguous |   | a
"#,
    );
}

#[test]
fn ticket_is_no_token() {
    check(
        &TokenSources::headers_only().with(TokenSource::ticket("ticket")),
        None,
        r#"
none      | GET /
none      | GET /?accessToken=Q
none      | GET /?ticket=
T as ticket | GET /?ticket=T
T as ticket | GET /?a=b&%74icket=T
H         | GET /?ticket=T | x-access-token: H
malformed | GET /?ticket=a+b
ambiguous | GET /?ticket=a&ticket=b
"#,
    );
    let sources = TokenSources::new([TokenSource::ticket("t"), TokenSource::Bearer]);
    let line = "GET /?t=T | authorization: Bearer B";
    assert_eq!(find(&sources, line), "T as ticket");
    let strict = sources.strict_single_source(true);
    assert_eq!(find(&strict, line), "ambiguous");
}

#[test]
fn cookie_is_found_by_its_exact_name() {
    let sources = TokenSources::headers_only().with(TokenSource::cookie("sid"));
    check(
        &sources,
        Some("cookie"),
        r#"
none      |
none      | sid=
none      | sid
none      | SID=T
none      | xsid=T; sidx=T
T         | sid=T
T         | a=1; sid=T; b=2
T         | a=1 | sid=T
T         | sid="T"
T         | other=ÿ; sid=T
T         | other; sid=T
T=        | sid=T=
malformed | sid=a b
malformed | sid=ÿ
ambiguous | sid=a; sid=b
ambiguous | sid=a | sid=a
"#,
    );
    check(
        &sources,
        None,
        "H | GET / | cookie: sid=C | x-access-token: H",
    );
}

#[test]
fn long_tokens_are_rejected_before_they_are_copied() {
    let sources = TokenSources::headers_only();
    let longest = "a".repeat(Token::MAX_LEN);
    for (token, expected) in [(&*longest, &*longest), (&format!("{longest}a"), "too_long")] {
        let line = format!("GET / | x-access-token: {token}");
        assert_eq!(find(&sources, &line), expected);
    }
}
