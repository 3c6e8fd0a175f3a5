//! The API keys of all buckets.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{Session, SessionError, SessionId, Sessions, TokenRejection};

use crate::app_state::AppState;
use crate::buckets::api_key::{self, KeyHash};
use crate::buckets::names::BucketName;
use crate::crypto;
use crate::error::ApiError;
use crate::optional::optional;
use crate::secret::Secret;

/// The lifetime of a key: the longest that the library allows.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The keyspace of all records.
const KEYSPACE: &str = "api-key";

/// The owner of all records, so that they can be listed.
const OWNER: &str = "buckets";

/// The prefix of a record's id. Ids have at least 16 characters, bucket names at least one.
const ID_PREFIX: &str = "bucket-api-key--";

/// A key is stored as a session without a token. The library then guarantees that exactly one of
/// several concurrent creations succeeds, that a deleted key is invalid on every instance, and an
/// owner index to list all keys.
///
/// A record holds a nonce and the hash of the key derived from it, never the key: the contents of
/// the store open no bucket.
#[derive(Clone)]
pub(crate) struct ApiKeys {
    pub(super) records: Sessions,
    app: AppState,
}

/// A bucket that has a key, and when the key was created.
pub(crate) type KeyedBucket = (BucketName, Option<SystemTime>);

impl ApiKeys {
    pub(crate) fn new(app: &AppState) -> Result<Self, ConfigError> {
        Ok(Self {
            records: app.sessions(KEYSPACE, None, FOREVER).build()?,
            app: app.clone(),
        })
    }

    /// Creates a key for `bucket`. Exactly one of several concurrent calls succeeds.
    /// Errors: [`SessionError::Taken`] if the bucket has a key already.
    pub(crate) async fn create(&self, bucket: &BucketName) -> Result<Secret, SessionError> {
        // Without a nonce, a new key would equal the deleted one.
        let nonce = format!("{:032x}", crypto::random_128());
        let key = api_key::derive(&self.app.secrets[0], bucket, &nonce);
        let record = self.records.new_session();
        record.insert("nonce", nonce)?;
        record.insert("hash", KeyHash::of(key.expose().as_bytes()))?;
        record.set_owner(OWNER)?;
        record.create().id(id(bucket)).without_token().await?;
        Ok(key)
    }

    /// Returns the key of `bucket`, or `None` if it has none.
    /// Errors: 409 if the key works, but the secret that it was derived from is no longer
    /// configured; 503; 500 if the record is corrupt.
    pub(super) async fn current(&self, bucket: &BucketName) -> Result<Option<Secret>, ApiError> {
        let Some(record) = optional(self.load(bucket).await)? else {
            return Ok(None);
        };
        let nonce: String = record.get("nonce")?.unwrap_or_default();
        let hash = hash(&record)?;
        let known = self.app.secrets.iter().find_map(|secret| {
            let key = api_key::derive(secret, bucket, &nonce);
            let derived = KeyHash::of(key.expose().as_bytes())?;
            hash.equals(&derived).then_some(key)
        });
        if known.is_none() {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                "the key is valid but cannot be returned, because the secret that it was derived \
                 from is no longer configured; to replace the key, send DELETE and PUT",
            ));
        }
        Ok(known)
    }

    /// Deletes the key of `bucket` and returns whether there was one; then every instance rejects
    /// it. Runs to completion even if the caller is dropped.
    /// Errors: [`SessionError::Unavailable`]: the key may still be valid.
    pub(crate) async fn revoke(&self, bucket: &BucketName) -> Result<bool, SessionError> {
        let (keys, id) = (self.clone(), id(bucket));
        let revoked = tokio::spawn(async move {
            let revoked = match keys.records.destroy(&id).await {
                // The library leaves data of another type alone. Here it would block the bucket.
                Err(SessionError::Corrupt | SessionError::Rejected(TokenRejection::Corrupt)) => {
                    let key = keys.app.keyspace(KEYSPACE) + id.as_str();
                    keys.app.store.delete(&key).await?
                }
                revoked => revoked?,
            };
            // If a key was created concurrently, the deletion may have removed its entry from the
            // owner index. If the store fails here, that key works but is not listed until the
            // next deletion.
            if let Ok(newer) = keys.records.get_without_touch(&id).await {
                let _ = newer.touch().await;
            }
            Ok(revoked)
        });
        revoked.await.unwrap_or(Err(SessionError::Interrupted))
    }

    /// Loads the record of the key of `bucket`. Cached only with `store.cache_max_staleness`, so
    /// that without it a deleted key is rejected immediately.
    pub(super) async fn load(&self, bucket: &BucketName) -> Result<Session, SessionError> {
        self.records.get_without_touch(&id(bucket)).await
    }

    /// Lists the buckets with a key, by name.
    pub(crate) async fn list(&self) -> Result<Vec<KeyedBucket>, SessionError> {
        let entries = self.records.list(OWNER).await?;
        let keyed = entries.iter().filter_map(|entry| {
            let name = entry.id().as_str().strip_prefix(ID_PREFIX)?;
            Some((BucketName::parse(name)?, entry.created_at()))
        });
        let mut buckets: Vec<_> = keyed.collect();
        buckets.sort_unstable();
        Ok(buckets)
    }
}

