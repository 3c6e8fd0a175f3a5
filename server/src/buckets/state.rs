//! State of the buckets API's handlers.

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{Session, SessionError, Sessions};

use crate::app_state::AppState;
use crate::buckets::api_key::KeyHash;
use crate::buckets::api_keys::{self, ApiKeys, is_key};
use crate::buckets::caller::Caller;
use crate::buckets::names::{BucketName, SessionRef};
use crate::buckets::sessions::sessions;
use crate::error::ApiError;
use crate::master_keys::MasterKeys;

pub(super) struct BucketsState {
    pub(super) app: AppState,
    pub(super) keys: ApiKeys,
    pub(super) sessions: Sessions,
    masters: MasterKeys,
}

impl BucketsState {
    pub(super) fn new(app: &AppState) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: ApiKeys::new(app)?,
            masters: MasterKeys::new(app),
            sessions: sessions(app)?,
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
            Some(key) if is_key(self.keys.load(bucket).await, &key)? => Ok(()),
            _ => Err(self.reject(caller)),
        }
    }

    /// As [`authorize`](Self::authorize), and loads a session in the same round trip.
    /// Errors: the outer error is that of [`authorize`](Self::authorize). The inner one is 404 or
    /// 503.
    pub(super) async fn authorize_and_load(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<Result<Session, ApiError>, ApiError> {
        let Some(key) = hash(caller) else {
            return Err(self.reject(caller));
        };
        let (key_id, id) = (api_keys::id(&name.bucket), name.id());
        // Loading does not refresh the session, so it may run before the key has been checked.
        let records = [(&self.keys.records, &key_id), (&self.sessions, &id)];
        let mut loaded = Sessions::get_across(records).await.into_iter();
        let mut next = || loaded.next().unwrap_or(Err(SessionError::Interrupted));
        if !is_key(next(), &key)? {
            return Err(self.reject(caller));
        }
        Ok(next().map_err(ApiError::from))
    }

    /// As [`authorize_and_load`](Self::authorize_and_load), for a request that only reads. With a
    /// local cache, key and session may come from there.
    pub(super) async fn authorize_and_read(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<Result<Session, ApiError>, ApiError> {
        if self.app.settings.store.cache_max_staleness.is_none() {
            return self.authorize_and_load(caller, name).await;
        }
        // One after the other, because a read of several records is never served by the cache.
        self.authorize(caller, &name.bucket).await?;
        let session = self.sessions.get_without_touch(&name.id()).await;
        Ok(session.map_err(ApiError::from))
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
