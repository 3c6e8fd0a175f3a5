//! Arguments of steps that run on another thread.

use std::time::Duration;

use crate::store::types::{NewEntry, NewRecord};

/// A record to write, for another thread.
pub(super) struct Record {
    pub(super) key: String,
    value: Vec<u8>,
    ttl: Duration,
}

impl Record {
    pub(super) fn get(&self) -> NewRecord<'_> {
        NewRecord::new(&self.key, &self.value, self.ttl)
    }
}

impl From<NewRecord<'_>> for Record {
    fn from(record: NewRecord<'_>) -> Self {
        Self {
            key: record.key.to_owned(),
            value: record.value.to_vec(),
            ttl: record.ttl,
        }
    }
}

/// An index entry to write, for another thread.
pub(super) struct Entry {
    pub(super) index: String,
    pub(super) member: String,
    check_after: i64,
    ttl: Duration,
}

impl Entry {
    pub(super) fn get(&self) -> NewEntry<'_> {
        NewEntry::new(&self.index, &self.member, self.check_after, self.ttl)
    }
}

impl From<NewEntry<'_>> for Entry {
    fn from(entry: NewEntry<'_>) -> Self {
        Self {
            index: entry.index.to_owned(),
            member: entry.member.to_owned(),
            check_after: entry.check_after,
            ttl: entry.ttl,
        }
    }
}

pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn borrowed(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}
