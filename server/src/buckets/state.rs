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

const CHALLENGE: &str = "ApiKey realm=\"sessiond\"";

/// An API key that a caller sent.
struct SentKey<'a> {
    caller: &'a Caller,
    bucket: &'a BucketName,
    hash: KeyHash,
    /// Whether it was a key of the bucket when it was last checked.
    was_right: bool,
}

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
                let problem = "is not a bucket name; use 1 to 64 letters, digits, `_` or `-`";
                return Err(SettingsError::new(setting, problem).into());
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
        let key = caller.key.as_deref().unwrap_or_default();
        let verified = self.masters.verify(key).map(drop);
        let message = "the master key is missing or wrong; send it in the header X-SESSION-KEY";
        let error = ApiError::unauthorized(message, CHALLENGE);
        self.app
            .failures
            .settle(caller.client, key, verified, error)
    }

    /// Checks that the caller has the API key of `bucket`.
    /// Errors: 401 if not, or 429 after too many failures; 503 if the store is unavailable.
    pub(super) async fn authorize(
        &self,
        caller: &Caller,
        bucket: &BucketName,
    ) -> Result<Access, ApiError> {
        let key = self.sent_key(caller, bucket)?;
        self.settle(&key, self.keys.load(bucket).await)
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

    /// As [`authorize`](Self::authorize), and loads a session. If the key was right before, both
    /// take one round trip, or two if a time to live is stored for the bucket. For any other
    /// caller, nothing of the session is read before the key has been checked: neither the load of
    /// the store nor the time may depend on what is stored.
    ///
    /// Errors: the outer error is that of [`authorize`](Self::authorize). The inner one is 404 or
    /// 503.
    pub(super) async fn authorize_and_load(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<(Access, Result<Session, ApiError>), ApiError> {
        let key = self.sent_key(caller, &name.bucket)?;
        if !key.was_right {
            // Boxed, as below: the future of a request is moved until it runs, and this is rare.
            let loaded = Box::pin(self.keys.load(&name.bucket)).await;
            let access = self.settle(&key, loaded)?;
            let session = Box::pin(access.sessions.get_without_touch(&name.id())).await;
            return Ok((access, session.map_err(ApiError::from)));
        }
        let (key_id, id) = (api_keys::id(&name.bucket), name.id());
        // Loading does not refresh the session, so it may run before the key has been checked.
        let expected = self.access(&name.bucket, StoredSettings::default())?;
        let records = [(&self.keys.records, &key_id), (&expected.sessions, &id)];
        let mut loaded = Sessions::get_across(records).await.into_iter();
        let mut next = || loaded.next().unwrap_or(Err(SessionError::Interrupted));
        let access = self.settle(&key, next())?;
        let mut session = next();
        if access.limits.session_ttl != expected.limits.session_ttl {
            // The handle has the time to live of the sessions through which it was loaded.
            session = Box::pin(access.sessions.get_without_touch(&id)).await;
        }
        Ok((access, session.map_err(ApiError::from)))
    }

    /// As [`authorize_and_load`](Self::authorize_and_load), for a request that only reads. With a
    /// local cache, key and session may come from there.
    pub(super) async fn authorize_and_read(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<Result<Session, ApiError>, ApiError> {
        if self.app.settings.store.cache_max_staleness.is_none() {
            let (_, session) = self.authorize_and_load(caller, name).await?;
            return Ok(session);
        }
        // One after the other, because a read of several records is never served by the cache.
        let access = self.authorize(caller, &name.bucket).await?;
        let session = access.sessions.get_without_touch(&name.id()).await;
        Ok(session.map_err(ApiError::from))
    }

    /// Returns the API key that the caller sent, which may be wrong. Does not contact the store.
    /// Errors: 401 if it does not have the format of a key; 429 if the caller is over the limit,
    /// unless the key was right before.
    fn sent_key<'a>(
        &self,
        caller: &'a Caller,
        bucket: &'a BucketName,
    ) -> Result<SentKey<'a>, ApiError> {
        let hash = caller.key.as_deref().and_then(KeyHash::of);
        let hash = hash.ok_or_else(|| self.reject(caller))?;
        // Not per client: a key has 160 random bits and cannot be guessed.
        let was_right = self.app.failures.accepted.contains(&(bucket, &hash));
        if !was_right {
            self.app.failures.check(caller.client)?;
        }
        Ok(SentKey {
            caller,
            bucket,
            hash,
            was_right,
        })
    }

    /// Compares the caller's key with those in the loaded record of the bucket.
    /// Errors: as for [`authorize`](Self::authorize).
    fn settle(
        &self,
        key: &SentKey<'_>,
        loaded: Result<Session, SessionError>,
    ) -> Result<Access, ApiError> {
        let stored = settings_for(loaded, &key.hash)?;
        let (accepted, credential) = (&self.app.failures.accepted, (key.bucket, &key.hash));
        match stored {
            Some(_) if !key.was_right => accepted.insert(&credential),
            None if key.was_right => accepted.remove(&credential),
            _ => {}
        }
        let stored = stored.ok_or_else(|| self.reject(key.caller))?;
        self.access(key.bucket, stored)
    }

    /// Counts a failed authentication. The response is the same for every cause.
    fn reject(&self, caller: &Caller) -> ApiError {
        let message = "the API key is missing or wrong; send the key of this bucket in the header \
                       X-SESSION-KEY";
        let error = ApiError::unauthorized(message, CHALLENGE);
        self.app.failures.failed(caller.client, error)
    }
}
