//! JSON objects, strictly: no arrays in their place, no name twice, nothing after them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Hands each member of the JSON object to `keep`, in order, as its name and the text of its
/// value; `None` if `json` is anything else.
///
/// Unlike a derived struct it takes no array, and unlike a map it takes no second member of the
/// same name, which two readers could understand in two ways (RFC 8259 section 4).
pub(super) fn members<'a>(json: &'a str, keep: impl FnMut(&str, &'a str)) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members { keep }).ok()?;
    reader.end().ok()
}

/// The text of a JSON string; `None` if `value` is no string.
pub(super) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

struct Members<F> {
    keep: F,
}

impl<'a, F: FnMut(&str, &'a str)> Visitor<'a> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::default();
        while let Some((Name(name), value)) = map.next_entry::<Name<'a>, &'a RawValue>()? {
            (self.keep)(&name, value.get());
            if !seen.insert(name) {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(())
    }
}

/// A member's name, borrowed unless it is written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'a> Visitor<'a> for NameVisitor {
    type Value = Name<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'a str) -> Result<Name<'a>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'a>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

/// The names seen so far: the few of an honest token on the stack, any more in a tree.
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
        members(json, |name, _| names.push(name.to_owned()))?;
        Some(names)
    }

    #[test]
    fn only_objects_without_a_name_twice_are_read() {
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

    #[test]
    fn text_is_a_string_and_nothing_else() {
        for (value, expected) in [
            (r#""abc""#, Some("abc")),
            (r#""""#, Some("")),
            (r#""\u0061\n""#, Some("a\n")),
            (r#""\ud800""#, None),
            ("5", None),
            ("null", None),
            (r#"["a"]"#, None),
            ("\"", None),
        ] {
            assert_eq!(text(value).as_deref(), expected, "{value}");
        }
    }
}
