//! The database behind a store on compare-and-swap.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::error::Result;
#[cfg(doc)]
use crate::store::error::StoreError;
use crate::store::types::StoredRecord;

/// Database behind a [`CasStore`](super::CasStore): values with a TTL, changed by compare-and-swap.
///
/// Keys are ASCII text and values are any bytes, also empty ones. An expired value is absent,
/// whether or not the database has deleted it yet.
///
/// Every call must return within a deadline. If its future is dropped, the call must be applied
/// completely or not at all. Return a [`StoreError`] if the database fails; a `swap` that failed
/// may or may not have been applied. Errors must not contain keys or values.
///
/// See the [guide](crate::guide::writing_a_store) for a complete example.
#[async_trait]
pub trait CasBackend: fmt::Debug + Send + Sync + 'static {
    /// Returns a value and its remaining TTL, or `None` if the key is absent.
    ///
    /// The TTL is `None` if the value does not expire. It must not be less than what is left:
    /// a database that counts in seconds rounds up.
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>>;

    /// Replaces the value of `key` if it equals `expected`, and returns whether it did.
    ///
    /// `expected` is `None` if the key must be absent. `new` is the new value with its TTL, or
    /// `None` to delete the key. The TTL is at least one millisecond; it may be longer than the
    /// database can represent and is then as long as possible. If the values differ, nothing is
    /// changed. The call must be atomic: of several concurrent calls that expect the same value,
    /// one succeeds.
    async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<(&[u8], Duration)>,
    ) -> Result<bool>;

    /// Returns `Ok` if the database can be reached and accepts requests.
    async fn ping(&self) -> Result<()>;
}
