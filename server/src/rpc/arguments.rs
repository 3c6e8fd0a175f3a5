//! Parsing of the arguments of an RPC call.

use jwt_redis_session::session::ListCursor;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::active_sessions::MAX_SESSIONS;
use crate::rpc::fields::Keys;
use crate::rpc::json::{self, Members};

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
        let args = args.unwrap_or("null");
        // Most arguments are an object, which is then parsed once.
        if args.starts_with('{')
            && let Some(members) = json::members(args)
        {
            return Ok(Self(members));
        }
        let args: &RawValue = serde_json::from_str(args)
            .map_err(|_| ApiError::bad_request("args is not JSON; send an object or a list"))?;
        let object = match json::elements(args.get()) {
            Some(list) => list.first().copied(),
            None => Some(args),
        };
        let members = object.and_then(|object| json::members(object.get()));
        // Not rejected here: the method reports which argument is missing, as for `{}`.
        Ok(Self(members.unwrap_or_default()))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.0.get(name).copied();
        value.filter(|value| value.get() != "null")
    }

    /// Returns the argument `session`, which must be an object.
    pub(super) fn session(&self) -> Result<&'a RawValue, ApiError> {
        self.get("session")
            .filter(|session| session.get().starts_with('{'))
            .ok_or_else(|| ApiError::bad_request("please specify a session object"))
    }

    pub(super) fn keys(&self) -> Result<Keys, ApiError> {
        Keys::parse(self.get("keys")).ok_or_else(|| {
            ApiError::bad_request("please specify keys as \"*\", a name or a list of names")
        })
    }

    /// Returns the arguments `limit` and `cursor`, or `None` if both are absent.
    pub(super) fn page(&self) -> Result<Option<(usize, Option<ListCursor>)>, ApiError> {
        let (limit, cursor) = (self.get("limit"), self.get("cursor"));
        if limit.is_none() && cursor.is_none() {
            return Ok(None);
        }
        let limit = limit.map_or(Some(MAX_SESSIONS), |limit| {
            let limit = json::name(limit)?.parse().ok();
            limit.filter(|limit| (1..=MAX_SESSIONS).contains(limit))
        });
        let limit = limit.ok_or_else(|| {
            ApiError::bad_request("please specify limit as a number from 1 to 1000")
        })?;
        let cursor = cursor.map(|cursor| json::name(cursor)?.parse().ok());
        let cursor = cursor.map(|cursor| {
            cursor.ok_or_else(|| {
                ApiError::bad_request("please specify cursor as returned with the previous page")
            })
        });
        Ok(Some((limit, cursor.transpose()?)))
    }

    /// Returns an argument that is a text or a number, as text that is not empty.
    pub(super) fn text(&self, name: &str) -> Result<String, ApiError> {
        let text = self.get(name).and_then(json::name);
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::bad_request(format!("please specify a {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_alone_or_in_a_list() {
        const MISSING: &str = "please specify a userId";
        for (args, expected) in [
            (r#"{"userId":"jo"}"#, Ok("jo")),
            (r#" [ {"userId":"jo"}, {"userId":"al"}]"#, Ok("jo")),
            (r#"{"userId":"al","\u0075serId":"jo"}"#, Ok("jo")),
            (r#"{"userId":-9}"#, Ok("-9")),
            (r#"{"userId":""}"#, Err(MISSING)),
            (r#"{"userId":"\udc00"}"#, Err(MISSING)),
        ] {
            let id = Arguments::parse(Some(args)).and_then(|args| args.text("userId"));
            let id = id.as_deref().map_err(ApiError::message);
            assert_eq!(id, expected, "{args}");
        }
        let without = r#"null 7 "jo" [] [null] ["jo"] {} {"userId":null} {"userId":true}"#;
        for args in without.split(' ').map(Some).chain([None]) {
            let missing = Arguments::parse(args).unwrap().text("userId");
            assert_eq!(missing.unwrap_err().message(), MISSING, "{args:?}");
        }
        for args in [" ", "{", "[{}", "jo", "{} x", "\u{feff}{}"] {
            assert!(Arguments::parse(Some(args)).is_err(), "{args}");
        }
    }
}
