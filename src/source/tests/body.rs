//! Tokens in bodies.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::request::{bytes, request, rows};
use crate::source::token_sources::TokenSources;
use crate::token::Token;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Documents that are searched for `accessToken`.
const DOCUMENTS: &str = r#"
none      |
none      | {}
none      | {"accessToken":""}
none      | {"accessToken":"","accessToken":""}
none      | {"accesstoken":"T"}
none      | {"a":{"accessToken":"T"}}
none      | {"a":"{\"accessToken\":\"T\"}"}
none      | [{"accessToken":"T"}]
none      | "accessToken"
none      | 5
T         | {"accessToken":"T"}
T         |  { "a" : [{}] , "accessToken" : "T" , "b" : {} }
T         | {"access\u0054oken":"\u0054"}
a/b       | {"accessToken":"a\/b"}
malformed | {"accessToken":"a b"}
malformed | {"accessToken":"é"}
malformed | {"accessToken":"\u0000"}
malformed | {"accessToken":"\ud800"}
malformed | {"accessToken":5}
malformed | {"accessToken":null}
malformed | {"accessToken":["T"]}
ambiguous | {"accessToken":"a","access\u0054oken":"a"}
ambiguous | {"accessToken":"","accessToken":"b"}
ambiguous | {"accessToken":null,"accessToken":"b"}
unsearched: malformed | hello
unsearched: malformed | {"accessToken":"T"
unsearched: malformed | {"accessToken":"T"}{}
unsearched: malformed | {accessToken:"T"}
"#;

/// Forms that are searched for `accessToken`; each character is one byte.
const FORMS: &str = r#"
none      |
none      | accessToken
none      | accessToken=
none      | accessToken=&accessToken
none      | accesstoken=T&xaccessToken=T
none      | a=accessToken=T
T         | accessToken=T
T         | a=1&accessToken=T&b=2
T         | access%54oken=%54
a=b==     | accessToken=a=b==
a+b/==    | accessToken=a%2Bb%2F%3D=
malformed | accessToken=a+b
malformed | accessToken=%00
malformed | accessToken=%ff
malformed | accessToken=ÿ
ambiguous | accessToken=a&access%54oken=a
ambiguous | accessToken=&accessToken=a
"#;

/// Returns the token, `none`, or the reason.
fn find(sources: &TokenSources, content_type: &str, body: &[u8]) -> String {
    let head = request(&format!("POST / | content-type:{content_type}"));
    match sources.body_search(&head).unwrap().find(body) {
        Ok(Ok(token)) => token.map_or_else(|| "none".into(), Cow::into_owned),
        Ok(Err(reason)) => reason.to_string(),
        Err(reason) => format!("unsearched: {reason}"),
    }
}

fn find_json(body: &[u8]) -> String {
    find(&TokenSources::default(), JSON, body)
}

#[test]
fn token_is_a_member_of_a_json_object() {
    for (expected, document) in rows(DOCUMENTS) {
        assert_eq!(find_json(document.as_bytes()), expected, "{document}");
    }
    for no_text in ["\u{feff}{}", " "] {
        assert_eq!(find_json(no_text.as_bytes()), "unsearched: malformed");
    }
    let latin_1 = b"{\"accessToken\":\"\xff\"}";
    assert_eq!(find_json(latin_1), "unsearched: malformed");
}

#[test]
fn token_is_a_field_of_a_form() {
    for (expected, form) in rows(FORMS) {
        let found = find(&TokenSources::default(), FORM, &bytes(form));
        assert_eq!(found, expected, "{form}");
    }
}

#[test]
fn fields_are_searched_in_their_order() {
    let sources = TokenSources::headers_only().or_body("a").or_body("b");
    let strict = sources.clone().strict_single_source(true);
    for (body, lax, single) in [
        ("", "none", "none"),
        ("{}", "none", "none"),
        (r#"{"a":"A"}"#, "A", "A"),
        (r#"{"b":"B"}"#, "B", "B"),
        (r#"{"b":"B","a":"A"}"#, "A", "ambiguous"),
        (r#"{"a":5,"b":"B"}"#, "malformed", "ambiguous"),
        ("{", "unsearched: malformed", "unsearched: malformed"),
    ] {
        assert_eq!(find(&sources, JSON, body.as_bytes()), lax, "{body}");
        assert_eq!(find(&strict, JSON, body.as_bytes()), single, "{body}");
    }
}

#[test]
fn long_tokens_are_rejected() {
    let sources = TokenSources::default();
    for length in [Token::MAX_LEN + 1, 4 * Token::MAX_LEN, 7 * Token::MAX_LEN] {
        let token = "a".repeat(length);
        let json = format!(r#"{{"accessToken":"{token}"}}"#);
        let form = format!("accessToken={token}");
        assert_eq!(find(&sources, JSON, json.as_bytes()), "too_long");
        assert_eq!(find(&sources, FORM, form.as_bytes()), "too_long");
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_takes_long() {
    let open = "[".repeat(60_000);
    let nested = format!("{open}{}", "]".repeat(60_000));
    for (document, expected) in [
        (open.clone(), "unsearched: malformed"),
        (nested.clone(), "none"),
        (format!(r#"{{"a":{open}"#), "unsearched: malformed"),
        (format!(r#"{{"a":{nested},"accessToken":"T"}}"#), "T"),
        (format!(r#"{{"accessToken":{nested}}}"#), "too_long"),
        (r#"{"a":"#.repeat(12_000), "unsearched: malformed"),
    ] {
        let start = Instant::now();
        // A worker thread of tokio has 2 MiB; a quarter of it is plenty.
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let found = thread
            .spawn(move || find_json(document.as_bytes()))
            .unwrap();
        assert_eq!(found.join().unwrap(), expected);
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

/// Heads of requests, and whether their body is searched.
const HEADS: &str = r#"
yes | POST / | content-type: application/json
yes | PUT / | content-type: Application/JSON
yes | PATCH / | content-type: application/json; charset=utf-8
yes | DELETE /?accessToken=Q | content-type: application/json ;x
yes | QUERY / | content-type: application/x-www-form-urlencoded;charset=UTF-8
no  | POST /
no  | GET / | content-type: application/json
no  | HEAD / | content-type: application/json
no  | OPTIONS / | content-type: application/json
no  | CONNECT h:443 | content-type: application/json
no  | TRACE / | content-type: application/json
no  | POST / | content-type: application/json | upgrade: websocket
no  | POST / | content-type: application/json | content-encoding: gzip
no  | POST / | content-type: application/json | content-type: application/json
no  | POST / | content-type: application/problem+json
no  | POST / | content-type: application/json, text/plain
no  | POST / | content-type: text/plain; application/json
no  | POST / | content-type: multipart/form-data; boundary=x
no  | POST / | content-type:
"#;

#[test]
fn only_bodies_that_may_hold_a_token_are_searched() {
    let none: TokenSources = TokenSources::headers_only().into();
    for (expected, line) in rows(HEADS) {
        let head = request(line);
        let searched = TokenSources::default().body_search(&head).is_some();
        assert_eq!(searched, expected == "yes", "{line}");
        assert!(none.body_search(&head).is_none());
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_search_panic(
        body: Vec<u8>,
        name: String,
        json in r#"[\[\]{}:,"a0\\u \-.eE]{0,40}"#,
    ) {
        let sources = TokenSources::headers_only().or_body(name).or_body("a");
        find(&sources, JSON, &body);
        find(&sources, FORM, &body);
        find(&sources, JSON, json.as_bytes());
    }
}
