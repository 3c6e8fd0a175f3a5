//! How an index is written as one value.
//!
//! The value is text: a line that names the format, then one line per entry with its score, the
//! length of its id in bytes, and the id. The ids are sorted, so equal indexes are equal bytes.
//!
//! The first line distinguishes indexes from records. A session record is a JSON object, which
//! begins with `{`; no record that begins like an index is ever written.

use std::fmt::Write as _;

use crate::store::index_entries::IndexEntries;

const FORMAT: &str = "jwt-redis-session index 1\n";

/// Returns whether a value is an index, of this version or a later one.
pub(super) fn is_index(value: &[u8]) -> bool {
    const NAME: &[u8] = FORMAT.as_bytes().split_at(FORMAT.len() - 2).0;
    value.starts_with(NAME)
}

pub(super) fn encode(entries: &IndexEntries) -> Vec<u8> {
    let mut text = FORMAT.to_owned();
    for (member, score) in entries.scores() {
        let _ = writeln!(text, "{score} {} {member}", member.len());
    }
    text.into_bytes()
}

/// Returns the entries of an index, or `None` if the value is something else.
pub(super) fn decode(value: &[u8]) -> Option<IndexEntries> {
    let mut lines = std::str::from_utf8(value).ok()?.strip_prefix(FORMAT)?;
    let mut entries = Vec::new();
    while !lines.is_empty() {
        let (score, rest) = lines.split_once(' ')?;
        let (length, rest) = rest.split_once(' ')?;
        let (member, rest) = rest.split_at_checked(length.parse().ok()?)?;
        entries.push((member, score.parse().ok()?));
        lines = rest.strip_prefix('\n')?;
    }
    Some(entries.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_it_was_written() {
        for entries in [
            vec![],
            vec![("a", 0)],
            vec![("", 1), ("a b", -5), ("a\nb", i64::MAX), ("\u{e9}", 2)],
        ] {
            let entries: IndexEntries = entries.into_iter().collect();
            let value = encode(&entries);
            assert!(is_index(&value));
            assert_eq!(decode(&value), Some(entries));
        }
    }

    #[test]
    fn other_values_are_not_read_as_an_index() {
        for value in [
            "",
            "{}",
            "jwt-redis-session index 2\n",
            "jwt-redis-session index 1",
            "jwt-redis-session index 1\n5 1 a",
            "jwt-redis-session index 1\n5 2 a\n",
            "jwt-redis-session index 1\nx 1 a\n",
            "jwt-redis-session index 1\n5 1 \u{e9}\n",
            "jwt-redis-session index 1\n\n",
        ] {
            assert_eq!(decode(value.as_bytes()), None, "{value}");
        }
        assert_eq!(decode(b"\xff"), None);
        assert!(is_index(b"jwt-redis-session index 2\n"));
        assert!(!is_index(b"{}"));
    }
}
