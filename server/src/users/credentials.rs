//! What a login sends.

use std::fmt;

use http::StatusCode;
use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::error::ApiError;

/// The longest username, in bytes: that of an owner.
const MAX_USERNAME: usize = 512;

/// What a login sends; other fields are ignored.
///
/// It keeps no password. That is checked before a request comes here, so it is only looked at to
/// see that it is there, and never copied.
#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    /// Whose session it becomes: 1 to 512 bytes of UTF-8, compared byte for byte.
    #[schema(example = "jo", min_length = 1, max_length = 512)]
    pub(super) username: String,
    /// **Not checked here**: something in front of the service must have done that.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    #[serde(rename = "password")]
    _password: Unread,
}

/// A string that was there, and was not kept.
struct Unread;

impl Credentials {
    /// Reads the body of a login.
    ///
    /// # Errors
    ///
    /// 400, in words that hold nothing of the body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        // A struct would also be read from a list of its fields.
        let object = body.trim_ascii_start().starts_with(b"{");
        let parsed = object.then(|| serde_json::from_slice::<Self>(body));
        let Some(Ok(credentials)) = parsed else {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "the body must be a JSON object with the strings `username` and `password`",
            ));
        };
        if (1..=MAX_USERNAME).contains(&credentials.username.len()) {
            return Ok(credentials);
        }
        Err(ApiError::bad_request("a username is 1 to 512 bytes"))
    }
}

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AnyString)?;
        Ok(Self)
    }
}

/// Accepts a string and forgets it.
struct AnyString;

impl Visitor<'_> for AnyString {
    type Value = IgnoredAny;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, _: &str) -> Result<IgnoredAny, E> {
        Ok(IgnoredAny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(body: &str) -> Result<String, u16> {
        let credentials = Credentials::parse(body.as_bytes());
        credentials
            .map(|credentials| credentials.username)
            .map_err(|error| error.status().as_u16())
    }

    #[test]
    fn a_login_is_an_object_of_two_strings_and_whatever_else() {
        let good = r#" {"username": "jo", "password": "", "more": [1, {}]}"#;
        assert_eq!(username(good), Ok("jo".to_owned()));
        for bad in [
            "",
            "{}",
            "null",
            r#"["jo", "secret"]"#,
            r#"{"username": "jo"}"#,
            r#"{"password": "secret"}"#,
            r#"{"username": 5, "password": "secret"}"#,
            r#"{"username": "jo", "password": 5}"#,
            r#"{"username": "jo", "password": null}"#,
            r#"{"username": null, "password": "secret"}"#,
            r#"{"username": "jo", "username": "al", "password": "secret"}"#,
            r#"{"username": "\ud800", "password": "secret"}"#,
            r#"{"username": "", "password": "secret"}"#,
            r#"{"username": "jo", "password": "secret"} x"#,
        ] {
            assert_eq!(username(bad), Err(400), "{bad}");
        }
    }

    #[test]
    fn a_username_is_measured_in_bytes() {
        let body = |name: &str| serde_json::json!({"username": name, "password": ""}).to_string();
        assert!(username(&body(&"ü".repeat(256))).is_ok());
        assert_eq!(username(&body(&("ü".repeat(256) + "a"))), Err(400));
    }
}
