//! A store that breaks one promise.

use std::time::Duration;

use async_trait::async_trait;

use crate::store::cas::CasStore;
use crate::store::cas::memory_backend::MemoryBackend;
use crate::store::contract::Store;
use crate::store::error::StoreError;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexFilter, InsertOutcome, NewEntry, NewRecord,
    PutMode, StoredRecord, SupersedeOutcome,
};

/// Mutations: the case that must find each, and a number if it must find several.
pub(super) const MUTATIONS: &[&str] = &[
    "absence_is_not_an_error",
    "insert_writes_once",
    "delete_reports_existence",
    "compare_and_set_compares",
    "compare_and_delete_compares",
    "reads_keep_the_ttl",
    "writes_set_the_ttl",
    "index_put_adds_and_raises",
    "index_put_never_shortens_the_ttl",
    "index_put_keeps_tombstones",
    "reactivation_ends_a_tombstone",
    "one_entry_can_be_kept",
    "older_tombstones_are_returned",
    "tombstones_keep_their_time",
    "only_due_entries_are_removed",
    "due_entries_are_ordered_and_limited",
    "tombstones_are_not_due",
    "supersede_checks_the_old_entry_first",
    "supersede_checks_the_new_entry",
    "one_insert_succeeds",
    "load_many_keeps_the_order",
    "load_and_set_ttl_does_both",
    "insert_indexed_keeps_a_record",
    "insert_indexed_sees_a_tombstone/no check",
    "insert_indexed_sees_a_tombstone/check before insert",
    "no_insertion_escapes_a_deletion",
    "provided_methods_extend_the_ttl",
    "compare_and_set_indexed_does_both",
    "delete_indexed_deletes_and_counts",
    "refreshes_keep_tombstones",
    "index_refresh_puts_and_removes",
];

const TTL: Duration = Duration::from_secs(100);

#[derive(Debug)]
pub(super) struct Mutant {
    inner: CasStore<MemoryBackend>,
    mutation: &'static str,
}

impl Mutant {
    pub(super) fn new(mutation: &'static str) -> Self {
        let inner = CasStore::new(MemoryBackend::default());
        Self { inner, mutation }
    }

    fn breaks(&self, mutation: &str) -> bool {
        self.mutation == mutation
    }
}

#[async_trait]
impl Store for Mutant {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        let record = self.inner.load(key).await?;
        if self.breaks("reads_keep_the_ttl") && record.is_some() {
            self.inner.set_ttl(key, TTL).await?;
        }
        Ok(record)
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        if self.breaks("one_insert_succeeds") && self.load(record.key).await?.is_none() {
            tokio::task::yield_now().await;
            self.inner.delete(record.key).await?;
        }
        if self.breaks("insert_writes_once") {
            self.inner.delete(record.key).await?;
        }
        self.inner.insert(record).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        let held = self.inner.load(record.key).await?;
        let held = held.map(|held| held.value).unwrap_or_default();
        if self.breaks("compare_and_set_compares") && held.eq_ignore_ascii_case(expected) {
            return self.inner.compare_and_set(&held, record).await;
        }
        if self.breaks("writes_set_the_ttl") {
            let record = NewRecord::new(record.key, record.value, TTL / 2);
            return self.inner.compare_and_set(expected, record).await;
        }
        self.inner.compare_and_set(expected, record).await
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        if self.breaks("compare_and_delete_compares") && self.inner.delete(key).await? {
            return Ok(CompareOutcome::Applied);
        }
        self.inner.compare_and_delete(key, expected).await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        if self.breaks("absence_is_not_an_error") {
            self.inner.insert(NewRecord::new(key, b"", ttl)).await?;
        }
        self.inner.set_ttl(key, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.inner.delete(key).await? || self.breaks("delete_reports_existence"))
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        let held = self.inner.index_get(entry.index, entry.member).await?;
        let is_active = matches!(held, Some(EntryState::Active { .. }));
        if self.breaks("index_put_adds_and_raises") && is_active {
            let members = [entry.member];
            self.inner.index_remove(entry.index, &members, None).await?;
        }
        if self.breaks("index_put_never_shortens_the_ttl") {
            let (index, all) = (entry.index, IndexFilter::All);
            for IndexEntry { member, state } in self.inner.index_list(index, all).await? {
                self.inner.index_remove(index, &[&member], None).await?;
                let entry = NewEntry::new(index, &member, state.score(), entry.ttl);
                self.inner.index_put(entry, mode).await?;
            }
        }
        let mode = match self.mutation {
            "index_put_keeps_tombstones" => PutMode::Reactivate,
            "reactivation_ends_a_tombstone" => PutMode::KeepTombstone,
            _ => mode,
        };
        self.inner.index_put(entry, mode).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        self.inner.index_get(index, member).await
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        let mut entries = self.inner.index_list(index, filter).await?;
        let IndexFilter::Due(due) = filter else {
            return Ok(entries);
        };
        if self.breaks("due_entries_are_ordered_and_limited") {
            entries.reverse();
        }
        if self.breaks("tombstones_are_not_due") {
            entries = self.inner.index_list(index, IndexFilter::All).await?;
            entries.retain(|entry| entry.state.score() <= due.by);
        }
        Ok(entries)
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        let due_by = due_by.filter(|_| !self.breaks("only_due_entries_are_removed"));
        self.inner.index_remove(index, members, due_by).await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        let before = self.inner.index_list(index, IndexFilter::All).await?;
        let keep = keep.filter(|_| !self.breaks("one_entry_can_be_kept"));
        if self.breaks("tombstones_keep_their_time") {
            for entry in before.iter().filter(|entry| entry.state.score() < 0) {
                let entry = NewEntry::new(index, &entry.member, 0, TTL);
                self.inner.index_put(entry, PutMode::Reactivate).await?;
            }
        }
        let mut members = self.inner.index_tombstone_all(index, keep, now).await?;
        if self.breaks("older_tombstones_are_returned") {
            let old = |member: &String| {
                let mut entries = before.iter().filter(|entry| entry.member == *member);
                entries.any(|entry| entry.state.score() < 0)
            };
            members.retain(|member| !old(member));
        }
        Ok(members)
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        let outcome = self.inner.index_supersede(index, old, new, now).await?;
        match outcome {
            SupersedeOutcome::OldNotActive
                if self.breaks("supersede_checks_the_old_entry_first")
                    && self.inner.index_get(index, new).await?.is_none() =>
            {
                Ok(SupersedeOutcome::NewNotActive)
            }
            SupersedeOutcome::NewNotActive if self.breaks("supersede_checks_the_new_entry") => {
                self.inner.index_supersede(index, old, old, now).await
            }
            outcome => Ok(outcome),
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        let mut records = self.inner.load_many(keys).await?;
        if self.breaks("load_many_keeps_the_order") {
            records.reverse();
        }
        Ok(records)
    }

