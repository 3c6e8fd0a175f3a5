//! State of the buckets API's handlers.

use jwt_redis_session::{Session, SessionError, Sessions};

use crate::app_state::AppState;
use crate::buckets::api_keys::{ApiKeys, is_key};
use crate::buckets::caller::Caller;
use crate::buckets::name::BucketName;
use crate::buckets::path_session::PathSession;
use crate::buckets::session_ref::SessionRef;
use crate::buckets::sessions::BucketSessions;
use crate::error::ApiError;
use crate::http::Client;
use crate::master_keys::MasterKeys;
use crate::optional::OptionalSession as _;
use crate::start_error::StartError;

/// State of the buckets API's handlers.
pub(super) struct BucketsState {
    pub(super) app: AppState,
    pub(super) keys: ApiKeys,
    pub(super) masters: MasterKeys,
    pub(super) sessions: BucketSessions,
}

/// A session and its name, or 404.
pub(super) type Loaded = Result<(SessionRef, Session), ApiError>;

impl BucketsState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        Ok(Self {
            keys: ApiKeys::new(app)?,
            masters: MasterKeys::new(app),
            sessions: BucketSessions::new(app)?,
            app: app.clone(),
        })
    }

    /// Checks that the caller has the API key of `bucket`.
    ///
    /// # Errors
    ///
    /// 401 if not, or 429 after too many failures; 503 if the store is unavailable.
    pub(super) async fn authorize(
        &self,
        caller: &Caller,
        bucket: &BucketName,
    ) -> Result<(), ApiError> {
        match &caller.key {
            Some(key) if self.keys.check(bucket, key).await? => Ok(()),
            _ => Err(self.reject(caller.client)),
        }
    }

    /// As [`authorize`](Self::authorize), and loads a session in the same round trip.
    ///
    /// # Errors
    ///
    /// The outer error is that of [`authorize`](Self::authorize). The inner one says why there is
    /// no session; a handler with a body reports mistakes in the body first.
    pub(super) async fn authorize_and_load(
        &self,
        caller: &Caller,
        path: PathSession,
    ) -> Result<Loaded, ApiError> {
        let (name, key) = match (path, &caller.key) {
            (PathSession::Session(name), Some(key)) => (name, key),
            (path, _) => {
                self.authorize(caller, path.bucket()).await?;
                return Ok(Err(SessionError::Gone.into()));
            }
        };
        let (keys, key_id) = self.keys.place(&name.bucket);
        let (sessions, id) = self.sessions.place(&name);
        // Loading has no side effects, so it may run before the key is checked.
        let records = [(keys, &key_id), (sessions, &id)];
        let mut loaded = Sessions::get_across(records).await.into_iter();
        let mut next = || loaded.next().unwrap_or(Err(SessionError::Interrupted));
        if !is_key(next(), key)? {
            return Err(self.reject(caller.client));
        }
        let session = next()
            .optional()
            .and_then(|session| session.ok_or(SessionError::Gone));
        Ok(session.map(|session| (name, session)).map_err(Into::into))
    }

    /// Counts a failed authentication. One answer for every cause, so that it reveals none.
    pub(super) fn reject(&self, client: Client) -> ApiError {
        let rejection = ApiError::unauthorized(
            "the API key is missing or wrong",
            "ApiKey realm=\"sessiond\"",
        );
        self.app.failures.failed(client, rejection)
    }
}
