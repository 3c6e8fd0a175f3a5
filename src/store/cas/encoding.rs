//! How an index is written as one value.
//!
//! The value is a line that names the format, and a JSON object with the score of each id. The ids
//! are sorted, so equal indexes are equal bytes.
//!
//! The first line distinguishes indexes from records. A session record is a JSON object, which
//! begins with `{`; no record that begins like an index is ever written.

use crate::store::index_entries::IndexEntries;

const FORMAT: &[u8] = b"jwt-redis-session index 1\n";

/// Returns whether a value is an index, of this version or a later one.
pub(super) fn is_index(value: &[u8]) -> bool {
    value.starts_with(FORMAT.split_at(FORMAT.len() - 2).0)
}

pub(super) fn encode(entries: &IndexEntries) -> Vec<u8> {
    let mut value = FORMAT.to_vec();
    // Writing text keys and numbers to memory does not fail.
    let _ = serde_json::to_writer(&mut value, entries);
    value
}

/// Returns the entries of an index, or `None` if the value is something else.
pub(super) fn decode(value: &[u8]) -> Option<IndexEntries> {
    serde_json::from_slice(value.strip_prefix(FORMAT)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::types::PutMode;

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let mut entries = IndexEntries::default();
        for (member, check_after) in [("", 1), ("a\n\"b", i64::MAX), ("\u{e9}", 2), ("gone", 0)] {
            assert_eq!(decode(&encode(&entries)), Some(entries.clone()));
            entries.put(member, check_after, PutMode::KeepTombstone);
            entries.supersede("gone", "", 5);
        }
        let value = encode(&entries);
        let expected = "jwt-redis-session index 1\n\
            {\"\":1,\"a\\n\\\"b\":9223372036854775807,\"gone\":-5,\"\u{e9}\":2}";
        assert_eq!(String::from_utf8(value).unwrap(), expected);
    }

    #[test]
    fn other_values_are_not_read_as_an_index() {
        for value in [
            "",
            "{}",
            "{i} 2\n{}",
            "{i} 1",
            "{i} 1\n",
            "{i} 1\n{}{}",
            "{i} 1\n[]",
        ] {
            let value = value.replace("{i}", "jwt-redis-session index");
            assert_eq!(decode(value.as_bytes()), None, "{value}");
        }
        assert!(is_index(b"jwt-redis-session index 2\n"));
        assert!(!is_index(b"{}"));
    }
}
