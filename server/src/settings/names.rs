//! The names of all settings, read off the structs themselves.

use serde::de::value::{Error, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as _, forward_to_deserialize_any};

use crate::settings::Settings;

/// A section and the names of its settings.
pub(super) type Section = (&'static str, &'static [&'static str]);

/// Every section with its settings, in the order of the structs.
///
/// serde tells a deserializer the names of a struct's fields: here they are noted, and nothing
/// is deserialized.
pub(super) fn sections() -> Vec<Section> {
    let mut found = Vec::new();
    let names = Names {
        section: None,
        found: &mut found,
    };
    Settings::deserialize(names).expect("every setting has a default");
    found
}

struct Names<'a> {
    /// `None` at the top.
    section: Option<&'static str>,
    found: &'a mut Vec<Section>,
}

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Some(section) = self.section else {
            return visitor.visit_map(Sections {
                left: fields,
                found: self.found,
            });
        };
        self.found.push((section, fields));
        let nothing = std::iter::empty::<(&str, &str)>();
        visitor.visit_map(MapDeserializer::new(nothing))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        unreachable!("settings are in sections, and a section is a struct")
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Sections<'a> {
    left: &'static [&'static str],
    found: &'a mut Vec<Section>,
}

impl<'de> MapAccess<'de> for Sections<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.left.first() else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, left) = self.left.split_first().expect("a key came before");
        self.left = left;
        seed.deserialize(Names {
            section: Some(name),
            found: self.found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_tells_its_settings() {
        let sections = sections();
        let names: Vec<_> = sections.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "http", "store", "tokens", "buckets", "rpc", "users", "admin", "limits", "log"
            ]
        );
        assert!(sections.contains(&("log", &["format", "access"])));
    }
}
