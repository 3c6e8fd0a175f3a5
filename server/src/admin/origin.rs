//! Where a request was made.

use http::{HeaderMap, StatusCode};

use crate::error::ApiError;

/// Refuses what another site made the browser send. A browser that does not tell is stopped by
/// `SameSite` and by the token of the form.
///
/// # Errors
///
/// 403.
pub(super) fn check(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if sites.all(|site| site == "same-origin" || site == "none") {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "another site sent this request",
    ))
}
