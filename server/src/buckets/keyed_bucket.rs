//! A bucket in the list of those that have a key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_redis_session::{SessionData, SessionEntry};

use crate::buckets::key_record::{KeyRecord, ValidKeys};
use crate::buckets::names::BucketName;

/// A bucket that has a key.
pub(crate) struct KeyedBucket {
    pub(crate) name: BucketName,
    /// When its current key was created.
    pub(crate) created: Option<SystemTime>,
    /// When the key that was deleted with a grace stops working.
    pub(crate) previous_end: Option<SystemTime>,
}

impl KeyedBucket {
    /// Returns `None` if the grace of the last key has ended.
    pub(super) fn of(name: BucketName, entry: &SessionEntry) -> Option<Self> {
        let since_epoch = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        // A record that cannot be read is listed, so that it can be deleted.
        let (mut created, mut previous_end) = (entry.created_at(), None);
        if let Some(Ok(record)) = entry.data().map(SessionData::data::<KeyRecord>) {
            created = record.created.and_then(since_epoch).or(created);
            match record.valid() {
                Ok(ValidKeys {
                    current: None,
                    previous: None,
                }) => return None,
                Ok(ValidKeys { current, previous }) => {
                    created = created.filter(|_| current.is_some());
                    previous_end = previous.and_then(|(_, end)| since_epoch(end));
                }
                Err(_) => {}
            }
        }
        Some(Self {
            name,
            created,
            previous_end,
        })
    }
}
