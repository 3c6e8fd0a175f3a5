//! The sessions of all buckets.

use std::time::Duration;

use http::StatusCode;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{Session, SessionError, Sessions};
use serde_json::value::RawValue;

use crate::app_state::AppState;
use crate::buckets::etag::IfMatch;
use crate::error::ApiError;
use crate::retry::retry_conflicts;

/// The field of the record that holds the data.
pub(super) const DATA: &str = "data";

/// The factor by which a text can grow when it is encoded as JSON (`\u0001`).
const ESCAPED: usize = 6;

/// The largest size of what the library adds to a record.
const OVERHEAD: usize = 1024;

/// Builds the sessions of all buckets: records `{"data": …}` with the id `{bucket}-{uuid}`, without
/// an owner and without a token. The bucket in the id keeps buckets apart.
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, ConfigError> {
    sessions_with(app, app.settings.buckets.session_ttl)
}

/// As [`sessions`], with another time to live.
pub(super) fn sessions_with(app: &AppState, ttl: Duration) -> Result<Sessions, ConfigError> {
    let settings = &app.settings.buckets;
    let overrides = settings.overrides.values().filter_map(|it| it.max_payload);
    let max_payload = overrides.fold(settings.max_payload, usize::max);
    let max_size = max_payload.saturating_mul(ESCAPED);
    app.sessions("bucket", None, ttl)
        .max_size(max_size.saturating_add(OVERHEAD))
        .build()
}

/// Returns the data of a session, exactly as it was sent.
/// Errors: [`SessionError::Decode`] if the record has no data.
pub(crate) fn data(session: &Session) -> Result<String, SessionError> {
    let missing = || SessionError::missing_field(DATA);
    session.get_text(DATA).ok_or_else(missing)
}

/// Replaces the data of a session in one atomic step.
/// Errors: 412 if the precondition does not hold; otherwise those of [`Session::update_with`].
pub(super) async fn replace(
    session: &Session,
    data: &RawValue,
    if_match: &IfMatch,
) -> Result<(), ApiError> {
    retry_conflicts(|| {
        // The closure runs again for each attempt, so the precondition holds for the version that
        // is overwritten.
        session.update_with(|stored| {
            if if_match.allows(stored.get_text(DATA)) {
                return Ok(stored.insert(DATA, data)?);
            }
            Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "If-Match does not contain the current version, so the session was not changed; \
                 read it again and send its ETag",
            ))
        })
    })
    .await
}
