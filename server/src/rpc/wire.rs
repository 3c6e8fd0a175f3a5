//! The format of a call in a request.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::error::CallError;
use crate::rpc::object::{Malformed, each_member, kind, text};
use crate::rpc::reply::Reply;

/// How a call is written: the older way or the newer one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WireVersion {
    /// `POST /rpc {"name", "args"}`; errors are `{"error"}`.
    V1,
    /// `POST /rpc/{method} {"args"}`; errors are `{"error", "code", "handled"}`.
    V2,
}

/// Call in the body of a request.
#[derive(Debug, Default)]
pub(crate) struct Call<'a> {
    /// The method, which only the first generation reads here.
    pub(crate) name: Option<Cow<'a, str>>,
    /// A JSON text; `None` if there are no arguments.
    pub(crate) args: Option<Cow<'a, str>>,
}

impl<'a> Call<'a> {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// 400 if it is not a JSON object, or if `args` in it is no text.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let not_an_object = || ApiError::bad_request("the body is not a JSON object");
        let body = std::str::from_utf8(body).map_err(|_| not_an_object())?;
        let (mut name, mut args) = (None, None);
        let read = each_member(body, |member, value| match &*member {
            "name" => name = Some(value),
            "args" => args = Some(value),
            _ => {}
        });
        read.map_err(|Malformed| not_an_object())?;
        Ok(Self {
            name: name.filter(is_string).and_then(text),
            args: args.map_or(Ok(None), read_args)?,
        })
    }
}

fn is_string(value: &&RawValue) -> bool {
    kind(value.get()) == Some(b'"')
}

fn read_args(args: &RawValue) -> Result<Option<Cow<'_, str>>, ApiError> {
    if args.get() == "null" {
        return Ok(None);
    }
    let args = Some(args).filter(is_string).and_then(text);
    let args = args.ok_or_else(|| ApiError::bad_request("args is not a text that holds JSON"))?;
    Ok(Some(args).filter(|args| !args.is_empty()))
}

/// The body of an error of the second generation.
#[derive(Serialize)]
struct Detailed<'a> {
    error: &'a str,
    code: u16,
    handled: bool,
}

impl WireVersion {
    /// Writes the answer.
    pub(crate) fn answer(self, result: Result<Reply, CallError>) -> Response {
        match result {
            Ok(reply) => reply.into_response(),
            Err(error) => self.refuse(error),
        }
    }

    fn refuse(self, CallError { error, code }: CallError) -> Response {
        let Self::V2 = self else {
            return error.into_response();
        };
        let message = error.message().to_owned();
        error.with_body(&Detailed {
            error: &message,
            code: code.number(),
            handled: code.is_handled(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: &str) -> Result<(Option<String>, Option<String>), String> {
        match Call::parse(body.as_bytes()) {
            Ok(call) => Ok((
                call.name.map(Cow::into_owned),
                call.args.map(Cow::into_owned),
            )),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    #[test]
    fn a_call_has_a_name_and_a_text_of_arguments() {
        let some = |text: &str| Some(text.to_owned());
        let whole = r#"{"name":"get","args":"{\"keys\":\"*\"}","other":[1]}"#;
        assert_eq!(call(whole), Ok((some("get"), some(r#"{"keys":"*"}"#))));
        for none in [r#"{"args":null}"#, r#"{"args":""}"#, "{}", r#"{"name":5}"#] {
            assert_eq!(call(none), Ok((None, None)), "{none}");
        }
        for args in ["{}", "[]", "5", "true"] {
            let error = call(&format!(r#"{{"args":{args}}}"#)).unwrap_err();
            assert_eq!(error, "args is not a text that holds JSON");
        }
        for bad in ["", "[]", "null", "{", "get", r#"["get","{}"]"#] {
            assert_eq!(call(bad).unwrap_err(), "the body is not a JSON object");
        }
        assert!(Call::parse(b"{\"name\":\"\xff\"}").is_err());
    }
}
