//! The body of a login.

use jwt_redis_session::SessionError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error::ApiError;

const NO_LOGIN: &str = "the body must be a JSON object with the strings `username` and `password`";

/// The longest name that the owner of a session can have, in bytes.
const MAX_USERNAME: usize = 512;

/// Body of a login; other members are ignored.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Credentials<'a> {
    /// The user of the new session: 1 to 512 bytes of UTF-8, compared byte by byte.
    #[schema(example = "jo", min_length = 1, max_length = 512)]
    pub(super) username: String,
    /// Verified by the application if `users.verify_url` is set. Otherwise **not checked here**: a
    /// component in front of the service must have checked it.
    // Borrowed from the body, so that no copy of the password is made.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    #[serde(borrow)]
    password: &'a RawValue,
}

impl<'a> Credentials<'a> {
    /// Parses the body of a login.
    /// Errors: 400; the message contains nothing of the body.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        // Serde would also deserialize a struct from a list.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let parsed = serde_json::from_slice::<Self>(body).ok();
        let login = parsed
            .filter(|login| is_object && login.password.get().starts_with('"'))
            .ok_or_else(|| ApiError::bad_request(NO_LOGIN))?;
        // Here, so that no password is sent to `users.verify_url` for a name without sessions.
        if (1..=MAX_USERNAME).contains(&login.username.len()) {
            Ok(login)
        } else {
            Err(SessionError::InvalidOwner.into())
        }
    }

    /// Returns the two members as JSON.
    /// Errors: 500.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, ApiError> {
        // The error of serde_json may contain the password.
        serde_json::to_vec(self).map_err(|_| ApiError::internal(&"a login is not JSON"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn login_is_an_object_with_two_strings() {
        const BAD_NAME: &str = "a user id must have 1 to 512 bytes";
        let of = |name: &str| json!({ "username": name, "password": "" }).to_string();
        for (body, expected) in [
            (&*of("jo").replace('}', r#", "more": [1]}"#), Ok("jo")),
            ("", Err(NO_LOGIN)),
            (r#"["jo", "secret"]"#, Err(NO_LOGIN)),
            (r#"{"username": "jo"}"#, Err(NO_LOGIN)),
            (r#"{"password": "secret"}"#, Err(NO_LOGIN)),
            (r#"{"username": 5, "password": "secret"}"#, Err(NO_LOGIN)),
            (r#"{"username": "jo", "password": 5}"#, Err(NO_LOGIN)),
            (r#"{"username": "jo", "password": null}"#, Err(NO_LOGIN)),
            (&of("jo").replace('{', r#"{"username":"a","#), Err(NO_LOGIN)),
            (&of("jo").replace("jo", r"\ud800"), Err(NO_LOGIN)),
            (&of(""), Err(BAD_NAME)),
            (&of(&"a".repeat(513)), Err(BAD_NAME)),
            (&format!("{} x", of("jo")), Err(NO_LOGIN)),
        ] {
            let parsed = Credentials::parse(body.as_bytes());
            let username = parsed.as_ref().map(|credentials| &*credentials.username);
            let message = username.map_err(|error| error.message());
            assert_eq!(message, expected, "{body}");
        }
        assert!(Credentials::parse(b"{\"username\":\"\xff\",\"password\":\"\"}").is_err());
    }
}
