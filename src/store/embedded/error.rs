//! Errors of redb as store errors.

use std::io::{Error, ErrorKind};
use std::path::Path;

use redb::{CommitError, DatabaseError, StorageError, TableError, TransactionError};

use crate::store::error::{StoreError, StoreErrorKind};

/// A step that redb may fail.
pub(super) type Step<T> = Result<T, Failure>;

/// A failure of redb while the file was in use.
pub(super) struct Failure(StorageError);

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self(error)
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        Self(match error {
            TransactionError::Storage(error) => error,
            other => StorageError::Corrupted(other.to_string()),
        })
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self(match error {
            TableError::Storage(error) => error,
            other => StorageError::Corrupted(other.to_string()),
        })
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self(match error {
            CommitError::Storage(error) => error,
            other => StorageError::Corrupted(other.to_string()),
        })
    }
}

impl From<Failure> for StoreError {
    fn from(Failure(error): Failure) -> Self {
        match error {
            StorageError::Io(error) => of_file(error),
            StorageError::Corrupted(_) => StoreErrorKind::Damaged.into(),
            StorageError::ValueTooLarge(_) => StoreErrorKind::TooLarge.into(),
            other => Self::new(StoreErrorKind::Other).with_source(other),
        }
    }
}

/// Returns the error for a file that cannot be opened.
pub(super) fn not_opened(path: &Path, error: DatabaseError) -> StoreError {
    let configuration = |problem: &str| {
        let detail = format!("{}: {problem}", path.display());
        StoreError::new(StoreErrorKind::Configuration).with_detail(detail)
    };
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            configuration("is in use; one process at a time can open it")
        }
        DatabaseError::UpgradeRequired(_) => configuration("has the format of another version"),
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == ErrorKind::InvalidData =>
        {
            configuration("is not a file of sessions")
        }
        DatabaseError::Storage(StorageError::Io(error)) => configuration(&error.to_string()),
        _ => damaged(path),
    }
}

/// Returns the error for a file whose contents are not what was written.
pub(super) fn damaged(path: &Path) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged).with_detail(path.display().to_string())
}

fn of_file(error: Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreErrorKind::Full
        }
        _ => StoreErrorKind::Other,
    };
    StoreError::new(kind)
        .with_detail(error.kind().to_string())
        .with_source(error)
}
