//! The file store: what its clones share, and how calls run.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redb::ReadTransaction;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::Step;
use super::file::SessionFile;
use super::tables::Tables;
use super::writer::Writer;
use crate::clock::{Clock, SystemClock, unix_millis};
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::watches::{RecordWatch, RecordWatches};

/// The default deadline.
const DEADLINE: Duration = Duration::from_secs(5);

/// The largest number of calls in progress.
pub(super) const MAX_CALLS: usize = 1024;

/// Store in one file, for one process without Redis.
///
/// Sessions survive a restart of the process.
///
/// A call that writes returns when the change is on the disk (`fsync`), so a crash or a power
/// failure loses no change that was reported as stored. Concurrent changes are written together.
/// The file is a [redb](https://docs.rs/redb) database. It is created with permissions for this
/// user only, and only one process at a time can open it. Expired sessions are deleted within
/// about a minute. The file does not shrink; its space is used again.
///
/// Clones share the file. It is closed when the last clone is dropped, which waits for the writes
/// in progress.
///
/// A full disk fails writes with [`StoreErrorKind::Full`], and with them each read of a session that
/// refreshes its TTL. Other reads go on, and writes work again when there is space.
///
/// Checksums are verified when the file is opened, not by each read.
///
/// ```
/// use jwt_redis_session::store::FileStore;
/// use jwt_redis_session::{Keyring, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("sessions.redb");
/// let store = FileStore::open(path)?;
/// let keys = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(store, keys).build()?;
/// let session = sessions.new_session();
/// session.login("jo").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileStore {
    shared: Arc<Shared>,
    deadline: Duration,
}

/// State shared by all clones. The writer is dropped first, because it uses the file.
struct Shared {
    writer: Writer,
    file: Arc<SessionFile>,
    clock: Arc<dyn Clock>,
    watches: RecordWatches,
    calls: Arc<Semaphore>,
}

impl FileStore {
    /// Opens the file, or creates it if it does not exist.
    ///
    /// Reads the whole file to verify it, so this blocks the thread: about a second per gigabyte
    /// on a fast disk.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Configuration`] if another process has it open, if it is not a file of
    /// sessions, or if it cannot be opened; [`StoreErrorKind::Damaged`] if a checksum is wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with_clock(path.as_ref(), SystemClock)
    }

    /// As [`open`](Self::open), with a clock for the TTLs.
    pub(super) fn open_with_clock(path: &Path, clock: impl Clock) -> Result<Self> {
        let (file, clock) = (Arc::new(SessionFile::open(path)?), Arc::new(clock));
        let watches = RecordWatches::new();
        let shared = Shared {
            writer: Writer::start(Arc::clone(&file), clock.clone(), watches.clone())?,
            file,
            clock,
            watches,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        };
        Ok(Self {
            shared: Arc::new(shared),
            deadline: DEADLINE,
        })
    }

    /// Sets the longest time for a call of this clone. Defaults to 5 seconds.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs `read` on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction, i64) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        self.call(async |permit| {
            let now = unix_millis(shared.clock.now());
            let file = Arc::clone(&shared.file);
            let read = move || {
                let _until_read = permit;
                file.read(|transaction| read(transaction, now))
            };
            tokio::task::spawn_blocking(read).await.map_err(other)?
        })
        .await
    }

    /// Runs `step` in a transaction.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Tables<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        self.call(async |permit| {
            let step = move |tables: &mut Tables<'_>| {
                let _until_run = permit;
                step(tables)
            };
            self.shared.writer.run(step).await
        })
        .await
    }

    pub(super) fn record_watch(&self, key: &str) -> RecordWatch {
        self.shared.watches.watch(key)
    }

    /// Runs `call` within the deadline. Its work keeps the permit, because it waits for a slow disk
    /// even if the caller has left: this bounds the memory of what waits.
    async fn call<T>(
        &self,
        call: impl AsyncFnOnce(OwnedSemaphorePermit) -> Result<T>,
    ) -> Result<T> {
        let permitted = async {
            let permit = Arc::clone(&self.shared.calls).acquire_owned().await;
            call(permit.map_err(other)?).await
        };
        let answer = timeout(self.deadline, permitted).await;
        answer.map_err(|_| StoreErrorKind::Timeout)?
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::new(StoreErrorKind::Other).with_source(error)
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.shared.file.path();
        f.debug_struct("FileStore")
            .field("path", &path)
            .finish_non_exhaustive()
    }
}
