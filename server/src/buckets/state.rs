//! State of the buckets API's handlers.

use jwt_redis_session::{Session, SessionError, Sessions};

use crate::app_state::AppState;
use crate::buckets::api_key::KeyHash;
use crate::buckets::api_keys::{ApiKeys, is_key};
use crate::buckets::caller::Caller;
use crate::buckets::names::{BucketName, PathSession, SessionRef};
use crate::buckets::sessions::BucketSessions;
use crate::error::ApiError;
use crate::master_keys::MasterKeys;
use crate::optional::optional;
use crate::start_error::StartError;

pub(super) struct BucketsState {
    pub(super) app: AppState,
    pub(super) keys: ApiKeys,
    pub(super) sessions: BucketSessions,
    masters: MasterKeys,
}

/// A session and its name, or the reason why it could not be loaded.
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

    /// Checks that the caller has a master key.
    /// Errors: 401 if not, or 429 after too many failures.
    pub(super) fn authorize_master(&self, caller: &Caller) -> Result<(), ApiError> {
        match &caller.key {
            Some(key) if self.masters.verify(key).is_some() => Ok(()),
            _ => Err(self.reject(caller)),
        }
    }

    /// Checks that the caller has the API key of `bucket`.
    /// Errors: 401 if not, or 429 after too many failures; 503 if the store is unavailable.
    pub(super) async fn authorize(
        &self,
        caller: &Caller,
        bucket: &BucketName,
    ) -> Result<(), ApiError> {
        match hash(caller) {
            Some(key) if self.keys.check(bucket, &key).await? => Ok(()),
            _ => Err(self.reject(caller)),
        }
    }

    /// As [`authorize`](Self::authorize), and loads a session in the same round trip.
    /// Errors: the outer error is that of [`authorize`](Self::authorize). The inner one is 404 or
    /// 503.
    pub(super) async fn authorize_and_load(
        &self,
        caller: &Caller,
        path: PathSession,
    ) -> Result<Loaded, ApiError> {
        let (name, key) = match (path, hash(caller)) {
            (PathSession::Session(name), Some(key)) => (name, key),
            (path, _) => {
                self.authorize(caller, path.bucket()).await?;
                return Ok(Err(SessionError::Gone.into()));
            }
        };
        let (keys, key_id) = self.keys.record(&name.bucket);
        let (sessions, id) = self.sessions.record(&name);
        // Loading does not refresh the session, so it may run before the key has been checked.
        let records = [(keys, &key_id), (sessions, &id)];
        let mut loaded = Sessions::get_across(records).await.into_iter();
        let mut next = || loaded.next().unwrap_or(Err(SessionError::Interrupted));
        if !is_key(next(), &key)? {
            return Err(self.reject(caller));
        }
        let session = optional(next()).and_then(|session| session.ok_or(SessionError::Gone));
        Ok(session.map(|session| (name, session)).map_err(Into::into))
    }

    /// Counts a failed authentication. The response is the same for every cause.
    fn reject(&self, caller: &Caller) -> ApiError {
        let error = ApiError::unauthorized(
            "the API key is missing or wrong",
            "ApiKey realm=\"sessiond\"",
        );
        self.app.failures.failed(caller.client, error)
    }
}

/// Returns the hash of the caller's key, or `None` if it does not have the format of an API key.
fn hash(caller: &Caller) -> Option<KeyHash> {
    KeyHash::of(caller.key.as_deref()?)
}
