//! What a form sends.

use std::borrow::Cow;

use axum::body::Body;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::error::ApiError;
use crate::http::read_body;
use crate::shared::Shared;

/// The largest form, in bytes: an owner of 512 bytes, each escaped, and more than enough.
const MAX_FORM: usize = 16 << 10;

/// The fields of a form (`application/x-www-form-urlencoded`), wiped when dropped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    ///
    /// 408, 413, 400.
    pub(super) async fn read(shared: &Shared, body: Body) -> Result<Self, ApiError> {
        let body = read_body(body, MAX_FORM, shared.body_timeout()).await?;
        Self::parse(&body).ok_or_else(|| ApiError::bad_request("the form cannot be read"))
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, Zeroizing::new(decode(value)?)))
        });
        fields.collect::<Option<_>>().map(Self)
    }

    /// The field `name`.
    ///
    /// # Errors
    ///
    /// 400 unless it is there once.
    pub(super) fn field(&self, name: &'static str) -> Result<&str, ApiError> {
        let mut fields = self.0.iter().filter(|(other, _)| other == name);
        match (fields.next(), fields.next()) {
            (Some((_, value)), None) => Ok(value),
            _ => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                format!("the form must have one field `{name}`"),
            )),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text)
        .decode_utf8()
        .map(Cow::into_owned)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(body: &str) -> Option<String> {
        let form = Form::parse(body.as_bytes())?;
        form.field("a").ok().map(str::to_owned)
    }

    #[test]
    fn a_field_is_read_if_it_is_there_once() {
        assert_eq!(field("a=b").as_deref(), Some("b"));
        assert_eq!(field("x=y&a=%C3%B6+%2B%26%3D&z").as_deref(), Some("ö +&="));
        assert_eq!(field("%61=b=c").as_deref(), Some("b=c"));
        assert_eq!(field("a").as_deref(), Some(""));
        assert_eq!(field("a=%zz").as_deref(), Some("%zz"));
        assert_eq!(field("a=b&a=b"), None);
        assert_eq!(field(""), None);
        assert_eq!(field("a=%FF"), None);
        assert!(Form::parse(b"a=\xff").is_none());
    }
}