/// Returns whether the loaded record is that of `key`.
/// Errors: [`SessionError::Unavailable`]; [`SessionError::Rejected`] or [`SessionError::Decode`] if
/// the record is corrupt.
pub(super) fn is_key(
    loaded: Result<Session, SessionError>,
    key: &KeyHash,
) -> Result<bool, SessionError> {
    match optional(loaded)? {
        Some(record) => Ok(hash(&record)?.equals(key)),
        None => Ok(false),
    }
}

fn hash(record: &Session) -> Result<KeyHash, SessionError> {
    let missing = || SessionError::missing_field("hash");
    record.get("hash")?.ok_or_else(missing)
}

/// Returns the id of the record of the key of `bucket`.
pub(super) fn id(bucket: &BucketName) -> SessionId {
    SessionId::parse([ID_PREFIX, bucket.as_str()].concat())
        .expect("bucket names consist of characters of ids")
}

#[cfg(test)]
mod tests {
    use std::hash::Hash;

    use jwt_redis_session::MemoryStore;
    use jwt_redis_session::store::{NewRecord, SharedStore, Store as _, StoreError};
    use jwt_redis_session::testing::{Hook, Hooked, Step};

    use super::*;
    use crate::settings::Settings;

    /// Hook that creates the key of a bucket again before an index entry is removed.
    struct CreateAgain(ApiKeys, BucketName);

    impl Hook for CreateAgain {
        async fn around<T: Hash + Send>(
            &self,
            step: Step,
            call: impl Future<Output = Result<T, StoreError>> + Send,
        ) -> Result<T, StoreError> {
            if step == Step::IndexRemove {
                self.0.create(&self.1).await.unwrap();
            }
            call.await
        }
    }

    #[tokio::test]
    async fn key_created_during_deletion_is_listed() {
        let on = |store: SharedStore| {
            let app = AppState::with_store(Settings::default(), store);
            ApiKeys::new(&app).unwrap()
        };
        let memory = MemoryStore::new();
        let keys = on(memory.clone().into());
        let [bucket, other] = ["a", "b"].map(|name| BucketName::parse(name).unwrap());
        keys.create(&other).await.unwrap();
        // As if it had been created first: the library lists sessions by age.
        let key = keys.app.keyspace(KEYSPACE) + id(&other).as_str();
        let held = memory.load(&key).await.unwrap().unwrap().value;
        let mut older: serde_json::Value = serde_json::from_slice(&held).unwrap();
        older["_jrs"][0] = 1.into();
        let older = older.to_string();
        let record = NewRecord::new(&key, older.as_bytes(), FOREVER);
        memory.compare_and_set(&held, record).await.unwrap();
        keys.create(&bucket).await.unwrap();
        let hook = CreateAgain(keys.clone(), bucket.clone());
        let deleting = on(Hooked::new(memory, hook).into());
        assert!(deleting.revoke(&bucket).await.unwrap());
        let listed = keys.list().await.unwrap().into_iter();
        let listed: Vec<_> = listed.map(|(bucket, _)| bucket).collect();
        assert_eq!(listed, [bucket, other], "by name");
    }
}
