//! The fields of a session, under the names that the client gave them.

use std::borrow::Cow;
use std::collections::HashSet;

use jwt_redis_session::Session;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::json::{self, members};

/// The names that the library reserves at the top level of a record.
const RESERVED: [&str; 4] = ["_jrs", "id", "jwt", "claims"];

/// The prefix that escapes a reserved name.
const ESCAPE: char = '~';

/// The fields that a client requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keys {
    All,
    /// The stored names of the fields; those that do not exist are ignored.
    Only(HashSet<String>),
}

impl Keys {
    /// Parses the argument `keys`: `"*"`, a name, or a list of them. `None` requests no field.
    pub(super) fn parse(keys: Option<&RawValue>) -> Option<Self> {
        let Some(keys) = keys else {
            return Some(Self::Only(HashSet::new()));
        };
        let list: Option<Vec<&RawValue>> = serde_json::from_str(keys.get()).ok();
        let list = list.unwrap_or_else(|| vec![keys]);
        let names = list.into_iter().map(json::name);
        let names: HashSet<_> = names.collect::<Option<_>>()?;
        if names.contains("*") {
            return Some(Self::All);
        }
        let stored = names.iter().map(|name| stored_name(name).into_owned());
        Some(Self::Only(stored.collect()))
    }

    fn includes(&self, stored: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(stored),
        }
    }
}

/// Sets each field of the JSON object `fields` on `session`.
/// Errors: 400 if a name is not Unicode.
pub(super) fn set(session: &Session, fields: &str) -> Result<(), ApiError> {
    let fields = members(fields)
        .ok_or_else(|| ApiError::bad_request("a name in the session is not Unicode"))?;
    for (name, value) in fields {
        session.insert(stored_name(&name).into_owned(), value)?;
    }
    Ok(())
}

/// The requested fields of a stored session, as JSON.
pub(super) struct Fields<'a> {
    /// The stored session: an object.
    pub(super) stored: &'a RawValue,
    pub(super) keys: &'a Keys,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Most records have no escaped name, and need not be parsed.
        if *self.keys == Keys::All && !self.stored.get().contains("\"~") {
            return self.stored.serialize(serializer);
        }
        let members = members(self.stored.get())
            .ok_or_else(|| S::Error::custom("a stored session is not an object"))?;
        let requested = members.iter().filter(|(name, _)| self.keys.includes(name));
        serializer.collect_map(requested.map(|(name, value)| (client_name(name), value)))
    }
}

/// Returns the name under which the client's field `name` is stored.
///
/// Reserved names are escaped, and so are names that look like escaped ones; all others stay the
/// same. So no two names are stored as one, and fields that another app stored keep their names.
fn stored_name(name: &str) -> Cow<'_, str> {
    if is_reserved(name) {
        Cow::Owned(format!("{ESCAPE}{name}"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns the client's name of the stored field `name`.
fn client_name(name: &str) -> &str {
    let unescaped = name.strip_prefix(ESCAPE);
    unescaped.filter(|name| is_reserved(name)).unwrap_or(name)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name.trim_start_matches(ESCAPE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(names: &[&str]) -> Keys {
        Keys::Only(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn keys_are_a_star_a_name_or_a_list() {
        assert_eq!(Keys::parse(None), Some(only(&[])));
        for (json, expected) in [
            (r#""*""#, Some(Keys::All)),
            (r#"["a","*"]"#, Some(Keys::All)),
            (r#"["a","b","a"]"#, Some(only(&["a", "b"]))),
            (r#""a""#, Some(only(&["a"]))),
            (r#"["id",1]"#, Some(only(&["~id", "1"]))),
            ("[]", Some(only(&[]))),
            ("{}", None),
            ("true", None),
            (r#"["a",null]"#, None),
            (r#"[["*"]]"#, None),
        ] {
            assert_eq!(Keys::parse(json::parse(json)), expected, "{json}");
        }
    }

    #[test]
    fn fields_keep_their_text_under_the_names_of_the_client() {
        let stored = r#"{"a":1.0,"~id":12345678901234567890,"~x":1e400,"__proto__":{},"":[ ]}"#;
        let all = r#"{"a":1.0,"id":12345678901234567890,"~x":1e400,"__proto__":{},"":[ ]}"#;
        let some = r#"{"id":12345678901234567890,"":[ ]}"#;
        for (stored, keys, expected) in [
            (stored, Keys::All, all),
            (r#"{"id~":"a~b"}"#, Keys::All, r#"{"id~":"a~b"}"#),
            (stored, only(&["", "~id", "none"]), some),
            (stored, only(&[]), "{}"),
        ] {
            let (stored, keys) = (json::parse(stored).unwrap(), &keys);
            let written = serde_json::to_string(&Fields { stored, keys }).unwrap();
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn only_reserved_and_escaped_names_are_stored_differently() {
        let pairs = "id=~id _jrs=~_jrs jwt=~jwt claims=~claims ~id=~~id ~~~claims=~~~~claims ID=ID \
             id2=id2 ~=~ ~~=~~ ~other=~other id~=id~ = __proto__=__proto__";
        for (name, stored) in pairs.split(' ').filter_map(|pair| pair.split_once('=')) {
            assert_eq!(stored_name(name), stored);
            assert_eq!(client_name(stored), name);
        }
    }
}
