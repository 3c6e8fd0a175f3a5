//! The sessions of all buckets.

use jwt_redis_session::{Session, SessionError, SessionId, Sessions};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::app_state::AppState;
use crate::buckets::etag::IfMatch;
use crate::buckets::session_ref::SessionRef;
use crate::lookup::found;
use crate::retry_limit::RetryLimit;
use crate::start_error::StartError;

/// The field of the record that holds the data.
const DATA: &str = "data";

/// How much larger a text can become when it is written as JSON (`\u0001`).
const ESCAPED: usize = 6;

/// What the core adds to a record, at most.
const OVERHEAD: usize = 1024;

/// The sessions of all buckets; clones share everything.
///
/// They are records of the core: `{"data": …}` under `{bucket}-{uuid}`, without an owner. What
/// keeps buckets apart is that the name of the bucket is a part of the id.
#[derive(Clone, Debug)]
pub(crate) struct BucketSessions(Sessions);

/// Why the data was not replaced.
#[derive(Debug)]
pub(super) enum NotReplaced {
    /// The data is not what the client has seen.
    Changed,
    Failed(SessionError),
}

impl BucketSessions {
    pub(crate) fn new(app: &AppState) -> Result<Self, StartError> {
        let settings = &app.settings.buckets;
        let max_size = settings.max_payload.saturating_mul(ESCAPED);
        // The core needs a key ring; the tokens it issues are thrown away.
        let sessions = app
            .sessions("bucket", app.keyring()?, settings.session_ttl)
            .max_size(max_size.saturating_add(OVERHEAD))
            .build()?;
        Ok(Self(sessions))
    }

    /// Creates the session `name`.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    pub(super) async fn create(
        &self,
        name: &SessionRef,
        data: &RawValue,
    ) -> Result<Session, SessionError> {
        let session = self.0.new_session();
        session.insert(DATA, data)?;
        session
            .create_as(name.id(), Map::<String, Value>::new())
            .await?;
        Ok(session)
    }

    /// Looks at a session without using it: its end stays where it is.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]; [`SessionError::Rejected`] if the record is corrupt.
    pub(crate) async fn look(&self, name: &SessionRef) -> Result<Option<Session>, SessionError> {
        found(self.0.get_without_touch(&name.id()).await)
    }

    /// Where a session is, to be looked up along with others.
    pub(super) fn place(&self, name: &SessionRef) -> (&Sessions, SessionId) {
        (&self.0, name.id())
    }

    /// Ends a session and tells whether there was one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: it may still live.
    pub(crate) async fn end(&self, name: &SessionRef) -> Result<bool, SessionError> {
        self.0.destroy(&name.id()).await
    }
}

/// The data of a session, to the letter as it was sent.
///
/// # Errors
///
/// [`SessionError::Decode`] if the record has none, which is not a bucket's then.
pub(crate) fn data(session: &Session) -> Result<Box<RawValue>, SessionError> {
    let missing = || SessionError::Decode {
        key: DATA.to_owned(),
    };
    session.get_raw(DATA).ok_or_else(missing)
}

/// Replaces the data of a session in one atomic step, if it is as the client wants it to be.
///
/// # Errors
///
/// [`NotReplaced::Changed`] if it is not; [`NotReplaced::Failed`] as
/// [`Session::update_with`] does.
pub(super) async fn replace(
    session: &Session,
    data: &RawValue,
    wanted: &IfMatch,
) -> Result<(), NotReplaced> {
    let mut retries = RetryLimit::new();
    loop {
        match try_to_replace(session, data, wanted).await {
            Err(NotReplaced::Failed(SessionError::Conflict)) if retries.another() => {}
            done => return done,
        }
    }
}

/// One round of [`replace`].
async fn try_to_replace(
    session: &Session,
    data: &RawValue,
    wanted: &IfMatch,
) -> Result<(), NotReplaced> {
    let mut changed = false;
    let replaced = session
        .update_with(|stored| {
            changed = !wanted.allows(stored.get_raw(DATA));
            if changed {
                return Err(SessionError::Conflict);
            }
            stored.insert(DATA, data)
        })
        .await;
    match replaced {
        Err(_) if changed => Err(NotReplaced::Changed),
        other => other.map_err(NotReplaced::Failed),
    }
}
