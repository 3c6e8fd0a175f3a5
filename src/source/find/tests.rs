use http::{HeaderName, Request};

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

/// What was found, in one line.
fn told(found: Found) -> String {
    match found {
        Found::Settled(outcome) => outcome_told(outcome),
        Found::NeedBody(_) => "body".into(),
    }
}

fn outcome_told(outcome: Outcome) -> String {
    match outcome {
        Ok(None) => "none".into(),
        Ok(Some(hit)) => format!("{} {}", hit.source.as_str(), hit.token.as_str()),
        Err(rejection) => rejection.to_string(),
    }
}

fn check(sources: &TokenSources, table: &[(&str, &str)]) {
    for (line, expected) in table {
        let found = sources.find(&mut request(line)).found;
        assert_eq!(told(found), *expected, "{line}");
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
                "header H",
            ),
            ("GET /?accessToken=Q | authorization: Bearer B", "bearer B"),
            ("GET /?accessToken=Q", "query Q"),
            ("GET /?accessToken=Q | x-access-token:", "query Q"),
            ("GET /?accessToken=Q | authorization: Basic B", "query Q"),
            ("GET /?accessToken=Q | authorization: Bearer", "malformed"),
            (
                "GET /?accessToken=Q | x-access-token: Bearer H",
                "malformed",
            ),
            ("GET / | X-Access-Token: H", "header H"),
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
            (
                "GET /?accessToken=a&accessToken=b | x-access-token: H",
                "header H",
            ),
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
            ("GET / | x-access-token: H", "header H"),
            ("GET /?accessToken=Q | x-access-token:", "query Q"),
            ("GET /?accessToken=Q | x-access-token: H", "ambiguous"),
            ("GET /?accessToken=H | x-access-token: H", "ambiguous"),
            (
                "GET / | authorization: Bearer | x-access-token: H",
                "ambiguous",
            ),
            (
                "GET / | authorization: Basic x | x-access-token: H",
                "header H",
            ),
        ],
    );
}

#[test]
fn r18_the_body_is_asked_only_if_no_source_before_it_holds_anything() {
    for (line, expected) in [
        ("POST /", "body"),
        ("POST / | x-access-token:", "body"),
        ("POST / | x-access-token: H", "header H"),
        ("POST / | authorization: Bearer", "malformed"),
        ("POST /?accessToken=Q", "query Q"),
        ("GET /", "none"),
        ("POST / | upgrade: websocket", "none"),
    ] {
        check(
            &TokenSources::default(),
            &[(&format!("{line} | {JSON}"), expected)],
        );
    }
    check(
        &TokenSources::hardened(),
        &[(&format!("POST / | {JSON}"), "none")],
    );
}

#[test]
fn r18_a_body_before_other_sources_keeps_its_place() {
    let header = TokenSource::Header(HeaderName::from_static("h"));
    let list = [TokenSource::body("a"), header, TokenSource::body("b")];
    let lax = TokenSources::new(list);
    let strict = lax.clone().strict_single_source(true);
    for (head, body, expected, strictly) in [
        ("x: y", r#"{"a":"A"}"#, "body A", "body A"),
        ("x: y", r#"{"b":"B"}"#, "body B", "body B"),
        ("x: y", r#"{"b":"B","a":"A"}"#, "body A", "ambiguous"),
        ("x: y", r#"{}"#, "none", "none"),
        ("x: y", "", "none", "none"),
        ("h: H", r#"{"a":"A"}"#, "body A", "ambiguous"),
        ("h: H", r#"{"a":5}"#, "malformed", "ambiguous"),
        ("h: H", r#"{"b":"B"}"#, "header H", "header H"),
        ("h: H", "", "header H", "header H"),
        ("h: H", "{", "body_malformed", "body_malformed"),
    ] {
        for (sources, expected) in [(&lax, expected), (&strict, strictly)] {
            let mut request = request(&format!("POST / | {JSON} | {head}"));
            let Found::NeedBody(search) = sources.find(&mut request).found else {
                panic!("{head}: the body comes first");
            };
            let outcome = outcome_told(search.find(body.as_bytes()));
            assert_eq!(outcome, expected, "{head} {body}");
        }
    }
}

#[test]
fn r14_the_address_is_cleared_whichever_source_wins() {
    let both = TokenSources::default().with(TokenSource::query("t"));
    for (line, cleared) in [
        ("GET /p?a=1&accessToken=T&b=2", "/p?a=1&b=2"),
        ("GET /p?a=1&accessToken=T | x-access-token: H", "/p?a=1"),
        ("GET /p?accessToken=T | authorization: Bearer", "/p"),
        ("GET /p?accessToken=T&accessToken=U", "/p"),
        ("GET /p?accessToken=", "/p"),
        ("GET /p?t=T&accessToken=U&a", "/p?a"),
    ] {
        let mut parts = request(line);
        assert!(both.find(&mut parts).in_query, "{line}");
        assert_eq!(parts.uri, cleared, "{line}");

        let kept = request(line).uri;
        let mut parts = request(line);
        let keep = both.clone().keep_query_token(true);
        assert!(keep.find(&mut parts).in_query, "{line}");
        assert_eq!(parts.uri, kept, "{line}");
    }
    let mut parts = request("GET /p?accesstoken=T");
    assert!(!TokenSources::default().find(&mut parts).in_query);
    let mut parts = request("GET /p?accessToken=T");
    assert!(!TokenSources::hardened().find(&mut parts).in_query);
    assert_eq!(parts.uri, "/p?accessToken=T");
}

#[test]
fn r14_cookies_are_asked_when_listed() {
    let sources = TokenSources::hardened().with(TokenSource::cookie("sid"));
    check(
        &sources,
        &[
            ("GET / | cookie: sid=C", "cookie C"),
            ("GET / | cookie: sid=C | x-access-token: H", "header H"),
            ("GET / | cookie: sid=C; sid=D", "ambiguous"),
        ],
    );
}
