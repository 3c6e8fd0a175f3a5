//! The wire format of calls and responses.
//!
//! Version 1 is `POST /rpc {"name", "args"}`, with errors `{"error"}`. Version 2 is
//! `POST /rpc/{method} {"args"}`, with errors `{"error", "code", "handled"}`.

use std::borrow::Cow;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::rpc::json::Members;

const NO_CALL: &str = r#"the body is not a JSON object; send {"name": "…", "args": {…}}"#;
const NO_ARGS: &str = "args is not an object, a list, or a string that contains one as JSON";

/// A call.
#[derive(Default, ToSchema)]
pub(super) struct Call<'a> {
    /// The method. Ignored if the path contains one.
    #[schema(value_type = String, required = false, example = "create")]
    pub(super) name: Option<String>,
    /// The arguments: an object, a list whose first element is one, or a string that contains
    /// either as JSON. No arguments if absent, null or empty.
    #[schema(value_type = Option<CallArguments>)]
    pub(super) args: Option<Cow<'a, str>>,
}

/// The forms of the arguments.
#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
#[serde(untagged)]
#[schema(example = json!({ "session": { "cart": 3 }, "userId": "jo" }))]
pub(super) enum CallArguments {
    Object(serde_json::Map<String, serde_json::Value>),
    List(Vec<serde_json::Value>),
    Text(String),
}

impl<'a> Call<'a> {
    /// Parses the body of a request.
    /// Errors: 400 if it is not a JSON object, or for other types of `args`.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let body = str::from_utf8(body).map_err(|_| ApiError::bad_request(NO_CALL))?;
        if let Some(call) = Self::parse_usual(body) {
            return Ok(call);
        }
        // Not derived: duplicate names are accepted, and a list is not a call.
        let members: Members<'_> =
            serde_json::from_str(body).map_err(|_| ApiError::bad_request(NO_CALL))?;
        let member = |name| members.get(name).map_or("null", |value| value.get());
        let args = match member("args") {
            args if args.starts_with(['{', '[']) => Some(args.into()),
            args => serde_json::from_str(args).map_err(|_| ApiError::bad_request(NO_ARGS))?,
        };
        Ok(Self {
            name: serde_json::from_str(member("name")).unwrap_or_default(),
            args: args.filter(|args: &Cow<'_, str>| !args.is_empty()),
        })
    }

    /// Parses an object whose `args` are a string in one pass: 4,400 instructions for one of 400
    /// bytes, instead of 8,000. `None` for any other body.
    fn parse_usual(body: &str) -> Option<Self> {
        /// The members of a call. Each occurs at most once.
        #[derive(Deserialize)]
        struct Usual {
            name: Option<String>,
            args: String,
        }
        // A derived struct is also read from a list.
        if !body.starts_with('{') {
            return None;
        }
        let Usual { name, args } = serde_json::from_str(body).ok()?;
        let args = Some(args.into()).filter(|args: &Cow<'_, str>| !args.is_empty());
        Some(Self { name, args })
    }
}

/// The result of a call.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
pub(super) struct CallResult {
    /// `create`: `{"token"}`; `get`: the fields, or null if the session has ended; `update` and
    /// `destroy`: `"OK"`; `getActiveSessions`: a list of `{"sessionId", "createdAt", "expiresAt",
    /// "session"}`, or with `limit` or `cursor` a page `{"sessions", "cursor"}`; `destroyAll`: a number; `methods`: a list of `{"name", "docs"}`.
    #[schema(value_type = serde_json::Value, nullable)]
    pub(super) result: Box<RawValue>,
}

/// Returns the body of the response to a call.
pub(super) fn answer(result: &str) -> String {
    [r#"{"result":"#, result, "}"].concat()
}

/// The error of a call in version 2 of the wire format.
#[derive(Serialize, ToSchema)]
pub(super) struct CallErrorBody<'a> {
    /// A message for people.
    #[schema(example = "please specify a token")]
    error: &'a str,
    /// 1000: the call is wrong; 4040: there is no such method; 5000: the service failed.
    /// Absent if the request as a whole took too long.
    #[schema(example = 1000, required = false)]
    code: u16,
    /// Whether the caller made the error. Absent if the request as a whole took too long.
    #[schema(example = true, required = false)]
    handled: bool,
}

/// Converts an error to a response in version 2 of the wire format.
pub(super) fn detailed(error: ApiError) -> Response {
    let status = error.status();
    let code = match status {
        // Only unknown methods are answered with this status.
        StatusCode::NOT_FOUND => 4040,
        status if status.is_server_error() => 5000,
        _ => 1000,
    };
    let message = error.message().to_owned();
    error.with_body(&CallErrorBody {
        error: &message,
        code,
        handled: !status.is_server_error(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_has_a_method_and_arguments() {
        let whole = r#"{"name":"get","args":"{\"keys\":\"*\"}","other":[1]}"#;
        for (body, expected) in [
            (whole, (Some("get"), Some(r#"{"keys":"*"}"#))),
            (r#"{"args":{"a": 1}}"#, (None, Some(r#"{"a": 1}"#))),
            (r#"{"args": [ {}, 2]}"#, (None, Some("[ {}, 2]"))),
            (r#"{"args":null}"#, (None, None)),
            (r#"{"args":""}"#, (None, None)),
            ("{}", (None, None)),
            (r#"{"name":5}"#, (None, None)),
            (r#"{"name":5,"args":"{}"}"#, (None, Some("{}"))),
            (r#"{"args":"[1]","args":"{}"}"#, (None, Some("{}"))),
            (r#" {"args":"{}","name":null}"#, (None, Some("{}"))),
        ] {
            let call = Call::parse(body.as_bytes()).unwrap();
            let found = (call.name.as_deref(), call.args.as_deref());
            assert_eq!(found, expected, "{body}");
        }
        let error = |body: &[u8]| Call::parse(body).err().unwrap().message().to_owned();
        for args in ["5", "true", r#""\ud800""#] {
            let error = error(format!(r#"{{"args":{args}}}"#).as_bytes());
            assert_eq!(error, NO_ARGS);
        }
        let others = r#"[] null { {}x get ["get","{}"]"#.split(' ').map(str::as_bytes);
        for body in others.chain([&b""[..], b"\xef\xbb\xbf{}", b"{\"name\":\"\xff\"}"]) {
            assert_eq!(error(body), NO_CALL);
        }
    }
}
