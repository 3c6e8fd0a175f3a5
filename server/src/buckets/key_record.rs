//! The record of a bucket's API keys.

use std::time::SystemTime;

use jwt_redis_session::{Session, SessionData, SessionError};
use serde::{Deserialize, Serialize};

use crate::buckets::api_key::KeyHash;
use crate::buckets::bucket_settings::StoredSettings;
use crate::unix_time;

/// The current API key of a bucket, the one that was deleted with a grace, and the settings.
#[derive(Deserialize)]
pub(super) struct KeyRecord {
    /// `None` after the current key was deleted with a grace.
    hash: Option<KeyHash>,
    #[serde(default)]
    nonce: String,
    /// When the current key was created, in Unix seconds. `None`: it was created with the record.
    pub(super) created: Option<u64>,
    previous: Option<PreviousKey>,
    #[serde(default)]
    pub(super) settings: StoredSettings,
}

/// A key: the nonce that it is derived from, and its hash.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKey {
    pub(super) nonce: String,
    pub(super) hash: KeyHash,
}

/// A key that was deleted with a grace.
#[derive(Serialize, Deserialize)]
pub(super) struct PreviousKey {
    nonce: String,
    hash: KeyHash,
    /// When it stops working, in Unix seconds by the clock of the instance that reads this.
    end: u64,
}

/// The keys of a bucket that are valid: the current one, and the previous one with its end in Unix
/// seconds.
pub(super) struct ValidKeys<K> {
    pub(super) current: Option<K>,
    pub(super) previous: Option<(K, u64)>,
}

/// Result of [`KeyRecord::delete_with_grace`].
pub(super) enum GraceDeletion {
    /// The key stops working at this time, in Unix seconds.
    At(u64),
    /// There is no key.
    NoKey,
    /// An earlier key has not stopped working yet; nothing was changed.
    Earlier,
}

impl KeyRecord {
    /// Returns what [`accepts`](Self::accepts) needs of a record, and the settings. Every request
    /// reads them, and all fields as one value would be copied and parsed twice.
    /// Errors: [`SessionError::Decode`] if a field has another type.
    pub(super) fn to_check(record: &Session) -> Result<Self, SessionError> {
        Ok(Self {
            hash: record.get::<Option<_>>("hash")?.flatten(),
            nonce: String::new(),
            created: None,
            previous: record.get::<Option<_>>("previous")?.flatten(),
            settings: record.get("settings")?.unwrap_or_default(),
        })
    }

    /// Returns whether `key` is one of the valid keys.
    /// Errors: [`SessionError::Decode`] if the record has no key.
    pub(super) fn accepts(&self, key: &KeyHash) -> Result<bool, SessionError> {
        let previous = self.previous()?.map(|previous| &previous.hash);
        let mut hashes = self.hash.iter().chain(previous);
        Ok(hashes.any(|hash| hash.equals(key)))
    }

    /// Returns the valid keys. There are none if the grace of the last one has ended.
    /// Errors: as [`accepts`](Self::accepts).
    pub(super) fn valid(self) -> Result<ValidKeys<StoredKey>, SessionError> {
        let is_valid = self.previous()?.is_some();
        let Self {
            hash,
            nonce,
            previous,
            ..
        } = self;
        let previous = previous.filter(|_| is_valid);
        Ok(ValidKeys {
            current: hash.map(|hash| StoredKey { nonce, hash }),
            previous: previous
                .map(|PreviousKey { nonce, hash, end }| (StoredKey { nonce, hash }, end)),
        })
    }

    /// Returns the key that was deleted, while its grace lasts.
    fn previous(&self) -> Result<Option<&PreviousKey>, SessionError> {
        if self.hash.is_none() && self.previous.is_none() {
            return Err(SessionError::missing_field("hash"));
        }
        Ok(self
            .previous
            .as_ref()
            .filter(|previous| now() < previous.end))
    }

    /// Makes `new` the current key. Without `settings`, those of the previous key remain while it is
    /// valid.
    /// Errors: [`SessionError::Taken`] if there is a current key.
    pub(super) fn add(
        record: &mut SessionData,
        new: &StoredKey,
        settings: Option<StoredSettings>,
    ) -> Result<(), SessionError> {
        let valid = record.data().and_then(Self::valid);
        // An unreadable record blocks the bucket until it is deleted.
        let Ok(ValidKeys {
            current: None,
            previous,
        }) = valid
        else {
            return Err(SessionError::Taken);
        };
        if previous.is_none() {
            record.clear();
        }
        record.insert("nonce", &new.nonce)?;
        record.insert("hash", &new.hash)?;
        if let Some(settings) = settings {
            record.insert("settings", settings)?;
        }
        record.insert("created", now())
    }

    /// Makes the current key the previous one, until `end`. Repeating the call never extends the
    /// grace.
    pub(super) fn delete_with_grace(
        record: &mut SessionData,
        end: u64,
    ) -> Result<GraceDeletion, SessionError> {
        let valid = record.data().and_then(Self::valid)?;
        let (StoredKey { nonce, hash }, end) = match (valid.current, valid.previous) {
            (None, None) => return Ok(GraceDeletion::NoKey),
            (Some(_), Some(_)) => return Ok(GraceDeletion::Earlier),
            (Some(key), None) => (key, end),
            (None, Some((key, earlier))) => (key, end.min(earlier)),
        };
        for field in ["nonce", "hash", "created"] {
            record.remove(field);
        }
        record.insert("previous", PreviousKey { nonce, hash, end })?;
        Ok(GraceDeletion::At(end))
    }
}

fn now() -> u64 {
    unix_time::seconds(SystemTime::now()).unwrap_or_default()
}
