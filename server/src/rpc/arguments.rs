//! Parsing of the arguments of an RPC call.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::fields::Keys;
use crate::rpc::json::{self, Members};

/// The longest user id, in bytes of UTF-8.
const MAX_USER_ID: usize = 512;

/// Arguments of a call, by name.
///
/// Each is checked when a method reads it, so the order of reads determines which missing argument
/// is reported.
pub(super) struct Arguments<'a>(Members<'a>);

impl<'a> Arguments<'a> {
    /// Parses the JSON text `args`: an object, or a list whose first element is one. Any other JSON
    /// value counts as no arguments.
    ///
    /// Errors: 400 if `args` is not JSON.
    pub(super) fn parse(args: Option<&'a str>) -> Result<Self, ApiError> {
        let Some(args) = args else {
            return Ok(Self(Members::new()));
        };
        let value = json::parse(args).ok_or_else(|| ApiError::bad_request("args is not JSON"))?;
        let list: Option<Vec<&RawValue>> = serde_json::from_str(value.get()).ok();
        let object = list.map_or(Some(value), |list| list.first().copied());
        // Not rejected here: the method reports which argument is missing, as for `{}`.
        let members = object.and_then(|object| json::members(object.get()));
        Ok(Self(members.unwrap_or_default()))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.0.get(name).copied();
        value.filter(|value| value.get() != "null")
    }

    /// Returns the JSON text of the argument `session`, which must be an object.
    pub(super) fn session(&self) -> Result<&'a str, ApiError> {
        let session = self.get("session").map(RawValue::get);
        session
            .filter(|session| session.starts_with('{'))
            .ok_or_else(|| ApiError::bad_request("please specify a session object"))
    }

    pub(super) fn user_id(&self) -> Result<Cow<'a, str>, ApiError> {
        let id = self.name("userId", "please specify a userId")?;
        if id.len() > MAX_USER_ID {
            return Err(ApiError::bad_request("a userId is at most 512 bytes long"));
        }
        Ok(id)
    }

    pub(super) fn token(&self) -> Result<Cow<'a, str>, ApiError> {
        self.name("token", "please specify a token")
    }

    /// Returns the session version that the caller expects.
    pub(super) fn session_version(&self) -> Result<Cow<'a, str>, ApiError> {
        self.name("sessionVersion", "please specify a sessionVersion")
    }

    pub(super) fn keys(&self) -> Result<Keys, ApiError> {
        Keys::parse(self.get("keys")).ok_or_else(|| {
            ApiError::bad_request("please specify keys as \"*\", a name or a list of names")
        })
    }

    fn name(&self, name: &str, missing: &'static str) -> Result<Cow<'a, str>, ApiError> {
        let text = self.get(name).and_then(json::name);
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::bad_request(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_alone_or_in_a_list() {
        const MISSING: &str = "please specify a userId";
        const LENGTH: &str = "a userId is at most 512 bytes long";
        let of = |id: &str| format!(r#"{{"userId":"{id}"}}"#);
        let longest = "é".repeat(256);
        for (args, expected) in [
            (r#"{"userId":"jo"}"#, Ok("jo")),
            (r#" [ {"userId":"jo"}, {"userId":"al"}]"#, Ok("jo")),
            (r#"{"userId":"al","\u0075serId":"jo"}"#, Ok("jo")),
            (r#"{"userId":7}"#, Ok("7")),
            (&of(&longest), Ok(&*longest)),
            (&of(&"a".repeat(513)), Err(LENGTH)),
            (&of(""), Err(MISSING)),
            (&of(r"\udc00"), Err(MISSING)),
        ] {
            let id = Arguments::parse(Some(args)).and_then(|args| args.user_id());
            let id = id.as_deref().map_err(ApiError::message);
            assert_eq!(id, expected, "{args}");
        }
        let without = r#"null 7 "jo" [] [null] ["jo"] {} {"userId":null} {"userId":true}"#;
        for args in without.split(' ') {
            let missing = Arguments::parse(Some(args)).unwrap().user_id();
            assert_eq!(missing.unwrap_err().message(), MISSING, "{args}");
        }
        for args in [" ", "{", "[{}", "jo", "{} x", "\u{feff}{}"] {
            assert!(Arguments::parse(Some(args)).is_err(), "{args}");
        }
    }
}
