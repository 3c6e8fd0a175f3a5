//! State of the buckets API's handlers.

use jwt_redis_session::{Session, SessionError, Sessions};

use crate::app_state::AppState;
use crate::buckets::api_key::KeyHash;
use crate::buckets::api_keys::{self, ApiKeys, settings_for};
use crate::buckets::bucket_settings::{Limits, StoredSettings};
use crate::buckets::caller::Caller;
use crate::buckets::names::{BucketName, SessionRef};
use crate::buckets::sessions::{sessions, sessions_with};
use crate::error::ApiError;
use crate::master_keys::MasterKeys;
use crate::settings::SettingsError;
use crate::start_error::StartError;

pub(super) struct BucketsState {
    pub(super) app: AppState,
    pub(super) keys: ApiKeys,
    pub(super) sessions: Sessions,
    masters: MasterKeys,
}

/// What the caller of a bucket may use.
pub(super) struct Access {
    /// The sessions of the bucket, with its time to live.
    pub(super) sessions: Sessions,
    pub(super) limits: Limits,
}

impl BucketsState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        for bucket in app.settings.buckets.overrides.keys() {
            if BucketName::parse(bucket).is_none() {
                let setting = format!("buckets.overrides.{bucket}");
                return Err(SettingsError::new(setting, "is not the name of a bucket").into());
            }
        }
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
    ) -> Result<Access, ApiError> {
        let Some(key) = hash(caller) else {
            return Err(self.reject(caller));
        };
        match settings_for(self.keys.load(bucket).await, &key)? {
            Some(stored) => self.access(bucket, stored),
            None => Err(self.reject(caller)),
        }
    }

    /// Returns the sessions of a bucket, with the settings that apply to it.
    fn access(&self, bucket: &BucketName, stored: StoredSettings) -> Result<Access, ApiError> {
        let settings = &self.app.settings.buckets;
        let limits = Limits::of(settings, bucket, stored);
        let sessions = if limits.session_ttl == settings.session_ttl {
            self.sessions.clone()
        } else {
            let sessions = sessions_with(&self.app, limits.session_ttl);
            sessions.map_err(|error| ApiError::internal(&error))?
        };
        Ok(Access { sessions, limits })
    }

    /// As [`authorize`](Self::authorize), and loads a session in the same round trip, or in a second
    /// one if a time to live is stored for the bucket.
    /// Errors: the outer error is that of [`authorize`](Self::authorize). The inner one is 404 or
    /// 503.
    pub(super) async fn authorize_and_load(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<(Access, Result<Session, ApiError>), ApiError> {
        let Some(key) = hash(caller) else {
            return Err(self.reject(caller));
        };
        let (key_id, id) = (api_keys::id(&name.bucket), name.id());
        // Loading does not refresh the session, so it may run before the key has been checked.
        let expected = self.access(&name.bucket, StoredSettings::default())?;
        let records = [(&self.keys.records, &key_id), (&expected.sessions, &id)];
        let mut loaded = Sessions::get_across(records).await.into_iter();
        let mut next = || loaded.next().unwrap_or(Err(SessionError::Interrupted));
        let Some(stored) = settings_for(next(), &key)? else {
            return Err(self.reject(caller));
        };
        let access = self.access(&name.bucket, stored)?;
        let mut session = next();
        if access.limits.session_ttl != expected.limits.session_ttl {
            // The handle has the time to live of the sessions through which it was loaded.
            session = access.sessions.get_without_touch(&id).await;
        }
        Ok((access, session.map_err(ApiError::from)))
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
