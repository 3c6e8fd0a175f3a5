//! The wire format of calls and responses, in two versions.

use std::borrow::Cow;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::private_json::private_json;
use crate::rpc::json::{members, string};

/// A call.
#[derive(Debug, Default, ToSchema)]
pub(super) struct Call<'a> {
    /// The method. Ignored if the path contains one.
    #[schema(value_type = String, required = false, example = "create")]
    pub(super) name: Option<Cow<'a, str>>,
    /// The arguments: a string that contains JSON, either an object or a list whose first element
    /// is one. No arguments if absent, null or empty.
    #[schema(value_type = Option<String>,
        example = r#"{"session":{"cart":3},"userId":"jo"}"#)]
    pub(super) args: Option<Cow<'a, str>>,
}

impl<'a> Call<'a> {
    /// Parses the body of a request.
    /// Errors: 400 if it is not a JSON object, or if `args` is not a string.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let body = std::str::from_utf8(body).ok();
        let members = body
            .and_then(members)
            .ok_or_else(|| ApiError::bad_request("the body is not a JSON object"))?;
        Ok(Self {
            name: members.get("name").and_then(|name| string(name)),
            args: members
                .get("args")
                .map_or(Ok(None), |args| parse_args(args))?,
        })
    }
}

fn parse_args(args: &RawValue) -> Result<Option<Cow<'_, str>>, ApiError> {
    if args.get() == "null" {
        return Ok(None);
    }
    let args = string(args)
        .ok_or_else(|| ApiError::bad_request("args is not a string that contains JSON"))?;
    Ok(Some(args).filter(|args| !args.is_empty()))
}

/// The result of a call.
#[derive(Serialize, ToSchema)]
pub(super) struct CallResult {
    /// `create`: `{"token"}`; `get`: the fields, or null if the session has ended; `update` and
    /// `destroy`: `"OK"`; `getActiveSessions`: a list of `{"sessionId", "createdAt", "expiresAt",
    /// "session"}`; `destroyAll`: a number; `methods`: a list of `{"name", "docs"}`.
    #[schema(value_type = serde_json::Value, nullable)]
    result: Box<RawValue>,
}

impl CallResult {
    /// Serializes the result of a method.
    /// Errors: 500 if it cannot be written as JSON.
    pub(super) fn new(result: &impl Serialize) -> Result<Self, ApiError> {
        let result = to_raw_value(result);
        // The error of serde_json may contain data of the session.
        let result = result.map_err(|_| ApiError::internal(&"a result is not JSON"))?;
        Ok(Self { result })
    }
}

/// The version of the wire format.
#[derive(Clone, Copy, Debug)]
pub(super) enum WireVersion {
    /// `POST /rpc {"name", "args"}`; errors are `{"error"}`.
    V1,
    /// `POST /rpc/{method} {"args"}`; errors are `{"error", "code", "handled"}`.
    V2,
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

impl WireVersion {
    /// Converts the result of a call to a response.
    pub(super) fn respond(self, result: Result<CallResult, ApiError>) -> Response {
        let error = match result {
            Ok(result) => return private_json(StatusCode::OK, result),
            Err(error) => error,
        };
        if let Self::V1 = self {
            return error.into_response();
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_has_a_method_and_arguments_as_text() {
        let whole = r#"{"name":"get","args":"{\"keys\":\"*\"}","other":[1]}"#;
        for (body, expected) in [
            (whole, (Some("get"), Some(r#"{"keys":"*"}"#))),
            (r#"{"args":null}"#, (None, None)),
            (r#"{"args":""}"#, (None, None)),
            ("{}", (None, None)),
            (r#"{"name":5}"#, (None, None)),
        ] {
            let call = Call::parse(body.as_bytes()).unwrap();
            let found = (call.name.as_deref(), call.args.as_deref());
            assert_eq!(found, expected, "{body}");
        }
        let error = |body: &[u8]| Call::parse(body).unwrap_err().message().to_owned();
        for args in ["{}", "[]", "5", "true"] {
            let error = error(format!(r#"{{"args":{args}}}"#).as_bytes());
            assert_eq!(error, "args is not a string that contains JSON");
        }
        let others = r#"[] null { {}x get ["get","{}"]"#.split(' ').map(str::as_bytes);
        for body in others.chain([&b""[..], b"\xef\xbb\xbf{}", b"{\"name\":\"\xff\"}"]) {
            assert_eq!(error(body), "the body is not a JSON object");
        }
    }
}
