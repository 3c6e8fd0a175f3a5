//! The open file.

use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{Builder, Database, DatabaseError, ReadTransaction, WriteTransaction};

use super::error::{self, Step};
use super::schema;
use crate::store::error::{Result, StoreError};

/// Memory for pages of the file.
const CACHE_BYTES: usize = 64 << 20;

/// A file of sessions, opened again after a failure.
pub(super) struct SessionFile {
    path: PathBuf,
    /// `None` after a failure, until the file could be opened again.
    database: RwLock<Option<Database>>,
}

impl SessionFile {
    /// Opens the file or creates it, and verifies all its checksums.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            database: RwLock::new(Some(open(path)?)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `read` in a transaction that sees all acknowledged writes.
    pub(super) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Step<T>) -> Result<T> {
        self.run(|database| read(&database.begin_read()?))
    }

    /// Runs `write` and commits to the disk what it has written.
    pub(super) fn write<T>(&self, write: impl FnOnce(&WriteTransaction) -> Step<T>) -> Result<T> {
        self.run(|database| {
            let transaction = database.begin_write()?;
            let result = write(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Closes the file and opens it again: after an I/O error redb does not use it any further.
    pub(super) fn reopen(&self) -> Result<()> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // First, because the file can be open only once.
        *database = None;
        *database = Some(open(&self.path)?);
        Ok(())
    }

    /// Opens the file unless it is open.
    pub(super) fn ensure_open(&self) -> Result<()> {
        let is_open = self.lock().is_some();
        if is_open { Ok(()) } else { self.reopen() }
    }

    fn lock(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work`. In a file that was damaged while it was open, redb may panic.
    fn run<T>(&self, work: impl FnOnce(&Database) -> Step<T>) -> Result<T> {
        let database = self.lock();
        let Some(database) = &*database else {
            return Err(error::damaged(&self.path));
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(database)));
        let result = result.map_err(|_| error::damaged(&self.path))?;
        result.map_err(StoreError::from)
    }
}

fn open(path: &Path) -> Result<Database> {
    let opened = catch_unwind(AssertUnwindSafe(|| open_and_verify(path)));
    let opened = opened.map_err(|_| error::damaged(path))?;
    let database = opened.map_err(|problem| error::not_opened(path, problem))?;
    create_tables(&database)?;
    Ok(database)
}

fn open_and_verify(path: &Path) -> Result<Database, DatabaseError> {
    let mut database = Builder::new()
        .set_cache_size(CACHE_BYTES)
        // The format that later versions of redb read too.
        .create_with_file_format_v3(true)
        .create_file(private_file(path)?)?;
    // redb verifies checksums only here and after a crash, not when it reads.
    if !database.check_integrity()? {
        tracing::warn!(
            path = %path.display(),
            "the file of sessions was damaged and has been repaired; the last changes may be lost"
        );
    }
    Ok(database)
}

/// Opens the file or creates it, readable by this user only.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Creates the tables of a new file, which readers expect.
fn create_tables(database: &Database) -> Result<()> {
    let create = || -> Step<()> {
        let transaction = database.begin_write()?;
        schema::create(&transaction)?;
        Ok(transaction.commit()?)
    };
    create().map_err(StoreError::from)
}
