//! The API keys of all buckets.

use std::sync::Arc;
use std::time::Duration;

use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{Session, SessionEntry, SessionError, SessionId, Sessions, TokenRejection};
use serde_json::{Map, Value};

use crate::app_state::AppState;
use crate::buckets::api_key::{self, KeyHash};
use crate::buckets::name::BucketName;
use crate::crypto;
use crate::lookup::found;
use crate::secret::Secret;
use crate::start_error::StartError;

/// How long a key is kept: as long as the store can.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The owner of the records, by which all of them are listed.
const OWNER: &str = "buckets";

/// What the id of a record begins with; ids have at least 16 characters.
const ID_PREFIX: &str = "bucket-api-key--";

/// The API keys of all buckets; clones share everything.
///
/// They are records of the core, one a bucket. A record holds a nonce and the hash of the key
/// that is derived from it, never the key: who reads the store cannot use what stands there.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeys {
    records: Sessions,
    store: SharedStore,
    keyspace: Arc<str>,
    secrets: Arc<[Secret]>,
}

/// What is known of the key that a bucket has.
#[derive(Clone, Debug)]
pub(crate) enum CurrentKey {
    /// The bucket has none.
    None,
    Known(Secret),
    /// There is one, but the secret it was derived from is no longer configured: it still opens
    /// the bucket, and cannot be told.
    SecretChanged,
}

/// A bucket that has a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyedBucket {
    pub(crate) bucket: BucketName,
    /// When its key was made, in Unix seconds.
    pub(crate) created: Option<i64>,
}

impl ApiKeys {
    pub(crate) fn new(app: &AppState) -> Result<Self, StartError> {
        let keyspace = app.keyspace("api-key");
        let records = Sessions::builder(app.store.clone(), app.keyring()?)
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

    /// Makes a key for `bucket`. Of many calls at once exactly one succeeds.
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
        record.set_owner(OWNER);
        record
            .create_as(id(bucket), Map::<String, Value>::new())
            .await?;
        Ok(key)
    }

    /// Tells the key that `bucket` has.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]; [`SessionError::Rejected`] or [`SessionError::Decode`] if the
    /// record is corrupt.
    pub(crate) async fn current(&self, bucket: &BucketName) -> Result<CurrentKey, SessionError> {
        let Some(record) = found(self.records.get_without_touch(&id(bucket)).await)? else {
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

    /// Takes the key of `bucket` away and tells whether there was one: after `Ok(true)` it is
    /// refused, on every instance. The sessions of the bucket stay.
    ///
    /// Whatever stands in the key's place is taken away, or else a corrupt record would lock the
    /// bucket for good. Runs to its end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: the key may still be good.
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

    /// Deletes what stands under a record's name, whatever it is, and tells whether there was any.
    /// The id may stay on the list, where it says nothing without a record.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    async fn clear(&self, id: &SessionId) -> Result<bool, SessionError> {
        let key = [&self.keyspace, id.as_str()].concat();
        Ok(self.store.delete(&key).await?)
    }

    /// Whether `key` is the key of `bucket`, at this moment: nothing is remembered.
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

    /// Where the record of a bucket's key is, to be looked up along with others.
    pub(super) fn place(&self, bucket: &BucketName) -> (&Sessions, SessionId) {
        (&self.records, id(bucket))
    }

    /// Lists the buckets that have a key, by name.
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

/// A new key that was made while the old one was being taken away may have been taken off the
/// list with it; using it puts it there again. If the store is away by now the new key works and
/// is not listed, until the next call for this bucket.
async fn relist(records: &Sessions, id: &SessionId) {
    if let Ok(newer) = records.get_without_touch(id).await {
        let _ = newer.touch().await;
    }
}

/// Whether the record that was looked up at [`ApiKeys::place`] is that of `key`.
///
/// # Errors
///
/// As [`ApiKeys::check`].
pub(super) fn is_key(
    looked: Result<Session, SessionError>,
    key: &KeyHash,
) -> Result<bool, SessionError> {
    let Some(record) = found(looked)? else {
        return Ok(false);
    };
    Ok(hash(&record)?.equals(key))
}

/// The hash of the key that a record is for.
///
/// # Errors
///
/// [`SessionError::Decode`] if the record has none: it is not one of a key then.
fn hash(record: &Session) -> Result<KeyHash, SessionError> {
    let missing = || SessionError::Decode {
        key: "hash".to_owned(),
    };
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
