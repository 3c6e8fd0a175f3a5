//! The API keys of all buckets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{Session, SessionEntry, SessionError, SessionId, Sessions, TokenRejection};

use crate::app_state::AppState;
use crate::buckets::api_key::{self, KeyHash};
use crate::buckets::names::BucketName;
use crate::crypto;
use crate::optional::optional;
use crate::secret::Secret;
use crate::start_error::StartError;

/// The lifetime of a key: the longest that the library allows.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

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
#[derive(Clone, Debug)]
pub(crate) struct ApiKeys {
    records: Sessions,
    store: SharedStore,
    keyspace: Arc<str>,
    secrets: Arc<[Secret]>,
}

/// The key of a bucket.
pub(super) enum CurrentKey {
    /// The bucket has no key.
    None,
    Known(Secret),
    /// The key works, but the secret that it was derived from is no longer configured.
    SecretChanged,
}

/// A bucket that has a key.
pub(crate) struct KeyedBucket {
    pub(crate) bucket: BucketName,
    /// When its key was created.
    pub(crate) created: Option<SystemTime>,
}

impl ApiKeys {
    pub(crate) fn new(app: &AppState) -> Result<Self, StartError> {
        let keyspace = app.keyspace("api-key");
        let records = Sessions::without_tokens(app.store.clone())
            .keyspace(keyspace.clone())
            .max_age(FOREVER)
            .build()?;
        Ok(Self {
            records,
            store: app.store.clone(),
            keyspace: keyspace.into(),
            secrets: Arc::clone(&app.secrets),
        })
    }

    /// Creates a key for `bucket`. Exactly one of several concurrent calls succeeds.
    /// Errors: [`SessionError::Taken`] if the bucket has a key already.
    pub(crate) async fn create(&self, bucket: &BucketName) -> Result<Secret, SessionError> {
        // Without a nonce, a new key would equal the deleted one.
        let nonce = format!("{:032x}", crypto::random_128());
        let key = api_key::derive(&self.secrets[0], bucket, &nonce);
        let record = self.records.new_session();
        record.insert("nonce", nonce)?;
        record.insert("hash", KeyHash::of(key.expose().as_bytes()))?;
        record.set_owner(OWNER)?;
        record.create().id(id(bucket)).without_token().await?;
        Ok(key)
    }

    /// Returns the key of `bucket`.
    /// Errors: [`SessionError::Unavailable`]; [`SessionError::Rejected`] or
    /// [`SessionError::Decode`] if the record is corrupt.
    pub(super) async fn current(&self, bucket: &BucketName) -> Result<CurrentKey, SessionError> {
        let loaded = self.records.get_without_touch(&id(bucket)).await;
        let Some(record) = optional(loaded)? else {
            return Ok(CurrentKey::None);
        };
        let nonce: String = record.get("nonce")?.unwrap_or_default();
        let hash = hash(&record)?;
        let known = self.secrets.iter().find_map(|secret| {
            let key = api_key::derive(secret, bucket, &nonce);
            let derived = KeyHash::of(key.expose().as_bytes())?;
            hash.equals(&derived).then_some(key)
        });
        Ok(known.map_or(CurrentKey::SecretChanged, CurrentKey::Known))
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
                    let key = [&keys.keyspace, id.as_str()].concat();
                    keys.store.delete(&key).await?
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

    /// Returns whether `key` is the key of `bucket`. Not cached, so that a deleted key is rejected
    /// immediately.
    /// Errors: as [`current`](Self::current).
    pub(super) async fn check(
        &self,
        bucket: &BucketName,
        key: &KeyHash,
    ) -> Result<bool, SessionError> {
        is_key(self.records.get_without_touch(&id(bucket)).await, key)
    }

    /// Returns the sessions and the id of the key's record, to load it with other records.
    pub(super) fn record(&self, bucket: &BucketName) -> (&Sessions, SessionId) {
        (&self.records, id(bucket))
    }

    /// Lists the buckets with a key, by name.
    pub(crate) async fn list(&self) -> Result<Vec<KeyedBucket>, SessionError> {
        let entries = self.records.list(OWNER).await?;
        let mut buckets: Vec<_> = entries.iter().filter_map(keyed).collect();
        buckets.sort_by(|a, b| a.bucket.as_str().cmp(b.bucket.as_str()));
        Ok(buckets)
    }
}

/// Returns whether the loaded record is that of `key`.
/// Errors: as [`ApiKeys::current`].
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

fn id(bucket: &BucketName) -> SessionId {
    SessionId::parse([ID_PREFIX, bucket.as_str()].concat())
        .expect("bucket names consist of characters of ids")
}

fn keyed(entry: &SessionEntry) -> Option<KeyedBucket> {
    let name = entry.id().as_str().strip_prefix(ID_PREFIX)?;
    Some(KeyedBucket {
        bucket: BucketName::parse(name)?,
        created: entry.created_at(),
    })
}

#[cfg(test)]
mod tests {
    use std::hash::Hash;

    use jwt_redis_session::MemoryStore;
    use jwt_redis_session::store::StoreError;
    use jwt_redis_session::testing::{Hook, Hooked, Step};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::settings::Settings;

    /// Hook that pauses before an index entry is removed, until `resume` has a permit.
    struct PausedRemoval {
        paused: Semaphore,
        resume: Semaphore,
    }

    impl Hook for PausedRemoval {
        async fn around<T: Hash + Send>(
            &self,
            step: Step,
            call: impl Future<Output = Result<T, StoreError>> + Send,
        ) -> Result<T, StoreError> {
            if step == Step::IndexRemove {
                self.paused.add_permits(1);
                self.resume.acquire().await.unwrap().forget();
            }
            call.await
        }
    }

    #[tokio::test]
    async fn key_created_during_deletion_is_listed() {
        let hook = Arc::new(PausedRemoval {
            paused: Semaphore::new(0),
            resume: Semaphore::new(0),
        });
        let store = Hooked::new(MemoryStore::new(), Arc::clone(&hook));
        let app = AppState::with_store(Settings::default(), store.into());
        let keys = ApiKeys::new(&app).unwrap();
        let (bucket, other) = ["a", "b"]
            .map(|name| BucketName::parse(name).unwrap())
            .into();
        keys.create(&other).await.unwrap();
        keys.create(&bucket).await.unwrap();
        let revoking = tokio::spawn({
            let (keys, bucket) = (keys.clone(), bucket.clone());
            async move { keys.revoke(&bucket).await }
        });
        hook.paused.acquire().await.unwrap().forget();
        keys.create(&bucket).await.unwrap();
        hook.resume.add_permits(1);
        assert!(revoking.await.unwrap().unwrap());
        let listed = keys.list().await.unwrap().into_iter();
        let listed: Vec<_> = listed.map(|keyed| keyed.bucket).collect();
        assert_eq!(listed, [bucket, other], "by name");
    }
}
