//! Strict reading of JSON objects.
//!
//! A visitor, since neither a derived struct nor a map nor `serde_json::Value` rejects arrays,
//! duplicate names and unreadable values alike, and the latter two allocate for every claim.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::Text;

/// Returns the JSON text of the members with these names; a name of `None` reads no member.
///
/// Returns `None` unless `json` is one object without duplicate names, which
/// readers interpret differently (RFC 8259 section 4). All other members must be readable: no lone
/// surrogate, no number beyond `f64`, no more levels of nesting than `serde_json` reads.
pub(super) fn members<'a, const N: usize>(
    json: &'a str,
    names: [Option<&str>; N],
) -> Option<[Option<&'a str>; N]> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let members = reader.deserialize_map(Members(names)).ok()?;
    reader.end().ok()?;
    Some(members)
}

/// Returns the JSON text of the member `name`; `None` if there is no such member.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    members(json, [Some(name)])?[0]
}

/// Returns the text of a JSON string; `None` if `json` is anything else.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let Text(text) = serde_json::from_str(json).ok()?;
    Some(text)
}

struct Members<'n, const N: usize>([Option<&'n str>; N]);

impl<'a, const N: usize> Visitor<'a> for Members<'_, N> {
    type Value = [Option<&'a str>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [None; N];
        // Few tokens have more than eight claims, so verification needs no allocation for their
        // names. The tree keeps an attacker's wide object from costing quadratic time.
        let mut few: [Option<Cow<'a, str>>; 8] = Default::default();
        let mut more = BTreeSet::new();
        while let Some(Text(name)) = map.next_key()? {
            match self.0.iter().position(|wanted| *wanted == Some(&*name)) {
                Some(index) => members[index] = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<Readable>()?;
                }
            }
            let name = Some(name);
            let is_new = !few.contains(&name)
                && match few.iter_mut().find(|free| free.is_none()) {
                    Some(free) => {
                        *free = name;
                        true
                    }
                    None => more.insert(name),
                };
            if !is_new {
                return Err(A::Error::custom("duplicate name"));
            }
        }
        Ok(members)
    }
}

/// Any JSON value that can be read; it is dropped.
///
/// `IgnoredAny` and `RawValue` only skip: they accept lone surrogates and any nesting.
struct Readable;

impl<'a> Deserialize<'a> for Readable {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

/// Visits a scalar and drops it.
macro_rules! accept {
    ($($visit:ident($scalar:ty)),*) => {
        $(fn $visit<E>(self, _: $scalar) -> Result<Self, E> {
            Ok(self)
        })*
    };
}

impl<'a> Visitor<'a> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    accept!(
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_f64(f64),
        visit_str(&str)
    );

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
