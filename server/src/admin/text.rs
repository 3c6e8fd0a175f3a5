//! Text for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime_serde::re::humantime::format_rfc3339_seconds;
use maud::{Markup, html};
use serde_json::value::RawValue;

use crate::unix_time;

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Makes visible what could pass for something else: control characters, characters without
/// width, and those that turn the direction of text. Escaping for HTML comes after.
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
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// JSON on several lines, its numbers and strings to the letter.
///
/// It stops after `most` bytes or a few more: a client chooses its data, and one byte of it may
/// need seventy here.
pub(super) fn pretty(json: &RawValue, most: usize) -> Laid {
    let mut pretty = Pretty::default();
    let mut chars = json.get().chars();
    while pretty.text.len() < most {
        match chars.next() {
            Some(char) => pretty.push(char),
            None => break,
        }
    }
    Laid {
        text: pretty.text,
        left_out: chars.as_str().len(),
    }
}

/// JSON as it is shown.
pub(super) struct Laid {
    pub(super) text: String,
    /// How many bytes of it there would be more.
    left_out: usize,
}

impl Laid {
    /// What to say if it is not all.
    pub(super) fn cut(&self) -> Option<String> {
        let left_out = self.left_out;
        (left_out > 0)
            .then(|| format!("This is the beginning; {left_out} bytes more are not shown."))
    }
}

/// Moves the white space of JSON, and touches nothing else.
#[derive(Default)]
struct Pretty {
    text: String,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A bracket was opened and nothing followed yet.
    opened: bool,
}

impl Pretty {
    fn push(&mut self, char: char) {
        if self.in_string {
            self.string(char);
            return;
        }
        match char {
            ' ' | '\t' | '\r' | '\n' => {}
            ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                if !std::mem::take(&mut self.opened) {
                    self.line();
                }
                self.text.push(char);
            }
            _ => self.token(char),
        }
    }

    fn string(&mut self, char: char) {
        self.text.push_str(&visible(char.encode_utf8(&mut [0; 4])));
        self.in_string = self.escaped || char != '"';
        self.escaped = !self.escaped && char == '\\';
    }

    fn token(&mut self, char: char) {
        if std::mem::take(&mut self.opened) {
            self.line();
        }
        self.text.push(char);
        match char {
            '[' | '{' => {
                self.depth += 1;
                self.opened = true;
            }
            ',' => self.line(),
            ':' => self.text.push(' '),
            '"' => self.in_string = true,
            _ => {}
        }
    }

    fn line(&mut self) {
        self.text.push('\n');
        // The depth is the data's choice; a line need not be.
        let indent = 2 * self.depth.min(32);
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Renders a time in UTC.
pub(super) fn time(time: Option<SystemTime>) -> Markup {
    let seconds = time.and_then(unix_time::seconds);
    let Some(seconds) = seconds.filter(|seconds| *seconds <= LAST) else {
        return html! { "unknown" };
    };
    let exact = format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    let shown = exact.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(exact) { (shown) } }
}

/// `1 session`, `2 sessions`.
pub(super) fn count_sessions(count: usize) -> String {
    match count {
        1 => "1 session".to_owned(),
        _ => format!("{count} sessions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_made_visible() {
        assert_eq!(visible("Jö <b> 🦀 e\u{301}"), "Jö <b> 🦀 e\u{301}");
        assert_eq!(visible("a\0\r\n\u{202e}b"), r"a\u{0}\u{d}\u{a}\u{202e}b");
    }

    #[test]
    fn json_is_laid_out_and_not_changed() {
        let laid_out = |json: &str| {
            let laid = pretty(&RawValue::from_string(json.to_owned()).unwrap(), 100_000);
            assert_eq!(laid.cut(), None);
            laid.text
        };
        assert_eq!(laid_out("1.10e400"), "1.10e400");
        assert_eq!(laid_out(" [ ] "), "[]");
        assert_eq!(laid_out("{}"), "{}");
        assert_eq!(
            laid_out(r#"{"a":[1, {"b":"x, {\"]: \\"}],"c":{}, "a":null}"#),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {\\\"]: \\\\\"\n    }\n  ],\n  \
             \"c\": {},\n  \"a\": null\n}"
        );
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(laid_out(&deep).len() < 100 * 2 * 70);
    }

    #[test]
    fn what_is_too_much_is_cut_and_said_to_be() {
        let deep = "[".repeat(500_000) + &"]".repeat(500_000);
        let strange = format!("\"{}\"", "\u{202e}".repeat(100_000));
        for json in [deep, strange] {
            let laid = pretty(&RawValue::from_string(json).unwrap(), 1000);
            assert!((1000..1100).contains(&laid.text.len()));
            assert!(laid.cut().unwrap().ends_with("bytes more are not shown."));
        }
        let whole = pretty(&RawValue::from_string("[1]".to_owned()).unwrap(), 9);
        assert_eq!((&*whole.text, whole.cut()), ("[\n  1\n]", None));
    }

    #[test]
    fn times_are_rendered_in_utc() {
        let rendered = |since_epoch| time(since_epoch).into_string();
        assert!(rendered(Some(UNIX_EPOCH)).contains("1970-01-01 00:00:00 UTC"));
        let second = Duration::from_secs(1);
        for never in [
            None,
            Some(UNIX_EPOCH - second),
            Some(UNIX_EPOCH + second * 300_000 * 86_400 * 100),
        ] {
            assert_eq!(rendered(never), "unknown");
        }
    }
}
