//! Form bodies of the admin page.
//!
//! `axum::Form` reads into a struct, from a body without a time limit, and does not erase it. Here
//! the values are secrets.

use axum::body::Body;
use http::StatusCode;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::read_body;

/// The largest form, in bytes; an owner takes up to 3 × 512.
const MAX_FORM: usize = 16 << 10;

/// The fields of a form (`application/x-www-form-urlencoded`), erased when dropped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    ///
    /// 408, 413, 400.
    pub(super) async fn read(app: &AppState, body: Body) -> Result<Self, ApiError> {
        let body = read_body(body, MAX_FORM, app.body_timeout()).await?;
        Self::parse(&body).ok_or_else(|| ApiError::bad_request("the form cannot be read"))
    }

    fn parse(body: &[u8]) -> Option<Self> {
        // `form_urlencoded` would replace what is not UTF-8.
        let decoded: Zeroizing<Vec<u8>> = Zeroizing::new(percent_decode(body).collect());
        std::str::from_utf8(&decoded).ok()?;
        let fields = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())));
        Some(Self(fields.collect()))
    }

    /// Returns the field `name`.
    ///
    /// # Errors
    ///
    /// 400 unless the form has exactly one such field.
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
