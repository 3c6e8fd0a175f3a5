//! The file store: reads on blocking threads, writes in one thread.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redb::ReadTransaction;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::Step;
use super::file::SessionFile;
use super::owned::{Entry, Record, borrowed, owned};
use super::tables::{self, Tables};
use super::writer::Writer;
use crate::clock::{Clock, SystemClock, unix_millis};
use crate::store::contract::Store;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, StoredRecord, SupersedeOutcome,
};
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
    async fn read<T: Send + 'static>(
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

#[async_trait]
impl Store for FileStore {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>> {
        let records = self.load_many(&[key]).await?;
        Ok(records.into_iter().next().flatten())
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        let record = Record::from(record);
        self.write(move |tables| tables.insert(record.get())).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let (expected, record) = (expected.to_vec(), Record::from(record));
        let swap = move |tables: &mut Tables<'_>| {
            tables.compare_and_swap(&record.key, &expected, Some(record.get()))
        };
        self.write(swap).await
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        let (key, expected) = (key.to_owned(), expected.to_vec());
        self.write(move |tables| tables.compare_and_swap(&key, &expected, None))
            .await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool> {
        let key = key.to_owned();
        self.write(move |tables| tables.set_ttl(&key, ttl)).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let key = key.to_owned();
        self.write(move |tables| tables.delete(&key)).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let entry = Entry::from(entry);
        self.write(move |tables| tables.index_put(entry.get(), mode))
            .await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        let (index, member) = (index.to_owned(), member.to_owned());
        self.read(move |transaction, now| tables::entry(transaction, (&index, &member), now))
            .await
    }

    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>> {
        let index = index.to_owned();
        self.read(move |transaction, now| tables::list(transaction, &index, due, now))
            .await
    }

    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        let (index, after) = (index.to_owned(), page.after.cloned());
        let (descending, limit) = (page.descending, page.limit);
        self.read(move |transaction, now| {
            let page = IndexPage {
                after: after.as_ref(),
                descending,
                limit,
            };
            tables::page(transaction, &index, page, now)
        })
        .await
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        let (index, members) = (index.to_owned(), owned(members));
        self.write(move |tables| tables.index_remove(&index, borrowed(&members), due_by))
            .await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>> {
        let (index, keep) = (index.to_owned(), keep.map(str::to_owned));
        self.write(move |tables| tables.index_tombstone_all(&index, keep.as_deref(), now))
            .await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        let (index, old, new) = (index.to_owned(), old.to_owned(), new.to_owned());
        self.write(move |tables| tables.index_supersede(&index, (&old, &new), now))
            .await
    }

    async fn ping(&self) -> Result<()> {
        self.read(|_, _| Ok(())).await
    }

    fn watch(&self, key: &str) -> Option<RecordWatch> {
        Some(self.shared.watches.watch(key))
    }

    // Several steps in one transaction wait for the disk once.

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>> {
        let keys = owned(keys);
        self.read(move |transaction, now| tables::load(transaction, &keys, now))
            .await
    }

    async fn load_and_set_ttl(&self, key: &str, ttl: Duration) -> Result<Option<StoredRecord>> {
        let key = key.to_owned();
        self.write(move |tables| {
            let record = tables.load(&key)?;
            tables.set_ttl(&key, ttl)?;
            Ok(record)
        })
        .await
    }

    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome> {
        let entries: Vec<_> = entries.iter().copied().map(Entry::from).collect();
        let record = Record::from(record);
        self.write(move |tables| insert_indexed(tables, &entries, &record, due))
            .await
    }

    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let (entry, expected) = (Entry::from(entry), expected.to_vec());
        let record = Record::from(record);
        self.write(move |tables| {
            tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            tables.compare_and_swap(&record.key, &expected, Some(record.get()))
        })
        .await
    }

    async fn set_ttl_indexed(&self, entry: NewEntry<'_>, key: &str, ttl: Duration) -> Result<bool> {
        let (entry, key) = (Entry::from(entry), key.to_owned());
        self.write(move |tables| {
            tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            tables.set_ttl(&key, ttl)
        })
        .await
    }

    async fn delete_indexed(&self, keys: &[&str], index: &str, members: &[&str]) -> Result<usize> {
        let (keys, index, members) = (owned(keys), index.to_owned(), owned(members));
        self.write(move |tables| {
            let mut deleted = 0;
            for key in &keys {
                deleted += usize::from(tables.delete(key)?);
            }
            if !members.is_empty() {
                tables.index_remove(&index, borrowed(&members), None)?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<()> {
        let live: Vec<_> = live.iter().copied().map(Entry::from).collect();
        let (index, dead) = (index.to_owned(), owned(dead));
        self.write(move |tables| {
            for entry in &live {
                tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            }
            tables.index_remove(&index, borrowed(&dead), Some(due_by))
        })
        .await
    }
}

/// The steps of [`Store::insert_indexed`].
fn insert_indexed(
    tables: &mut Tables<'_>,
    entries: &[Entry],
    record: &Record,
    due: Option<Due>,
) -> Step<InsertOutcome> {
    for entry in entries {
        tables.index_put(entry.get(), PutMode::KeepTombstone)?;
    }
    if !tables.insert(record.get())? {
        return Ok(InsertOutcome::KeyTaken);
    }
    let mut listed = Vec::new();
    if let Some(Entry { index, member, .. }) = entries.last() {
        let state = tables.index_get(index, member)?;
        if !matches!(state, Some(EntryState::Active { .. })) {
            return Ok(InsertOutcome::EntryLost);
        }
        if due.is_some() {
            listed = tables.index_list(index, due)?;
        }
    }
    Ok(InsertOutcome::Inserted { due: listed })
}
