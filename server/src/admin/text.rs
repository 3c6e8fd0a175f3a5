//! Rendering of text, times and JSON for operators.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime_serde::re::humantime::format_rfc3339_seconds;
use maud::{Markup, html};

use crate::unix_time;

/// The last second of the year 9999, the largest time that RFC 3339 can express.
const LAST: u64 = 253_402_300_799;

/// Escapes characters that could make text look like other text: control characters, zero-width
/// characters except joiners, and those that change the direction of text. Does not escape HTML.
pub(super) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            visible.extend(char.escape_unicode());
        } else {
            visible.push(char);
        }
    }
    visible
}

fn is_hidden(char: char) -> bool {
    let is_format = matches!(char, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    char.is_control() || is_format || "\u{61c}\u{200b}\u{200e}\u{200f}\u{feff}".contains(char)
}

/// Renders the data of a session on several lines, cut after about `max` bytes of text.
pub(super) fn data(json: &str, max: usize) -> Markup {
    let (text, omitted) = pretty(json, max);
    html! {
        pre tabindex="0" aria-label="Data" { (text) }
        @if omitted > 0 { p.help { (omitted) " more bytes are not shown." } }
    }
}

/// Breaks JSON into lines, without changing numbers and strings as `serde_json` would.
///
/// Stops after about `max` bytes of output and returns the number of bytes of `json` omitted. The
/// output is limited and not the input: with indentation, one byte of input can become about 70.
fn pretty(json: &str, max: usize) -> (String, usize) {
    let mut pretty = Pretty::default();
    let mut chars = json.chars();
    while pretty.text.len() < max
        && let Some(char) = chars.next()
    {
        pretty.push(char);
    }
    (pretty.text, chars.as_str().len())
}

#[derive(Default)]
struct Pretty {
    text: String,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// Whether an object or an array was opened and has no content yet.
    is_empty: bool,
}

impl Pretty {
    fn push(&mut self, char: char) {
        if self.in_string {
            self.text.push_str(&visible(char.encode_utf8(&mut [0; 4])));
            self.in_string = self.is_escaped || char != '"';
            self.is_escaped = !self.is_escaped && char == '\\';
            return;
        }
        if char.is_ascii_whitespace() {
            return;
        }
        let is_end = matches!(char, ']' | '}');
        self.depth = self.depth.saturating_sub(is_end.into());
        if std::mem::take(&mut self.is_empty) != is_end {
            self.line();
        }
        self.text.push(char);
        match char {
            '[' | '{' => {
                self.depth += 1;
                self.is_empty = true;
            }
            ',' => self.line(),
            ':' => self.text.push(' '),
            '"' => self.in_string = true,
            _ => {}
        }
    }

    fn line(&mut self) {
        self.text.push('\n');
        // Deeply nested data must not make long lines.
        let indent = 2 * self.depth.min(32);
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Renders a time in UTC.
pub(super) fn time(time: Option<SystemTime>) -> Markup {
    let seconds = time.and_then(unix_time::seconds);
    let Some(seconds @ ..=LAST) = seconds else {
        return html! { "unknown" };
    };
    let exact = format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    let shown = exact.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(exact) { (shown) } }
}

/// Returns `1 session` or `2 sessions`.
pub(super) fn count_sessions(count: usize) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
}

/// Returns the notice after an attempt to end a session.
pub(super) const fn ended(ended: bool) -> &'static str {
    if ended {
        "The session has ended."
    } else {
        "There was no such session."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped() {
        assert_eq!(visible("Jö <b> 🦀 e\u{301}"), "Jö <b> 🦀 e\u{301}");
        assert_eq!(visible("a\0\r\n\u{202e}b"), r"a\u{0}\u{d}\u{a}\u{202e}b");
    }

    #[test]
    fn json_gets_line_breaks_only() {
        let nested = "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {\\\"]: \\\\\"\n    }\n  ],\n  \
                      \"c\": {},\n  \"a\": null\n}";
        for (json, shown) in [
            ("1.10e400", "1.10e400"),
            (" [ ] ", "[]"),
            ("{}", "{}"),
            ("[[]]", "[\n  []\n]"),
            (r#"{"a":[1, {"b":"x, {\"]: \\"}],"c":{}, "a":null}"#, nested),
        ] {
            assert_eq!(pretty(json, 1000), (shown.to_owned(), 0));
        }
    }

    #[test]
    fn large_json_is_cut() {
        let deep = "[".repeat(500_000) + &"]".repeat(500_000);
        let strange = format!("\"{}\"", "\u{202e}".repeat(100_000));
        for json in [deep, strange] {
            let (text, omitted) = pretty(&json, 1000);
            assert!((1000..1100).contains(&text.len()));
            assert!(omitted > 100_000);
        }
        let short = "[".repeat(100) + &"]".repeat(100);
        assert!(pretty(&short, usize::MAX).0.len() < 100 * 2 * 70);
    }

    #[test]
    fn times_are_rendered_in_utc() {
        let rendered = |since_epoch| time(since_epoch).into_string();
        assert!(rendered(Some(UNIX_EPOCH)).contains("1970-01-01 00:00:00 UTC"));
        let second = Duration::from_secs(1);
        let past = UNIX_EPOCH - second;
        let far = UNIX_EPOCH + second * 300_000 * 86_400 * 100;
        for unknown in [None, Some(past), Some(far)] {
            assert_eq!(rendered(unknown), "unknown");
        }
    }
}
