//! The name of a bucket.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::error::ApiError;

/// The name that no bucket can have: `/session/settings` is a page of its own.
const RESERVED: &str = "settings";

/// The longest name.
const MOST: usize = 64;

/// The name of a bucket: 1 to 64 of `A-Z a-z 0-9 _ -`, but not `settings`.
///
/// So it can stand in a key of the store without leaving its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketName(Box<str>);

impl BucketName {
    /// Accepts `name` if a bucket can have it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let good = (1..=MOST).contains(&name.len()) && name.bytes().all(legal) && name != RESERVED;
        good.then(|| Self(name.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The bucket in the path of a request.
    pub(super) fn in_path(params: &RawPathParams) -> Result<Self, ApiError> {
        param(params, "bucket")
            .and_then(Self::parse)
            .ok_or_else(|| {
                ApiError::bad_request(
                    "a bucket's name is 1 to 64 letters, digits, `_` or `-`, and not `settings`",
                )
            })
    }
}

/// What stands in the path for `{name}`, percent-decoded.
pub(super) fn param<'a>(params: &'a RawPathParams, name: &str) -> Option<&'a str> {
    let mut params = params.iter();
    params.find_map(|(key, value)| (key == name).then_some(value))
}

/// The parameters of the path of a request.
///
/// # Errors
///
/// 400 if one is not UTF-8.
pub(super) async fn params<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::bad_request("the path is not UTF-8"))
}

impl<S: Send + Sync> FromRequestParts<S> for BucketName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Self::in_path(&params(parts, state).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r40_names_are_of_few_characters() {
        let longest = "a".repeat(MOST);
        for good in ["a", "settings2", "Settings", "my_bucket-1", "-", &longest] {
            assert!(BucketName::parse(good).is_some(), "{good}");
        }
        let too_long = "a".repeat(MOST + 1);
        for bad in [
            "", "settings", "a/b", "a:b", "a b", "a\0", "..", "ä", "a\r\n", &too_long,
        ] {
            assert!(BucketName::parse(bad).is_none(), "{bad}");
        }
    }
}
