//! The API keys of all buckets.

use std::time::{Duration, SystemTime};

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{
    Session, SessionData, SessionEntry, SessionError, SessionId, Sessions, TokenRejection,
};

use crate::app_state::AppState;
use crate::buckets::api_key::{self, KeyHash};
use crate::buckets::bucket_settings::StoredSettings;
use crate::buckets::key_record::{GraceDeletion, KeyRecord, StoredKey, ValidKeys};
use crate::buckets::keyed_bucket::KeyedBucket;
use crate::buckets::names::BucketName;
use crate::crypto;
use crate::optional::optional;
use crate::secret::Secret;
use crate::unix_time;

/// The lifetime of a key: the longest that the library allows.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The keyspace of all records.
const KEYSPACE: &str = "api-key";

/// The owner of all records, so that they can be listed.
const OWNER: &str = "buckets";

/// How often a creation is attempted while others delete the key.
const ATTEMPTS: usize = 4;

/// The prefix of a record's id. Ids have at least 16 characters, bucket names at least one.
const ID_PREFIX: &str = "bucket-api-key--";

/// A key is stored as a session without a token. The library then guarantees that exactly one of
/// several concurrent creations succeeds, that a deleted key is invalid on every instance, and an
/// owner index to list all keys.
///
/// A record holds a nonce and the hash of the key derived from it, never the key: the contents of
/// the store open no bucket. Both keys of a rotation are in one record, so that each change is one
/// atomic step, and checking a key reads one record. A record whose last key was deleted with a
/// grace stays until the next change of the bucket's keys.
#[derive(Clone)]
pub(crate) struct ApiKeys {
    pub(super) records: Sessions,
    app: AppState,
}

impl ApiKeys {
    pub(crate) fn new(app: &AppState) -> Result<Self, ConfigError> {
        Ok(Self {
            records: app.sessions(KEYSPACE, None, FOREVER).build()?,
            app: app.clone(),
        })
    }

    /// Creates a key for `bucket`. Exactly one of several concurrent calls succeeds.
    /// Errors: [`SessionError::Taken`] if the bucket has a key already, except one that was deleted
    /// with a grace; [`SessionError::Conflict`] after too many concurrent changes.
    pub(crate) async fn create(&self, bucket: &BucketName) -> Result<Secret, SessionError> {
        self.create_with(bucket, None).await
    }

    /// As [`create`](Self::create), with settings of the bucket.
    pub(super) async fn create_with(
        &self,
        bucket: &BucketName,
        settings: Option<StoredSettings>,
    ) -> Result<Secret, SessionError> {
        // Without a nonce, a new key would equal the deleted one.
        let nonce = format!("{:032x}", crypto::random_128());
        let key = api_key::derive(&self.app.secrets[0], bucket, &nonce);
        let hash = KeyHash::of(key.expose().as_bytes());
        let hash = hash.ok_or_else(|| SessionError::missing_field("hash"))?;
        let new = StoredKey { nonce, hash };
        for _ in 0..ATTEMPTS {
            let created = match self.insert(bucket, &new, settings).await {
                Err(SessionError::Taken) => self.add(bucket, &new, settings).await,
                inserted => inserted,
            };
            match created {
                // The record was deleted between the two steps.
                Err(SessionError::Gone) => {}
                created => return created.map(|()| key),
            }
        }
        Err(SessionError::Conflict)
    }

    /// Creates the record of a bucket.
    /// Errors: [`SessionError::Taken`] if there is one.
    async fn insert(
        &self,
        bucket: &BucketName,
        new: &StoredKey,
        settings: Option<StoredSettings>,
    ) -> Result<(), SessionError> {
        let record = self.records.new_session();
        record.merge(new)?;
        if let Some(settings) = settings {
            record.insert("settings", settings)?;
        }
        record.set_owner(OWNER)?;
        record.create().id(id(bucket)).without_token().await?;
        Ok(())
    }

