//! The metadata of a record.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::array::{Elements, next};
use super::device::Device;
use super::owner::Owner;

/// The metadata of a record; times in Unix seconds.
///
/// Written as an array in the order of the fields, without the `null`s at its end: names would take
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
    /// The max age of this session in seconds. `None`: that of the configuration.
    pub(crate) max_age: Option<NonZeroU32>,
    /// When the owner last authenticated. `None`: unknown.
    pub(crate) authenticated: Option<i64>,
    /// Shared, so that a copied record copies no text.
    pub(crate) device: Option<Arc<Device>>,
}

impl Meta {
    /// Returns this session's own max age, if it has one.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let seconds = self.max_age?.get();
        Some(Duration::from_secs(seconds.into()))
    }

    /// Parses metadata; the time of creation alone is the most frequent form.
    pub(super) fn parse(text: &str) -> serde_json::Result<Self> {
        let digits = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let is_number = |digits: &&str| {
            !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        match digits
            .filter(is_number)
            .and_then(|digits| digits.parse().ok())
        {
            Some(created) => Ok(Self {
                created: Some(created),
                ..Self::default()
            }),
            None => serde_json::from_str(text),
        }
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = Elements::new(serializer)?;
        elements.push(self.created.as_ref())?;
        elements.push(self.owner.as_ref())?;
        elements.push(self.expires.as_ref())?;
        elements.push(self.nonce.as_ref())?;
        elements.push(self.max_age.as_ref())?;
        elements.push(self.authenticated.as_ref())?;
        elements.push(self.device.as_deref())?;
        elements.end()
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
        let (created, owner, expires) = (
            next(&mut elements)?,
            next(&mut elements)?,
            next(&mut elements)?,
        );
        let _nonce = elements.next_element::<IgnoredAny>()?;
        let meta = Meta {
            created,
            owner,
            expires,
            nonce: None,
            max_age: next(&mut elements)?,
            authenticated: next(&mut elements)?,
            device: next(&mut elements)?.map(Arc::new),
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
            ..Meta::default()
        })
    }
}

/// The members of the metadata in an object, as an earlier version wrote them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    created: Option<i64>,
    owner: Option<Owner>,
    expires: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> serde_json::Result<Meta> {
        let (parsed, read) = (Meta::parse(text), serde_json::from_str(text));
        assert_eq!(parsed.as_ref().ok(), read.as_ref().ok(), "{text}");
        read
    }

    #[test]
    fn the_array_ends_with_the_last_value() {
        for text in [
            r#"[1]"#,
            r#"[1,"jo"]"#,
            r#"[null,"j\"ö"]"#,
            r#"[1,null,2]"#,
            r#"[1,"jo",2]"#,
            r#"[1,null,null,null,60]"#,
            r#"[1,null,null,null,null,2]"#,
            r#"[1,"jo",2,null,60,3,["Phone",null,"::1"]]"#,
            r#"[1,null,null,null,null,null,[null,"curl"]]"#,
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
            r#"[1,"jo",2,{"any":"type"},null,null,null,[3]]"#,
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
            "[01]",
            "[99999999999999999999]",
            "null",
            r#""jo""#,
            r#"["jo",1]"#,
            "[1.5]",
            r#"[1,""]"#,
            "[1,2]",
            r#"[1,"jo","2"]"#,
            r#"[1,null,null,null,-1]"#,
            r#"[1,null,null,null,0]"#,
            r#"[1,null,null,null,4294967296]"#,
            r#"[1,null,null,null,null,"2"]"#,
            r#"[1,null,null,null,null,null,"Phone"]"#,
            r#"[1,null,null,null,null,null,[null,null,"host"]]"#,
            r#"{"owner":""}"#,
            r#"{"created":"1"}"#,
            r#"{"owner":"a","owner":"b"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
