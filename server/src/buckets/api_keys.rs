//! The API keys of all buckets.
//!
//! A key is a session of the library without a token. That gives what a key needs: creation that
//! exactly one of several callers wins, an owner index to list all keys, and deletion that holds
//! on every instance. It has the longest lifetime, since the library has no unlimited one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{Session, SessionEntry, SessionError, SessionId, Sessions, TokenRejection};

use crate::app_state::AppState;
use crate::buckets::api_key::{self, KeyHash};
use crate::buckets::name::BucketName;
use crate::crypto;
use crate::optional::OptionalSession as _;
use crate::secret::Secret;
use crate::start_error::StartError;

/// The lifetime of a key: the longest that the library allows.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The owner of the records, by which they are listed.
const OWNER: &str = "buckets";

/// The prefix of a record's id. Ids have at least 16 characters, bucket names at least one.
const ID_PREFIX: &str = "bucket-api-key--";

/// The API keys of all buckets; clones share everything.
///
/// One record per bucket. A record holds a nonce and the hash of the key derived from it, never the
/// key: what can be read in the store opens no bucket.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeys {
    records: Sessions,
    store: SharedStore,
    keyspace: Arc<str>,
    secrets: Arc<[Secret]>,
}

/// The key of a bucket.
#[derive(Clone, Debug)]
pub(crate) enum CurrentKey {
    /// The bucket has no key.
    None,
    Known(Secret),
    /// The secret that the key was derived from is no longer configured. The key still opens the
    /// bucket, but cannot be shown.
    SecretChanged,
}

/// A bucket that has a key.
#[derive(Clone, Debug)]
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
            secrets: app.secrets().into(),
        })
    }

    /// Creates a key for `bucket`. Exactly one of several concurrent calls succeeds.
    ///
    /// # Errors
    ///
    /// [`SessionError::Taken`] if the bucket has a key already; [`SessionError::Unavailable`].
    pub(crate) async fn create(&self, bucket: &BucketName) -> Result<Secret, SessionError> {
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
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]; [`SessionError::Rejected`] or [`SessionError::Decode`] if the
    /// record is corrupt.
    pub(crate) async fn current(&self, bucket: &BucketName) -> Result<CurrentKey, SessionError> {
        let Some(record) = self
            .records
            .get_without_touch(&id(bucket))
            .await
            .optional()?
        else {
            return Ok(CurrentKey::None);
        };
        let nonce: String = record.get("nonce")?.unwrap_or_default();
        let hash = hash(&record)?;
        let mut candidates = self.secrets.iter();
        let known = candidates.find_map(|secret| {
            let key = api_key::derive(secret, bucket, &nonce);
            let derived = KeyHash::of(key.expose().as_bytes())?;
            hash.equals(&derived).then_some(key)
        });
        Ok(known.map_or(CurrentKey::SecretChanged, CurrentKey::Known))
    }

    /// Deletes the key of `bucket` and returns whether there was one. After `Ok(true)` every instance
    /// rejects it. The sessions of the bucket stay.
    ///
    /// Data of any kind under the record's name is deleted: it would lock the bucket. Runs to its
    /// end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: the key may still be valid.
    pub(crate) async fn revoke(&self, bucket: &BucketName) -> Result<bool, SessionError> {
        let (keys, id) = (self.clone(), id(bucket));
        let revoked = tokio::spawn(async move {
            let revoked = match keys.records.destroy(&id).await {
                Err(SessionError::Corrupt | SessionError::Rejected(TokenRejection::Corrupt)) => {
                    keys.clear(&id).await?
                }
                revoked => revoked?,
            };
            relist(&keys.records, &id).await;
            Ok(revoked)
        });
        revoked.await.unwrap_or(Err(SessionError::Interrupted))
    }

    /// Deletes data of another type under a record's name, which the library leaves alone. The id may
    /// stay in the owner index, which lists nothing without a record.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    async fn clear(&self, id: &SessionId) -> Result<bool, SessionError> {
        let key = [&self.keyspace, id.as_str()].concat();
        Ok(self.store.delete(&key).await?)
    }

    /// Returns whether `key` is the key of `bucket`. Nothing is cached: a deleted key is rejected at
    /// once.
    ///
    /// # Errors
    ///
    /// As [`current`](Self::current).
    pub(crate) async fn check(
        &self,
        bucket: &BucketName,
        key: &KeyHash,
    ) -> Result<bool, SessionError> {
        is_key(self.records.get_without_touch(&id(bucket)).await, key)
    }

    /// Returns where the record of a key is, to load it together with other records.
    pub(super) fn place(&self, bucket: &BucketName) -> (&Sessions, SessionId) {
        (&self.records, id(bucket))
    }

    /// Lists the buckets with a key, by name.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    pub(crate) async fn list(&self) -> Result<Vec<KeyedBucket>, SessionError> {
        let entries = self.records.list(OWNER).await?;
        let mut buckets: Vec<_> = entries.iter().filter_map(keyed).collect();
        buckets.sort_by(|a, b| a.bucket.as_str().cmp(b.bucket.as_str()));
        Ok(buckets)
    }
}

/// Puts a key back into the owner index that was created while the previous one was being deleted:
/// the deletion may have removed the new entry. If the store fails here, the new key works but is
/// not listed until the next call for this bucket.
async fn relist(records: &Sessions, id: &SessionId) {
    if let Ok(newer) = records.get_without_touch(id).await {
        let _ = newer.touch().await;
    }
}

/// Returns whether the record loaded from [`ApiKeys::place`] is that of `key`.
///
/// # Errors
///
/// As [`ApiKeys::check`].
pub(super) fn is_key(
    looked: Result<Session, SessionError>,
    key: &KeyHash,
) -> Result<bool, SessionError> {
    let Some(record) = looked.optional()? else {
        return Ok(false);
    };
    Ok(hash(&record)?.equals(key))
}

/// Returns the hash in a record.
///
/// # Errors
///
/// [`SessionError::Decode`] if the record has none, so is not one of a key.
fn hash(record: &Session) -> Result<KeyHash, SessionError> {
    let missing = || SessionError::missing_field("hash");
    record.get("hash")?.ok_or_else(missing)
}

fn id(bucket: &BucketName) -> SessionId {
    SessionId::parse(format!("{ID_PREFIX}{}", bucket.as_str()))
        .expect("a bucket's name has the characters of an id")
}

fn keyed(entry: &SessionEntry) -> Option<KeyedBucket> {
    let name = entry.id().as_str().strip_prefix(ID_PREFIX)?;
    Some(KeyedBucket {
        bucket: BucketName::parse(name)?,
        created: entry.created_at(),
    })
}

#[cfg(test)]
mod tests;
