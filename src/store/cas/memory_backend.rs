//! The simplest backend, for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::backend::CasBackend;
use crate::store::error::StoreError;
use crate::store::types::StoredRecord;

/// Values with the time at which they expire, or `None` if that is too far away.
type Values = HashMap<String, (Vec<u8>, Option<Instant>)>;

/// Values in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryBackend(Arc<Mutex<Values>>);

impl MemoryBackend {
    fn live<T>(&self, use_values: impl FnOnce(&mut Values, Instant) -> T) -> T {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        values.retain(|_, (_, expires)| expires.is_none_or(|expires| expires > now));
        use_values(&mut values, now)
    }
}

#[async_trait]
impl CasBackend for MemoryBackend {
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        Ok(self.live(|values, now| {
            let (value, expires) = values.get(key)?;
            let ttl = expires.map(|expires| expires - now);
            Some(StoredRecord::new(value.clone(), ttl))
        }))
    }

    async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        Ok(self.live(|values, now| {
            if values.get(key).map(|(value, _)| &**value) != expected {
                return false;
            }
            match new {
                Some((value, ttl)) => {
                    values.insert(key.to_owned(), (value.to_vec(), now.checked_add(ttl)))
                }
                None => values.remove(key),
            };
            true
        }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
