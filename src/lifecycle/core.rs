//! The configuration and the store calls that all operations on sessions share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::{Clock, unix_millis};
use crate::counters::{READ, ReadMetrics};
use crate::error::{Result, SessionError, SizeUnit};
use crate::id::SessionId;
use crate::lifecycle::end_reasons::EndReasons;
use crate::lifecycle::{Evict, Lifetime, Touch};
use crate::record::{Keyspace, Record, Redirect};
use crate::store::{Memo, SharedStore, StoreError, StoreErrorKind, StoredRecord};
use crate::telemetry::StoreCall as _;
use crate::token::TokenFormat;
use crate::token_rejection::TokenRejection;

/// The largest number of fields of a record whose parsed form is kept with a cached one. The cache
/// counts the memory of this many.
const KEPT_FIELDS: usize = 16;

/// Configuration that the operations on sessions share. Each operation is an `impl` in its own
/// file.
pub(crate) struct Lifecycle {
    pub(crate) store: SharedStore,
    /// `None`: the sessions have no tokens.
    pub(crate) format: Option<TokenFormat>,
    pub(crate) keyspace: Keyspace,
    pub(crate) lifetime: Lifetime,
    /// `None`: after the default share of the idle time.
    pub(crate) touch: Option<Touch>,
    /// Whether tokens carry `auth_time`.
    pub(crate) auth_time: bool,
    pub(crate) max_size: usize,
    pub(crate) max_fields: usize,
    /// The largest number of sessions of an owner, at least 1.
    pub(crate) max_sessions: Option<(usize, Evict)>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) new_id: Arc<dyn Fn() -> SessionId + Send + Sync>,
    pub(crate) end_reasons: Arc<EndReasons>,
    pub(crate) reads: ReadMetrics,
}

impl Lifecycle {
    pub(crate) fn now_millis(&self) -> i64 {
        unix_millis(self.clock.now())
    }

    pub(crate) fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// Returns the absolute end of `record` in Unix seconds. A record that is older than the
    /// absolute lifetime of this configuration ends as if it had been created under it.
    pub(crate) fn end(&self, record: &Record) -> Option<i64> {
        let meta = &record.meta;
        meta.expires
            .or_else(|| self.lifetime.expires(meta.created?))
    }

    /// Returns the max age of `record`: its own one, or else that of this configuration.
    pub(crate) fn idle(&self, record: &Record) -> Option<Duration> {
        record.meta.idle().or_else(|| self.lifetime.idle())
    }

    /// Returns the TTL that a use now gives to `record`, by the clock of this host; `None` if it
    /// has ended.
    pub(crate) fn ttl(&self, record: &Record) -> Option<Duration> {
        self.ttl_at(record, self.now_millis())
    }

    /// As [`ttl`](Self::ttl), for a use at `now` in Unix milliseconds.
    pub(crate) fn ttl_at(&self, record: &Record, now: i64) -> Option<Duration> {
        self.lifetime.ttl(record.meta.idle(), self.end(record), now)
    }

    /// Returns whether `record` is past its absolute end, the leeway included.
    ///
    /// The clock of this host may be ahead of the one that has set the end. Until the leeway has
    /// passed, the TTL in the store decides, which does not depend on this clock.
    pub(crate) fn has_ended(&self, record: &Record) -> bool {
        let end = self.end(record);
        end.is_some_and(|end| self.past_end(end) <= self.now_millis())
    }

    /// Returns the time in Unix milliseconds from which a session that ends at `end` (Unix seconds)
    /// is past its end, the leeway included.
    pub(crate) fn past_end(&self, end: i64) -> i64 {
        let leeway = self.format.as_ref().map_or(0, TokenFormat::leeway_millis);
        end.saturating_mul(1000).saturating_add(leeway)
    }

    /// Returns the TTL to write along with a record of the session that is stored under `key`.
    ///
    /// Past the absolute end by the clock of this host, but within the leeway, a write does not
    /// extend the session: it gets the TTL that the store has.
    pub(crate) async fn ttl_to_write(
        &self,
        operation: &'static str,
        key: &str,
        record: &Record,
    ) -> Result<Duration> {
        if let Some(ttl) = self.ttl(record) {
            return Ok(ttl);
        }
        if self.has_ended(record) {
            return Err(SessionError::Gone);
        }
        let stored = self.load_record(operation, key).await?;
        let ttl = stored.and_then(|stored| stored.ttl);
        ttl.ok_or(SessionError::Gone)
    }

    /// Parses a record as [`parse`](Self::parse), but a cached one only once.
    fn parse_cached(&self, value: Bytes, parsed: Option<Memo>) -> Result<Record> {
        match parsed {
            Some(parsed) if value.len() <= self.max_size => parse_once(&parsed, value),
            _ => self.parse(value),
        }
    }

    /// Parses a value that the store holds. One that is too large is corrupt.
    pub(crate) fn parse(&self, value: Bytes) -> Result<Record> {
        if value.len() > self.max_size {
            return Err(SessionError::Corrupt);
        }
        Record::parse(value)
    }

