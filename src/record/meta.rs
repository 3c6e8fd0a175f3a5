//! The metadata of a record.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::owner::Owner;

/// The metadata of a record; times in Unix seconds.
///
/// Written as `[created, owner, expires, nonce]` without the `null`s at its end: names would take
/// 30 bytes of every record. Also read from an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// `None`: unknown, as in records by Node.
    pub(crate) created: Option<i64>,
    /// `None`: the session has no owner.
    pub(crate) owner: Option<Owner>,
    /// `None`: no absolute lifetime.
    pub(crate) expires: Option<i64>,
    /// Makes the bytes unique. Readers ignore it, and the next write drops it.
    pub(crate) nonce: Option<String>,
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            created,
            owner,
            expires,
            nonce,
        } = self;
        if nonce.is_some() {
            (created, owner, expires, nonce).serialize(serializer)
        } else if expires.is_some() {
            (created, owner, expires).serialize(serializer)
        } else if owner.is_some() {
            (created, owner).serialize(serializer)
        } else {
            [created].serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members)
    }
}

/// Reads an array or an object.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Meta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Meta, A::Error> {
        let meta = Meta {
            created: next(&mut elements)?,
            owner: next(&mut elements)?,
            expires: next(&mut elements)?,
            nonce: None,
        };
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(meta)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Meta, A::Error> {
        let named = Named::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Meta {
            created: named.created,
            owner: named.owner,
            expires: named.expires,
            nonce: None,
        })
    }
}

/// The members of the metadata in an object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    created: Option<i64>,
    owner: Option<Owner>,
    expires: Option<i64>,
}

/// Reads the next element, which may be `null` or absent.
fn next<'de, T, A>(elements: &mut A) -> Result<Option<T>, A::Error>
where
    T: Deserialize<'de>,
    A: SeqAccess<'de>,
{
    Ok(elements.next_element::<Option<T>>()?.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> serde_json::Result<Meta> {
        serde_json::from_str(text)
    }

    #[test]
    fn the_array_ends_with_the_last_value() {
        for text in [
            r#"[1]"#,
            r#"[1,"jo"]"#,
            r#"[null,"j\"ö"]"#,
            r#"[1,null,2]"#,
            r#"[1,"jo",2]"#,
        ] {
            let meta = read(text).unwrap();
            assert_eq!(serde_json::to_string(&meta).unwrap(), text);
        }
        let nonce = Meta {
            nonce: Some("n".to_owned()),
            ..Meta::default()
        };
        let text = serde_json::to_string(&nonce).unwrap();
        assert_eq!(text, r#"[null,null,null,"n"]"#);
        assert_eq!(read(&text).unwrap(), Meta::default());
    }

    #[test]
    fn what_a_later_version_adds_is_ignored() {
        let meta = read(r#"[1,"jo",2]"#).unwrap();
        for text in [
            r#"[1,"jo",2,{"any":"type"},[3]]"#,
            r#"{"owner":"jo","created":1,"expires":2}"#,
            r#"{"created":1,"later":[3],"expires":2,"nonce":{},"owner":"jo"}"#,
        ] {
            assert_eq!(read(text).unwrap(), meta, "{text}");
        }
        for text in ["[]", "{}", "[null]", r#"{"owner":null}"#] {
            assert_eq!(read(text).unwrap(), Meta::default(), "{text}");
        }
    }

    #[test]
    fn values_of_another_type_are_rejected() {
        for text in [
            "5",
            "null",
            r#""jo""#,
            r#"["jo",1]"#,
            "[1.5]",
            r#"[1,""]"#,
            "[1,2]",
            r#"[1,"jo","2"]"#,
            r#"{"owner":""}"#,
            r#"{"created":"1"}"#,
            r#"{"owner":"a","owner":"b"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
