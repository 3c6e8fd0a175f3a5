use http::Request;

use super::*;

/// A request in one line: `POST /p?a=1 | name: value | name: value`.
fn request(line: &str) -> Parts {
    let mut fields = line.split(" | ");
    let (method, uri) = fields.next().unwrap().split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri);
    for field in fields {
        let (name, value) = field.split_once(':').unwrap();
        request = request.header(name, value);
    }
    request.body(()).unwrap().into_parts().0
}

fn check<P>(sources: &TokenSources<P>, table: &[(&str, &str)]) {
    for (line, expected) in table {
        let head = request(line);
        let found = match sources.find(&head) {
            Ok(None) => "none".into(),
            Ok(Some(text)) => text.into_owned(),
            Err(rejection) => rejection.to_string(),
        };
        assert_eq!(found, *expected, "{line}");
    }
}

const JSON: &str = "content-type: application/json";

#[test]
fn r14_first_source_wins_and_a_bad_one_ends_the_search() {
    check(
        &TokenSources::default(),
        &[
            ("GET /", "none"),
            ("GET *", "none"),
            (
                "GET /?accessToken=Q | authorization: Bearer B | x-access-token: H",
                "H",
            ),
            ("GET /?accessToken=Q | authorization: Bearer B", "B"),
            ("GET /?accessToken=Q", "Q"),
            ("GET /?accessToken=Q | x-access-token:", "Q"),
            ("GET /?accessToken=Q | authorization: Basic B", "Q"),
            ("GET /?accessToken=Q | authorization: Bearer", "malformed"),
            (
                "GET /?accessToken=Q | x-access-token: Bearer H",
                "malformed",
            ),
            ("GET / | X-Access-Token: H", "H"),
            ("GET / | cookie: accessToken=C", "none"),
        ],
    );
}

#[test]
fn r15_two_values_in_one_source_are_ambiguous() {
    check(
        &TokenSources::default(),
        &[
            ("GET / | x-access-token: a | x-access-token: b", "ambiguous"),
            (
                "GET / | authorization: Bearer a | authorization: Bearer b",
                "ambiguous",
            ),
            ("GET /?accessToken=a&accessToken=b", "ambiguous"),
            ("GET /?accessToken=a&accessToken=b | x-access-token: H", "H"),
        ],
    );
}

#[test]
fn r15_strict_single_source() {
    let strict = TokenSources::default().strict_single_source(true);
    check(
        &strict,
        &[
            ("GET /", "none"),
            ("GET / | x-access-token: H", "H"),
            ("GET /?accessToken=Q | x-access-token:", "Q"),
            ("GET /?accessToken=Q | x-access-token: H", "ambiguous"),
            ("GET /?accessToken=H | x-access-token: H", "ambiguous"),
            (
                "GET / | authorization: Bearer | x-access-token: H",
                "ambiguous",
            ),
            ("GET / | authorization: Basic x | x-access-token: H", "H"),
        ],
    );
}

#[test]
fn r18_only_some_bodies_are_searched() {
    for (line, searched) in [
        ("POST /", true),
        ("POST /?accessToken=Q", true),
        ("GET /", false),
        ("POST / | upgrade: websocket", false),
    ] {
        let head = request(&format!("{line} | {JSON}"));
        let search = TokenSources::default().body_search(&head);
        assert_eq!(search.is_some(), searched, "{line}");
        let none: TokenSources = TokenSources::headers_only().into();
        assert!(none.body_search(&head).is_none());
    }
    let none = TokenSources::default().body_search(&request("POST /"));
    assert!(none.is_none());
}

#[test]
fn r14_tokens_are_removed_from_the_query_whichever_source_wins() {
    let both = TokenSources::default().with(TokenSource::query("t"));
    let keep = both.clone().keep_query_token(true);
    for (line, cleared) in [
        ("GET /p?a=1&accessToken=T&b=2", "/p?a=1&b=2"),
        ("GET /p?accessToken=T&accessToken=U", "/p"),
        ("GET /p?accessToken=", "/p"),
        ("GET /p?t=T&accessToken=U&a", "/p?a"),
    ] {
        let before = request(line).uri;
        let mut uri = before.clone();
        assert!(both.take_from_query(&mut uri), "{line}");
        assert_eq!(uri, cleared, "{line}");

        let mut uri = before.clone();
        assert!(keep.take_from_query(&mut uri), "{line}");
        assert_eq!(uri, before, "{line}");
    }
    let mut uri = request("GET /p?accesstoken=T").uri;
    assert!(!TokenSources::default().take_from_query(&mut uri));
    let mut uri = request("GET /p?accessToken=T").uri;
    assert!(!TokenSources::headers_only().take_from_query(&mut uri));
    assert_eq!(uri, "/p?accessToken=T");
}

#[test]
fn r14_cookies_are_asked_when_listed() {
    let sources = TokenSources::headers_only().with(TokenSource::cookie("sid"));
    check(
        &sources,
        &[
            ("GET / | cookie: sid=C", "C"),
            ("GET / | cookie: sid=C | x-access-token: H", "H"),
            ("GET / | cookie: sid=C; sid=D", "ambiguous"),
        ],
    );
}
