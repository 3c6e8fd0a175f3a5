//! The sessions of all buckets.

use http::StatusCode;
use jwt_redis_session::{Session, SessionError, SessionId, Sessions};
use serde_json::value::RawValue;

use crate::app_state::AppState;
use crate::buckets::etag::IfMatch;
use crate::buckets::names::SessionRef;
use crate::error::ApiError;
use crate::optional::optional;
use crate::retry::retry_conflicts;
use crate::start_error::StartError;

/// The field of the record that holds the data.
const DATA: &str = "data";

/// The factor by which a text can grow when it is encoded as JSON (`\u0001`).
const ESCAPED: usize = 6;

/// The largest size of what the library adds to a record.
const OVERHEAD: usize = 1024;

/// Records `{"data": …}` with the id `{bucket}-{uuid}`, without an owner and without a token. The
/// bucket in the id keeps buckets apart.
#[derive(Clone, Debug)]
pub(crate) struct BucketSessions(Sessions);

impl BucketSessions {
    pub(crate) fn new(app: &AppState) -> Result<Self, StartError> {
        let settings = &app.settings.buckets;
        let max_size = settings.max_payload.saturating_mul(ESCAPED);
        let sessions = app
            .sessions("bucket", None, settings.session_ttl)
            .max_size(max_size.saturating_add(OVERHEAD))
            .build()?;
        Ok(Self(sessions))
    }

    /// Creates the session `name`.
    pub(super) async fn create(
        &self,
        name: &SessionRef,
        data: &RawValue,
    ) -> Result<Session, SessionError> {
        let session = self.0.new_session();
        session.insert(DATA, data)?;
        session.create().id(name.id()).without_token().await?;
        Ok(session)
    }

    /// Loads a session without refreshing its TTL.
    /// Errors: [`SessionError::Unavailable`]; [`SessionError::Rejected`] if the record is corrupt.
    pub(crate) async fn get_without_touch(
        &self,
        name: &SessionRef,
    ) -> Result<Option<Session>, SessionError> {
        optional(self.0.get_without_touch(&name.id()).await)
    }

    /// Returns the sessions and the id of `name`, to load it together with other records.
    pub(super) fn record(&self, name: &SessionRef) -> (&Sessions, SessionId) {
        (&self.0, name.id())
    }

    /// Ends a session and returns whether it existed.
    /// Errors: [`SessionError::Unavailable`]: it may still exist.
    pub(crate) async fn end(&self, name: &SessionRef) -> Result<bool, SessionError> {
        self.0.destroy(&name.id()).await
    }
}

/// Returns the data of a session, exactly as it was sent.
/// Errors: [`SessionError::Decode`] if the record has no data.
pub(crate) fn data(session: &Session) -> Result<Box<RawValue>, SessionError> {
    let missing = || SessionError::missing_field(DATA);
    session.get_raw(DATA).ok_or_else(missing)
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
            if if_match.allows(stored.get_raw(DATA)) {
                return Ok(stored.insert(DATA, data)?);
            }
            Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "If-Match does not contain the current version; the session was not changed",
            ))
        })
    })
    .await
}
