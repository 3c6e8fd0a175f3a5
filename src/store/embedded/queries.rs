//! Reads of the tables.

use std::iter;
use std::ops::Bound;
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable, Value};

use super::error::Step;
use super::schema::{ENTRIES, INDEXES, RECORDS, SCORES};
use crate::store::types::{Due, EntryState, IndexEntry, IndexPage, ScanPage, StoredRecord};

/// Returns several records as of one time.
pub(super) fn load(
    transaction: &ReadTransaction,
    keys: &[String],
    now: i64,
) -> Step<Vec<Option<StoredRecord>>> {
    let records = transaction.open_table(RECORDS)?;
    keys.iter().map(|key| record(&records, key, now)).collect()
}

/// Returns the entries of an index that are due, or all; none if it is absent.
pub(super) fn list(
    transaction: &ReadTransaction,
    index: &str,
    due: Option<Due>,
    now: i64,
) -> Step<Vec<IndexEntry>> {
    if is_live(&transaction.open_table(INDEXES)?, index, now)? {
        by_score(&transaction.open_table(SCORES)?, index, due)
    } else {
        Ok(Vec::new())
    }
}

/// Returns a page of an index; reads no other entries.
pub(super) fn page(
    transaction: &ReadTransaction,
    index: &str,
    page: IndexPage<'_>,
    now: i64,
) -> Step<Vec<IndexEntry>> {
    if !is_live(&transaction.open_table(INDEXES)?, index, now)? {
        return Ok(Vec::new());
    }
    let after = page.after.map(|it| (index, it.state.score(), &*it.member));
    // The key of the next index begins with a longer text.
    let end = format!("{index}\0");
    let (first, last) = ((index, i64::MIN, ""), (&*end, i64::MIN, ""));
    let (from, to) = match after {
        Some(after) if page.descending => (Bound::Included(first), Bound::Excluded(after)),
        Some(after) => (Bound::Excluded(after), Bound::Excluded(last)),
        None => (Bound::Included(first), Bound::Excluded(last)),
    };
    let scores = transaction.open_table(SCORES)?;
    let mut range = scores.range((from, to))?;
    let next = || match page.descending {
        true => range.next_back(),
        false => range.next(),
    };
    iter::from_fn(next)
        .take(page.limit)
        .map(|entry| {
            let entry = entry?.0;
            let (_, score, member) = entry.value();
            Ok(IndexEntry::new(member, EntryState::from_score(score)))
        })
        .collect()
}

/// How a position in the records and one in the indexes begin.
const IN_RECORDS: &str = "r";
const IN_INDEXES: &str = "i";

/// Returns keys that begin with `prefix`, also expired ones: of records, then of indexes.
pub(super) fn scan(
    transaction: &ReadTransaction,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Step<ScanPage> {
    let after = after.unwrap_or(IN_RECORDS);
    if let Some(after) = after.strip_prefix(IN_INDEXES) {
        let indexes = transaction.open_table(INDEXES)?;
        let (keys, last) = keys(&indexes, prefix, after, limit)?;
        let next = last.map(|last| [IN_INDEXES, &last].concat());
        return Ok(ScanPage::new(keys, next));
    }
    let after = after.strip_prefix(IN_RECORDS).unwrap_or_default();
    let records = transaction.open_table(RECORDS)?;
    let (keys, last) = keys(&records, prefix, after, limit)?;
    let next = last.map_or_else(
        || IN_INDEXES.to_owned(),
        |last| [IN_RECORDS, &last].concat(),
    );
    Ok(ScanPage::new(keys, Some(next)))
}

/// Returns at most `limit` keys after `after`, and the last one unless they are all.
fn keys<V: Value + 'static>(
    table: &impl ReadableTable<&'static str, V>,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Step<(Vec<String>, Option<String>)> {
    let start = match after {
        "" => Bound::Included(prefix),
        after => Bound::Excluded(after),
    };
    let mut keys = Vec::new();
    for entry in table.range::<&str>((start, Bound::Unbounded))?.take(limit) {
        let key = entry?.0.value().to_owned();
        if !key.starts_with(prefix) {
            return Ok((keys, None));
        }
        keys.push(key);
    }
    let last = keys.last().filter(|_| keys.len() == limit).cloned();
    Ok((keys, last))
}

/// Returns the state of one entry.
pub(super) fn entry(
    transaction: &ReadTransaction,
    (index, member): (&str, &str),
    now: i64,
) -> Step<Option<EntryState>> {
    if !is_live(&transaction.open_table(INDEXES)?, index, now)? {
        return Ok(None);
    }
    let score = transaction.open_table(ENTRIES)?.get((index, member))?;
    Ok(score.map(|score| EntryState::from_score(score.value())))
}

/// Returns the record of `key` with its remaining TTL.
pub(super) fn record(
    records: &impl ReadableTable<&'static str, (i64, &'static [u8])>,
    key: &str,
    now: i64,
) -> Step<Option<StoredRecord>> {
    let Some(held) = records.get(key)? else {
        return Ok(None);
    };
    let (expires, value) = held.value();
    let ttl = Duration::from_millis(u64::try_from(expires.saturating_sub(now)).unwrap_or(0));
    Ok((!ttl.is_zero()).then(|| StoredRecord::new(value.to_vec(), Some(ttl))))
}

/// Returns whether an index exists and has not expired.
pub(super) fn is_live(
    indexes: &impl ReadableTable<&'static str, i64>,
    index: &str,
    now: i64,
) -> Step<bool> {
    Ok(indexes
        .get(index)?
        .is_some_and(|expires| expires.value() > now))
}

/// Returns the entries of an index that are due, or all, whether or not it has expired.
pub(super) fn by_score(
    scores: &impl ReadableTable<(&'static str, i64, &'static str), ()>,
    index: &str,
    due: Option<Due>,
) -> Step<Vec<IndexEntry>> {
    let (first, last, limit) = match due {
        Some(due) => (0, due.by, due.limit),
        None => (i64::MIN, i64::MAX, usize::MAX),
    };
    let mut found = Vec::new();
    for entry in scores.range((index, first, "")..)?.take(limit) {
        let entry = entry?.0;
        let (of, score, member) = entry.value();
        if of != index || score > last {
            break;
        }
        found.push(IndexEntry::new(member, EntryState::from_score(score)));
    }
    Ok(found)
}
