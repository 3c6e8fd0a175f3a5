//! The fields of a session, under the names that the client gave them.

use std::collections::HashSet;

use indexmap::IndexMap;
use jwt_redis_session::Session;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::json;

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
        let list = json::elements(keys.get()).unwrap_or_else(|| vec![keys]);
        // The name `*` is not reserved, so it is stored under itself.
        let stored = list.into_iter().map(|key| json::name(key).map(stored_name));
        let stored: HashSet<_> = stored.collect::<Option<_>>()?;
        Some(if stored.contains("*") {
            Self::All
        } else {
            Self::Only(stored)
        })
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
pub(super) fn set(session: &Session, fields: &RawValue) -> Result<(), ApiError> {
    let fields = json::members(fields.get())
        .ok_or_else(|| ApiError::bad_request("a name in the session is not Unicode; rename it"))?;
    for (name, value) in fields {
        session.insert(stored_name(name), value)?;
    }
    Ok(())
}

/// Returns the requested fields of a stored session, as JSON.
pub(super) fn select(stored: String, keys: &Keys) -> Result<String, ApiError> {
    // Most records have no escaped name, and need not be parsed.
    if *keys == Keys::All && !stored.contains("\"~") {
        return Ok(stored);
    }
    let fields = json::members(&stored)
        .ok_or_else(|| ApiError::internal(&"a name in a stored session is not Unicode"))?;
    let requested = fields.iter().filter(|(name, _)| keys.includes(name));
    let requested = requested.map(|(name, value)| (client_name(name), value));
    json::write(&requested.collect::<IndexMap<_, _>>())
}

/// Returns the name under which the client's field `name` is stored.
///
/// Reserved names are escaped, and so are names that look like escaped ones; all others stay the
/// same. So no two names are stored as one, and fields that another app stored keep their names.
fn stored_name(name: String) -> String {
    if is_reserved(&name) {
        return format!("{ESCAPE}{name}");
    }
    name
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
            let keys = serde_json::from_str(json).unwrap();
            assert_eq!(Keys::parse(Some(keys)), expected, "{json}");
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
            assert_eq!(select(stored.to_owned(), &keys).unwrap(), expected);
        }
    }

    #[test]
    fn only_reserved_and_escaped_names_are_stored_differently() {
        let pairs = "id=~id _jrs=~_jrs jwt=~jwt claims=~claims ~id=~~id ~~~claims=~~~~claims ID=ID \
             id2=id2 ~=~ ~~=~~ ~other=~other id~=id~ = __proto__=__proto__";
        for (name, stored) in pairs.split(' ').filter_map(|pair| pair.split_once('=')) {
            assert_eq!(stored_name(name.to_owned()), stored);
            assert_eq!(client_name(stored), name);
        }
    }
}