    async fn load_and_set_ttl(
        &self,
        key: &str,
        ttl: Duration,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let record = self.inner.load_and_set_ttl(key, ttl).await?;
        if self.breaks("load_and_set_ttl_does_both") {
            return self.inner.load(key).await;
        }
        Ok(record)
    }

    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome, StoreError> {
        let Some(last) = entries.last() else {
            return self.inner.insert_indexed(entries, record, due).await;
        };
        let order = [
            "insert_indexed_sees_a_tombstone/check before insert",
            "no_insertion_escapes_a_deletion",
        ];
        if order.contains(&self.mutation) {
            self.inner.index_put(*last, PutMode::KeepTombstone).await?;
            let state = self.inner.index_get(last.index, last.member).await?;
            if !matches!(state, Some(EntryState::Active { .. })) {
                return Ok(InsertOutcome::EntryLost);
            }
            tokio::task::yield_now().await;
        }
        if self.breaks("insert_indexed_keeps_a_record") {
            self.inner.delete(record.key).await?;
        }
        let entries = match self.mutation {
            "provided_methods_extend_the_ttl" => &[*last],
            _ => entries,
        };
        let outcome = self.inner.insert_indexed(entries, record, due).await?;
        Ok(match outcome {
            InsertOutcome::EntryLost if self.mutation.starts_with("insert_indexed_sees") => {
                InsertOutcome::inserted(Vec::new())
            }
            InsertOutcome::EntryLost if self.breaks("no_insertion_escapes_a_deletion") => {
                InsertOutcome::inserted(Vec::new())
            }
            outcome => outcome,
        })
    }

    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        if self.breaks("refreshes_keep_tombstones") {
            self.inner.index_put(entry, PutMode::Reactivate).await?;
        }
        if !self.breaks("compare_and_set_indexed_does_both") {
            self.inner.index_put(entry, PutMode::KeepTombstone).await?;
        }
        self.inner.compare_and_set(expected, record).await
    }

    async fn delete_indexed(
        &self,
        keys: &[&str],
        index: &str,
        members: &[&str],
    ) -> Result<usize, StoreError> {
        let deleted = self.inner.delete_indexed(keys, index, members).await?;
        if self.breaks("delete_indexed_deletes_and_counts") {
            return Ok(keys.len());
        }
        Ok(deleted)
    }

    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<(), StoreError> {
        let refresh = self.inner.index_refresh(index, live, dead, due_by);
        refresh.await?;
        if self.breaks("index_refresh_puts_and_removes") {
            return self.inner.index_remove(index, dead, None).await;
        }
        Ok(())
    }
}
