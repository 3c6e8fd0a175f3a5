//! The fields of a stored session, as the client named them.

use std::collections::HashSet;

use jwt_redis_session::Session;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::names;
use crate::rpc::object::{Malformed, each_element, each_member, kind, text};

/// Which fields a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    All,
    /// Those of these names, which are the stored ones, that exist.
    Only(HashSet<String>),
}

impl Keys {
    /// Reads what stands in a call: `"*"`, alone or in a list, a name or a list of names.
    /// `None` asks for nothing.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is anything else.
    pub(crate) fn parse(keys: Option<&RawValue>) -> Result<Self, Malformed> {
        let mut all = false;
        let mut names = HashSet::new();
        let mut readable = true;
        let mut keep = |name: &RawValue| match text(name) {
            Some(name) if name == "*" => all = true,
            Some(name) => drop(names.insert(names::stored(name).into_owned())),
            None => readable = false,
        };
        match keys {
            Some(list) if kind(list.get()) == Some(b'[') => each_element(list.get(), keep)?,
            Some(name) => keep(name),
            None => {}
        }
        match (readable, all) {
            (false, _) => Err(Malformed),
            (true, true) => Ok(Self::All),
            (true, false) => Ok(Self::Only(names)),
        }
    }
}

/// Sets on `session` every field of the object `fields`, under the names they are stored by.
///
/// # Errors
///
/// 400 if a name cannot be written as UTF-8.
pub(crate) fn set(session: &Session, fields: &str) -> Result<(), ApiError> {
    let mut set = Ok(());
    let read = each_member(fields, |name, value| {
        if set.is_ok() {
            set = session.insert(names::stored(name).into_owned(), value);
        }
    });
    set?;
    read.map_err(|Malformed| ApiError::bad_request("a name in the session is not Unicode"))
}

/// The fields of a stored session, as the client named them; written without a tree.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// The fields as they are stored: an object.
    pub(crate) stored: &'a RawValue,
    pub(crate) keys: &'a Keys,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self.keys == Keys::All && !names::may_be_marked(self.stored.get()) {
            return self.stored.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        let mut written = Ok(());
        let read = each_member(self.stored.get(), |name, value| {
            if written.is_ok() && self.is_wanted(&name) {
                written = map.serialize_entry(&names::visible(name), value);
            }
        });
        written?;
        read.map_err(|Malformed| S::Error::custom("a stored session is not an object"))?;
        map.end()
    }
}

impl Fields<'_> {
    fn is_wanted(&self, name: &str) -> bool {
        match self.keys {
            Keys::All => true,
            Keys::Only(names) => names.contains(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(json: &str) -> Result<Keys, Malformed> {
        Keys::parse(Some(serde_json::from_str(json).unwrap()))
    }

    fn only(names: &[&str]) -> Keys {
        Keys::Only(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn keys_are_a_star_a_name_or_a_list() {
        assert_eq!(keys(r#""*""#), Ok(Keys::All));
        assert_eq!(keys(r#"["a","*"]"#), Ok(Keys::All));
        assert_eq!(keys(r#"["a","b","a"]"#), Ok(only(&["a", "b"])));
        assert_eq!(keys(r#""a""#), Ok(only(&["a"])));
        assert_eq!(keys(r#"["id",1]"#), Ok(only(&["~id", "1"])));
        assert_eq!(keys("[]"), Ok(only(&[])));
        assert_eq!(Keys::parse(None), Ok(only(&[])));
        for bad in ["{}", "true", r#"["a",null]"#, r#"[["*"]]"#] {
            assert_eq!(keys(bad), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn fields_are_written_to_the_letter_under_the_names_of_the_client() {
        let stored = r#"{"a":1.0,"~id":12345678901234567890,"~x":1e400,"__proto__":{},"":[ ]}"#;
        let written = |keys: Keys| {
            let stored = serde_json::from_str(stored).unwrap();
            serde_json::to_string(&Fields {
                stored,
                keys: &keys,
            })
            .unwrap()
        };
        let all = r#"{"a":1.0,"id":12345678901234567890,"~x":1e400,"__proto__":{},"":[ ]}"#;
        assert_eq!(written(Keys::All), all);
        assert_eq!(
            written(only(&["", "~id", "none"])),
            r#"{"id":12345678901234567890,"":[ ]}"#
        );
        assert_eq!(written(only(&[])), "{}");
    }
}