    /// Checks that `record` may be written. One with too many fields can be read, so that a lower
    /// limit ends no session, but not written again before it has fewer.
    pub(crate) fn check_size(&self, record: &Record) -> Result<()> {
        self.check_field_count(record.field_count)?;
        let (size, limit) = (record.bytes.len(), self.max_size);
        if size > limit {
            return Err(SessionError::too_large(size, limit, SizeUnit::Bytes));
        }
        Ok(())
    }

    pub(crate) fn check_field_count(&self, count: usize) -> Result<()> {
        let limit = self.max_fields;
        if count > limit {
            return Err(SessionError::too_large(count, limit, SizeUnit::Fields));
        }
        Ok(())
    }

    /// Returns the token format, or [`SessionError::NoTokens`].
    pub(crate) fn format(&self) -> Result<&TokenFormat> {
        self.format.as_ref().ok_or(SessionError::NoTokens)
    }

    /// Reads the newest record, never from a cache. Data of another type is
    /// [`SessionError::Corrupt`].
    pub(crate) async fn load_record(
        &self,
        operation: &'static str,
        key: &str,
    ) -> Result<Option<StoredRecord>> {
        let keys = [key];
        let loading = self.store.load_many(&keys).in_operation(operation);
        let records = loading.await.map_err(record_error)?;
        Ok(records.into_iter().next().flatten())
    }

    /// Reads several records. Data of another type is [`SessionError::Corrupt`] at its place.
    pub(crate) async fn load_records(
        &self,
        operation: &'static str,
        keys: &[String],
    ) -> Result<Vec<Result<Option<StoredRecord>>>> {
        let each: Vec<_> = keys.iter().map(String::as_str).collect();
        let reads = (operation == READ).then_some(&self.reads);
        match self.store.load_many(&each).recorded(operation, reads).await {
            Ok(records) => return Ok(records.into_iter().map(Ok).collect()),
            Err(error) if error.kind() != StoreErrorKind::WrongType => return Err(error.into()),
            Err(_) => {}
        }
        // One key holds data of another type, and the call fails as a whole. That must not keep
        // the other sessions from being listed or destroyed.
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            // Boxed, because it is rare, and a future is moved until it runs.
            match Box::pin(self.load_record(operation, key)).await {
                Err(error @ SessionError::Unavailable(_)) => return Err(error),
                loaded => records.push(loaded),
            }
        }
        Ok(records)
    }

    /// Returns the session that a loaded record holds, or the reason why it holds none.
    pub(crate) fn validate(
        &self,
        loaded: Result<Option<StoredRecord>>,
    ) -> Result<(Record, Option<Duration>)> {
        let reason = match loaded {
            Err(SessionError::Corrupt) => TokenRejection::Corrupt,
            Err(error) => return Err(error),
            Ok(None) => TokenRejection::Unknown,
            // Its grace has ended, or the caller is looking for records only.
            Ok(Some(stored)) if Redirect::parse(&stored.value).is_some() => TokenRejection::Unknown,
            Ok(Some(StoredRecord { value, ttl, parsed })) => match self.parse_cached(value, parsed)
            {
                Err(_) => TokenRejection::Corrupt,
                Ok(record) if self.has_ended(&record) => TokenRejection::Expired,
                Ok(record) => return Ok((record, ttl)),
            },
        };
        Err(SessionError::Rejected(reason))
    }

    /// Returns the error of a step on the record `key` that may have touched an index as well.
    ///
    /// Only a record of the wrong type is corrupt. If the index has the wrong type, the store is
    /// not usable for this owner, and the record is left as it is.
    pub(crate) async fn indexed_error(
        &self,
        operation: &'static str,
        key: &str,
        error: StoreError,
    ) -> SessionError {
        if error.kind() == StoreErrorKind::WrongType
            && let Err(error) = self.load_record(operation, key).await
        {
            return error;
        }
        error.into()
    }
}

/// Returns the error of a step that touches a record only.
pub(crate) fn record_error(error: StoreError) -> SessionError {
    match error.kind() {
        StoreErrorKind::WrongType => SessionError::Corrupt,
        _ => error.into(),
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lifecycle({:?}, {:?})", self.store, self.keyspace)
    }
}

/// Returns the record that `parsed` has, or parses `value` and keeps the result there.
fn parse_once(parsed: &Memo, value: Bytes) -> Result<Record> {
    // A store that wraps the one with the cache may have changed the value.
    if let Some(record) = parsed.get::<Record>()
        && record.bytes == value
    {
        return Ok(record);
    }
    let record = Record::parse(value)?;
    if record.field_count <= KEPT_FIELDS {
        parsed.keep(record.clone());
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_many_fields_is_not_kept() {
        for (count, is_kept) in [(KEPT_FIELDS, true), (KEPT_FIELDS + 1, false)] {
            let fields = (0..count).map(|number| format!("\"f{number}\":1"));
            let value = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
            let parsed = Memo::default();
            parse_once(&parsed, value.into()).unwrap();
            assert_eq!(parsed.get::<Record>().is_some(), is_kept);
        }
    }

    #[test]
    fn a_changed_value_of_a_cached_record_is_parsed() {
        let parsed = Memo::default();
        for value in [r#"{"role":"admin"}"#, r#"{"role":"guest"}"#] {
            let record = parse_once(&parsed, Bytes::from_static(value.as_bytes())).unwrap();
            assert_eq!(record.bytes, value);
        }
    }
}
