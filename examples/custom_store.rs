//! Sessions in a file: a durable store on the embedded database redb.
//!
//! The database needs a read and a compare-and-swap; `CasStore` makes a complete store of them.
//! Run this twice: the second process finds the session of the first.
//!
//! `cargo run --example custom_store`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_redis_session::store::cas::{CasBackend, CasStore};
use jwt_redis_session::store::{StoreError, StoreErrorKind, StoredRecord, async_trait};
use jwt_redis_session::{Keyring, Sessions};
use redb::{AccessGuard, Database, ReadableTable, TableDefinition};

type BoxResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A key, the time at which it expires in Unix milliseconds, and its value.
const VALUES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("sessions");

/// A database file. Clones share it; another process cannot open it at the same time.
#[derive(Clone, Debug)]
pub(crate) struct Redb(Arc<Database>);

impl Redb {
    /// Opens the file, or creates it.
    pub(crate) fn open(path: impl AsRef<Path>) -> BoxResult<Self> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(VALUES)?;
        transaction.commit()?;
        Ok(Self(Arc::new(database)))
    }

    /// Deletes expired values, which reads only ignore.
    pub(crate) async fn purge(&self) -> Result<(), StoreError> {
        self.run(|database| {
            let now = unix_millis(Duration::ZERO);
            let transaction = database.begin_write()?;
            let mut values = transaction.open_table(VALUES)?;
            values.retain(|_, (expires, _)| expires > now)?;
            drop(values);
            Ok(transaction.commit()?)
        })
        .await
    }

    /// Runs `work` on a thread that may block. It is completed even if the future is dropped.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> BoxResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.0);
        let work = tokio::task::spawn_blocking(move || work(&database));
        work.await.map_err(failed)?.map_err(failed)
    }
}

#[async_trait]
impl CasBackend for Redb {
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        let key = key.to_owned();
        self.run(move |database| {
            let values = database.begin_read()?.open_table(VALUES)?;
            Ok(live(values.get(&*key)?))
        })
        .await
    }

    async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        let (key, expected) = (key.to_owned(), expected.map(<[u8]>::to_vec));
        let new = new.map(|(value, ttl)| (unix_millis(ttl), value.to_vec()));
        self.run(move |database| {
            // redb runs one write transaction at a time, so nothing changes in between.
            let transaction = database.begin_write()?;
            let mut values = transaction.open_table(VALUES)?;
            let held = live(values.get(&*key)?);
            if held.as_ref().map(|held| &*held.value) != expected.as_deref() {
                return Ok(false);
            }
            match &new {
                Some((expires, value)) => values.insert(&*key, (*expires, &**value))?,
                None => values.remove(&*key)?,
            };
            drop(values);
            transaction.commit()?;
            Ok(true)
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.run(|database| Ok(database.begin_read().map(drop)?))
            .await
    }
}

/// Returns a value with what is left of its TTL, unless it has expired.
fn live(found: Option<AccessGuard<'_, (u64, &[u8])>>) -> Option<StoredRecord> {
    let found = found?;
    let (expires, value) = found.value();
    let left = expires.saturating_sub(unix_millis(Duration::ZERO));
    let ttl = Some(Duration::from_millis(left));
    (left > 0).then(|| StoredRecord::new(value.to_vec(), ttl))
}

/// Returns the time after `duration`, in Unix milliseconds.
fn unix_millis(duration: Duration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = now.unwrap_or_default().saturating_add(duration);
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Other).with_source(error)
}

#[tokio::main]
async fn main() -> BoxResult<()> {
    let file = std::env::temp_dir().join("custom_store.redb");
    let database = Redb::open(&file)?;
    database.purge().await?;
    let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789")?;
    let sessions = Sessions::builder(CasStore::new(database), keys).build()?;

    let found = sessions.list("jo").await?;
    let session = match found.first() {
        Some(entry) => sessions.get(entry.id()).await?,
        None => sessions.new_session(),
    };
    let runs = session.get::<u32>("runs")?.unwrap_or(0) + 1;
    session.insert("runs", runs)?;
    // Creates the session, or gives it a new id.
    session.login("jo").await?;
    println!("run {runs} with the session in {}", file.display());
    Ok(())
}
