//! The tables of the file.
//!
//! A record and an index can have the same key: they are in different tables.

use redb::{TableDefinition, WriteTransaction};

use super::error::Step;

/// Key, the time at which the record expires in Unix milliseconds, value.
pub(super) const RECORDS: TableDefinition<'_, &str, (i64, &[u8])> = TableDefinition::new("records");

/// Key, and the time at which the index expires in Unix milliseconds.
pub(super) const INDEXES: TableDefinition<'_, &str, i64> = TableDefinition::new("indexes");

/// Key of the index, session id, score.
pub(super) const ENTRIES: TableDefinition<'_, (&str, &str), i64> = TableDefinition::new("entries");

/// The same entries in the order of their scores.
pub(super) const SCORES: TableDefinition<'_, (&str, i64, &str), ()> =
    TableDefinition::new("scores");

/// Creates the tables of a new file, which readers expect.
pub(super) fn create(transaction: &WriteTransaction) -> Step<()> {
    transaction.open_table(RECORDS)?;
    transaction.open_table(INDEXES)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(SCORES)?;
    Ok(())
}