    /// Adds the current key to the record of a bucket whose last key was deleted with a grace.
    /// Errors: [`SessionError::Taken`] if there is one; [`SessionError::Gone`] without a record.
    async fn add(
        &self,
        bucket: &BucketName,
        new: &StoredKey,
        settings: Option<StoredSettings>,
    ) -> Result<(), SessionError> {
        let record = match optional(self.load(bucket).await) {
            Err(error @ SessionError::Unavailable(_)) => return Err(error),
            Err(_) => return Err(SessionError::Taken),
            Ok(record) => record.ok_or(SessionError::Gone)?,
        };
        let add = |data: &mut SessionData| KeyRecord::add(data, new, settings);
        record.update_with(add).await
    }

    /// Returns the valid keys of `bucket`. A key is `None` if the secret that it was derived from is
    /// no longer configured.
    pub(super) async fn read(
        &self,
        bucket: &BucketName,
    ) -> Result<ValidKeys<Option<Secret>>, SessionError> {
        let record = optional(self.load(bucket).await)?;
        let stored = record.map(|record| record.data().and_then(KeyRecord::valid));
        let stored = stored.transpose()?;
        let known = |key: StoredKey| {
            self.app.secrets.iter().find_map(|secret| {
                let derived = api_key::derive(secret, bucket, &key.nonce);
                let hash = KeyHash::of(derived.expose().as_bytes())?;
                key.hash.equals(&hash).then_some(derived)
            })
        };
        let (current, previous) = stored.map_or((None, None), |keys| (keys.current, keys.previous));
        Ok(ValidKeys {
            current: current.map(known),
            previous: previous.map(|(key, end)| (known(key), end)),
        })
    }

    /// Deletes the key of `bucket`, which remains valid for `grace`.
    /// Errors: [`SessionError::Conflict`], [`SessionError::Unavailable`]: the key may be deleted.
    pub(super) async fn delete_with_grace(
        &self,
        bucket: &BucketName,
        grace: Duration,
    ) -> Result<GraceDeletion, SessionError> {
        let end = unix_time::seconds(SystemTime::now() + grace).unwrap_or_default();
        let Some(record) = optional(self.load(bucket).await)? else {
            return Ok(GraceDeletion::NoKey);
        };
        match record
            .update_with(|data| KeyRecord::delete_with_grace(data, end))
            .await
        {
            Err(SessionError::Gone) => Ok(GraceDeletion::NoKey),
            result => result,
        }
    }

    /// Deletes all keys of `bucket` and returns whether there was one; then every instance rejects
    /// them. Runs to completion even if the caller is dropped.
    /// Errors: [`SessionError::Unavailable`]: the keys may still be valid.
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
        let entries = self.records.list(OWNER).with_data().await?;
        let mut buckets: Vec<_> = entries.iter().filter_map(keyed).collect();
        buckets.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(buckets)
    }
}

/// Returns the settings in the loaded record if `key` is one of its valid keys.
/// Errors: [`SessionError::Unavailable`]; [`SessionError::Rejected`] or [`SessionError::Decode`] if
/// the record is corrupt.
pub(super) fn settings_for(
    loaded: Result<Session, SessionError>,
    key: &KeyHash,
) -> Result<Option<StoredSettings>, SessionError> {
    let Some(record) = optional(loaded)? else {
        return Ok(None);
    };
    let record = KeyRecord::to_check(&record)?;
    Ok(record.accepts(key)?.then_some(record.settings))
}

fn keyed(entry: &SessionEntry) -> Option<KeyedBucket> {
    let name = entry.id().as_str().strip_prefix(ID_PREFIX)?;
    KeyedBucket::of(BucketName::parse(name)?, entry)
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
            let app = AppState::with_store(Settings::default(), store).unwrap();
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
        let listed: Vec<_> = listed.map(|bucket| bucket.name).collect();
        assert_eq!(listed, [bucket, other], "by name");
    }
}
