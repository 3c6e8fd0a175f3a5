//! The arguments of a call.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::fields::Keys;
use crate::rpc::object::{self, Malformed, each_element, each_member, kind};

/// The longest user id, in bytes of UTF-8.
const MAX_USER_ID: usize = 512;

/// The arguments of a call, by their names; each is checked when it is asked for, so that a
/// method decides what it misses first.
#[derive(Debug, Default)]
pub(crate) struct Arguments<'a> {
    session: Option<&'a RawValue>,
    user_id: Option<&'a RawValue>,
    token: Option<&'a RawValue>,
    session_version: Option<&'a RawValue>,
    keys: Option<&'a RawValue>,
}

impl<'a> Arguments<'a> {
    /// Reads the JSON text `args`: of a list the first element counts, anything else is the one
    /// argument, and one that is not an object has no members.
    ///
    /// # Errors
    ///
    /// 400 if it is not JSON.
    pub(crate) fn parse(args: &'a str) -> Result<Self, ApiError> {
        Self::read(args).map_err(|Malformed| ApiError::bad_request("args is not JSON"))
    }

    fn read(args: &'a str) -> Result<Self, Malformed> {
        match kind(args) {
            Some(b'{') => Self::members(args),
            Some(b'[') => {
                let mut first = None;
                each_element(args, |element| first = first.or(Some(element)))?;
                match first {
                    Some(first) if kind(first.get()) == Some(b'{') => Self::members(first.get()),
                    _ => Ok(Self::default()),
                }
            }
            _ => object::check(args).map(|()| Self::default()),
        }
    }

    fn members(object: &'a str) -> Result<Self, Malformed> {
        let mut this = Self::default();
        each_member(object, |name, value| {
            let place = match &*name {
                "session" => &mut this.session,
                "userId" => &mut this.user_id,
                "token" => &mut this.token,
                "sessionVersion" => &mut this.session_version,
                "keys" => &mut this.keys,
                _ => return,
            };
            *place = Some(value).filter(|value| value.get() != "null");
        })?;
        Ok(this)
    }

    /// The session: the text of an object.
    pub(crate) fn session(&self) -> Result<&'a str, ApiError> {
        let session = self.session.map(RawValue::get);
        session
            .filter(|session| kind(session) == Some(b'{'))
            .ok_or_else(|| ApiError::bad_request("please specify a session object"))
    }

    /// The user's id; a number counts as its text.
    pub(crate) fn user_id(&self) -> Result<Cow<'a, str>, ApiError> {
        let id = given(self.user_id, "please specify a userId")?;
        if id.len() > MAX_USER_ID {
            return Err(ApiError::bad_request("a userId is at most 512 bytes long"));
        }
        Ok(id)
    }

    pub(crate) fn token(&self) -> Result<Cow<'a, str>, ApiError> {
        given(self.token, "please specify a token")
    }

    /// The version that the caller expects; a number counts as its text.
    pub(crate) fn session_version(&self) -> Result<Cow<'a, str>, ApiError> {
        given(self.session_version, "please specify a sessionVersion")
    }

    pub(crate) fn keys(&self) -> Result<Keys, ApiError> {
        Keys::parse(self.keys).map_err(|Malformed| {
            ApiError::bad_request("please specify keys as \"*\", a name or a list of names")
        })
    }
}

fn given<'a>(value: Option<&'a RawValue>, missing: &'static str) -> Result<Cow<'a, str>, ApiError> {
    let text = value.and_then(object::text);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| ApiError::bad_request(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(args: &str) -> Result<String, String> {
        let id = Arguments::parse(args).and_then(|args| args.user_id());
        id.map(Cow::into_owned)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_list_an_object_or_anything_else_are_arguments() {
        assert_eq!(user(r#"{"userId":"jo"}"#).as_deref(), Ok("jo"));
        assert_eq!(
            user(r#" [ {"userId":"jo"}, {"userId":"al"}]"#).as_deref(),
            Ok("jo")
        );
        assert_eq!(
            user(r#"{"userId":"al","\u0075serId":"jo"}"#).as_deref(),
            Ok("jo")
        );
        assert_eq!(user(r#"{"userId":7}"#).as_deref(), Ok("7"));
        for missing in ["null", "[]", "7", r#""jo""#, "[null]", "{}", r#"["jo"]"#] {
            assert_eq!(
                user(missing).unwrap_err(),
                "please specify a userId",
                "{missing}"
            );
        }
        for empty in [r#""""#, "null", "{}", "true", r#""\udc00""#] {
            let args = format!(r#"{{"userId":{empty}}}"#);
            assert_eq!(
                user(&args).unwrap_err(),
                "please specify a userId",
                "{empty}"
            );
        }
        for bad in [" ", "{", "[{}", "jo", "{\"userId\":\"jo\"} x", "\u{feff}{}"] {
            assert_eq!(user(bad).unwrap_err(), "args is not JSON", "{bad}");
        }
    }

    #[test]
    fn a_user_id_is_at_most_512_bytes() {
        let args = |id: &str| format!(r#"{{"userId":"{id}"}}"#);
        assert!(user(&args(&"é".repeat(256))).is_ok());
        let error = user(&args(&"a".repeat(513))).unwrap_err();
        assert_eq!(error, "a userId is at most 512 bytes long");
    }

    #[test]
    fn a_session_is_an_object() {
        for bad in ["[]", "1", "null", r#""{}""#] {
            let args = format!(r#"{{"session":{bad}}}"#);
            let error = Arguments::parse(&args).unwrap().session().unwrap_err();
            assert_eq!(error.message(), "please specify a session object", "{bad}");
        }
        let args = Arguments::parse(r#"{"session": { "a":1 }}"#).unwrap();
        assert_eq!(args.session().unwrap(), r#"{ "a":1 }"#);
    }
}
