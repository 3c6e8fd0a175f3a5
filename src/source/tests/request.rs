//! Requests as the tables write them.

use http::request::Parts;
use http::{HeaderValue, Request};

use crate::source::{FoundToken, HeadLookup};

/// Rows of a table, one per line: `expected | case`.
pub(super) fn rows(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = table.trim_matches('\n').lines();
    lines
        .map(|line| line.split_once('|').unwrap())
        .map(|(expected, case)| (expected.trim(), case.strip_prefix(' ').unwrap_or(case)))
}

/// A request in one line: `POST /p?a=1 | name: value | name: value`.
pub(super) fn request(line: &str) -> Parts {
    let mut fields = line.split(" | ");
    let (method, uri) = fields.next().unwrap().split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri.trim());
    for field in fields {
        let (name, value) = field.split_once(':').unwrap();
        request = request.header(name, HeaderValue::from_bytes(&bytes(value)).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

/// Returns the token, `none`, or the reason.
pub(super) fn described(found: HeadLookup<'_>) -> String {
    match found {
        Ok(None) => "none".to_owned(),
        Ok(Some(FoundToken::Token(text))) => text.into_owned(),
        Ok(Some(FoundToken::Ticket(text))) => format!("{text} as ticket"),
        Err(reason) => reason.to_string(),
    }
}

/// One byte for each character up to U+00FF; `\t` is a tab.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let text = text.replace(r"\t", "\t");
    text.chars().map(|ch| u8::try_from(ch).unwrap()).collect()
}
