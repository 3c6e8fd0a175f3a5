//! Strict reading of JSON objects: no arrays in their place, no duplicate names, nothing after
//! them, no value that cannot be read later.
//!
//! Read by a visitor, since neither a derived struct nor a map nor `serde_json::Value` refuses all
//! of these, and each of the latter two takes an allocation or two for each claim of every token.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Calls `keep` with the name and the JSON text of every member that is `wanted`, in order.
///
/// Returns `None` if `json` is not an object. Unlike a derived struct it accepts no array, and
/// unlike a map it accepts no duplicate name, which two readers could understand in two ways
/// (RFC 8259 section 4). Members that are not wanted must be readable: no lone surrogate, no
/// number beyond `f64`, no more levels of nesting than `serde_json` reads.
pub(super) fn members<'a>(
    json: &'a str,
    wanted: impl Fn(&str) -> bool,
    keep: impl FnMut(&str, &'a str),
) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members { wanted, keep }).ok()?;
    reader.end().ok()
}

/// Returns the JSON text of the member `name`; `None` if there is no such member.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    members(json, |other| other == name, |_, value| found = Some(value))?;
    found
}

/// Returns the text of a JSON string; `None` if `json` is anything else.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(json)
        .ok()
        .map(|text| text.0)
}

/// JSON string, borrowed unless it is written with escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members<W, K> {
    wanted: W,
    keep: K,
}

impl<'a, W: Fn(&str) -> bool, K: FnMut(&str, &'a str)> Visitor<'a> for Members<W, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::default();
        while let Some(Text(name)) = map.next_key()? {
            if (self.wanted)(&name) {
                (self.keep)(&name, map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<Readable>()?;
            }
            if !seen.insert(name) {
                return Err(A::Error::custom("duplicate name"));
            }
        }
        Ok(())
    }
}

/// Any JSON value that can be read, thrown away.
///
/// `IgnoredAny` and `RawValue` only skip: they accept lone surrogates and any nesting.
struct Readable;

impl<'a> Deserialize<'a> for Readable {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'a> Visitor<'a> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The names seen so far: the first on the stack, which is enough for most tokens, more in a tree.
#[derive(Default)]
struct Names<'a> {
    few: [Cow<'a, str>; 8],
    count: usize,
    more: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Returns whether the name is new.
    fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few[..self.count].contains(&name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(free) => {
                *free = name;
                self.count += 1;
                true
            }
            None => self.more.insert(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        members(json, |_| true, |name, _| names.push(name.to_owned()))?;
        members(json, |_| false, |_, _| unreachable!("not wanted"))?;
        Some(names)
    }

    #[test]
    fn only_objects_without_duplicate_names_are_read() {
        assert_eq!(names(r#" {"a":1,"b":{"c":1,"c":2}} "#).unwrap(), ["a", "b"]);
        assert_eq!(names("{}").unwrap(), [""; 0]);
        let many: Vec<String> = (0..50).map(|n| format!(r#""{n}":0"#)).collect();
        assert_eq!(names(&format!("{{{}}}", many.join(","))).unwrap().len(), 50);
        for late in ["3", "11", "49"] {
            let json = format!(r#"{{{},"{late}":1}}"#, many.join(","));
            assert_eq!(names(&json), None, "{late}");
        }
        for bad in [
            "",
            "null",
            "5",
            r#""a""#,
            "[]",
            r#"["HS256"]"#,
            r#"{"a":1,"a":1}"#,
            r#"{"jti":1,"\u006ati":1}"#,
            r#"{"a":1}{}"#,
            r#"{"a":1} x"#,
            r#"{"a":1,}"#,
            r#"{"a":tru}"#,
            r#"{a:1}"#,
            "{\"a\":\"\n\"}",
            "\u{feff}{}",
        ] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }

    /// What is accepted is exactly what `serde_json` reads as a whole.
    #[test]
    fn unwanted_members_are_readable() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for value in [
            "null",
            "true",
            "-1",
            "1.5e300",
            "123456789012345678901234567890",
            r#""\ud83d\ude00""#,
            r#"{"a":[{"b":"\u0000"}]}"#,
            nested(126).as_str(),
            nested(127).as_str(),
            r#""\ud800""#,
            r#"["\udc00\ud800"]"#,
            r#"{"\ud800":1}"#,
            "1e999",
            "[-1e999]",
        ] {
            let json = format!(r#"{{"a":{value}}}"#);
            let whole = serde_json::from_str::<serde_json::Value>(&json).is_ok();
            let accepted = members(&json, |_| false, |_, _| {}).is_some();
            assert_eq!(accepted, whole, "{value}");
        }
    }

    #[test]
    fn text_is_a_string() {
        for (json, expected) in [
            (r#""abc""#, Some("abc")),
            (r#""""#, Some("")),
            (r#""\u0061\n""#, Some("a\n")),
            (r#""\ud800""#, None),
            ("5", None),
            ("null", None),
            (r#"["a"]"#, None),
            ("\"", None),
        ] {
            assert_eq!(text(json).as_deref(), expected, "{json}");
        }
        assert!(matches!(text(r#""abc""#), Some(Cow::Borrowed("abc"))));
    }

    #[test]
    fn a_member_is_found_by_its_name() {
        let json = r#"{"a":1,"\u0062":[2]}"#;
        assert_eq!(member(json, "b"), Some("[2]"));
        assert_eq!(member(json, "c"), None);
    }
}
