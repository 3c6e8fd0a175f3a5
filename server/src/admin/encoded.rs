//! Any text in a hidden field.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::ApiError;

/// Writes `text` so that a browser sends it back as it was: it would change line ends and drop
/// what HTML cannot hold.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Reads what [`encode`] has written.
///
/// # Errors
///
/// 400 if that was not it.
pub(super) fn decode(text: &str) -> Result<String, ApiError> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::bad_request("the form cannot be read"))
}
