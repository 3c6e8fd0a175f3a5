//! Tests of what the conformance suite cannot see of a file store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::FileStore;
use super::error::Step;
use super::file::SessionFile;
use super::store::MAX_CALLS;
use super::sweep::{Expired, Sweep};
use super::tables::Tables;
use crate::clock::ManualClock;
use crate::store::contract::Store;
use crate::store::error::StoreErrorKind::{self, Configuration, Damaged};
use crate::store::types::{NewEntry, NewRecord, PutMode};

const MINUTE: Duration = Duration::from_secs(60);

/// Returns the path of a file in a folder that is removed with the guard.
fn path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    (folder, path)
}

fn kind(opened: Result<FileStore, crate::store::StoreError>) -> StoreErrorKind {
    opened.unwrap_err().kind()
}

async fn fill(store: &FileStore, ttl: Duration, count: usize) {
    for number in 0..count {
        let key = format!("{ttl:?}-{number}");
        let entry = NewEntry::new(&key, "member", 1, ttl);
        let record = NewRecord::new(&key, b"{}", ttl);
        store.insert_indexed(&[entry], record, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_is_used_by_one_process_and_read_by_the_next() {
    let (_folder, path) = path();
    let store = FileStore::open(&path).unwrap();
    fill(&store, MINUTE, 1).await;
    let error = FileStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), Configuration);
    let text = error.to_string();
    assert!(text.contains("sessions.redb: is in use"), "{text}");
    drop(store);
    let store = FileStore::open(&path).unwrap();
    assert_eq!(store.load("60s-0").await.unwrap().unwrap().value, "{}");
    let entry = store.index_get("60s-0", "member").await;
    assert!(entry.unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_new_file_can_be_read_by_its_user_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, path) = path();
    let _store = FileStore::open(&path).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn other_and_damaged_files_are_rejected() {
    let (folder, path) = path();
    assert_eq!(kind(FileStore::open(folder.path())), Configuration);
    assert_eq!(kind(FileStore::open(path.join("no-folder"))), Configuration);
    std::fs::write(&path, "not a database, but a text of some length").unwrap();
    assert_eq!(kind(FileStore::open(&path)), Configuration);
    std::fs::remove_file(&path).unwrap();

    let store = FileStore::open(&path).unwrap();
    fill(&store, MINUTE, 1000).await;
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let needle = b"60s-500";
    let at = whole
        .windows(needle.len())
        .position(|bytes| bytes == needle);
    let mut flipped = whole.clone();
    flipped[at.unwrap()] ^= 1;
    for damaged in [cut, flipped] {
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(kind(FileStore::open(&path)), Damaged);
    }
    std::fs::write(&path, whole).unwrap();
    assert!(FileStore::open(&path).is_ok());
}

#[tokio::test]
async fn expired_values_are_deleted_and_live_ones_stay() {
    let (_folder, path) = path();
    let clock = ManualClock::at(0);
    let store = FileStore::open_with_clock(&path, clock.clone()).unwrap();
    fill(&store, MINUTE, 10).await;
    fill(&store, 2 * MINUTE, 3).await;
    drop(store);

    let file = SessionFile::open(&path).unwrap();
    let mut sweep = Sweep::default();
    let mut found = Vec::new();
    for _ in 0..2 {
        let expired = sweep.find(&file, 60_000).unwrap();
        // In use again: a key that was found must not be deleted blindly.
        let now = if found.is_empty() { 60_000 } else { 59_999 };
        let (Expired::Records(keys) | Expired::Indexes(keys)) = &expired;
        found.push(keys.len());
        let delete = file.write(|transaction| expired.delete(&mut Tables::open(transaction, now)?));
        delete.unwrap();
    }
    assert_eq!(found, [10, 10]);
    assert!(
        sweep.pause() > Duration::from_secs(50),
        "a whole search is done"
    );
    let mut sweep = Sweep::default();
    let left: Vec<_> = (0..2)
        .map(|_| match sweep.find(&file, 60_000).unwrap() {
            Expired::Records(keys) | Expired::Indexes(keys) => keys.len(),
        })
        .collect();
    assert_eq!(left, [0, 10]);
}

#[tokio::test]
async fn an_index_that_has_expired_is_not_continued() {
    let (_folder, path) = path();
    let clock = ManualClock::at(0);
    let store = FileStore::open_with_clock(&path, clock.clone()).unwrap();
    let put = async |member| {
        let entry = NewEntry::new("index", member, 1, MINUTE);
        store
            .index_put(entry, PutMode::KeepTombstone)
            .await
            .unwrap();
    };
    put("old").await;
    clock.advance(MINUTE);
    assert_eq!(store.index_list("index", None).await.unwrap(), []);
    put("new").await;
    let members = store.index_list("index", None).await.unwrap();
    let members: Vec<_> = members.into_iter().map(|entry| entry.member).collect();
    assert_eq!(members, ["new"]);
}

#[tokio::test]
async fn steps_that_wait_are_committed_together() {
    // Few enough that one poll queues all of them.
    const STEPS: usize = 30;

    let (_folder, path) = path();
    let store = FileStore::open(&path).unwrap();
    let (start, started) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel();
    let first = store.clone();
    let first = tokio::spawn(async move {
        let step = move |_: &mut Tables<'_>| Ok(start.send(()).is_ok() && released.recv().is_ok());
        first.write(step).await
    });
    // The transaction of the first step has begun: the others are in another one.
    started.await.unwrap();
    let insert = async |number: usize| {
        let key = number.to_string();
        let insert = move |tables: &mut Tables<'_>| {
            tables.insert(NewRecord::new(&key, b"{}", MINUTE))?;
            Ok(tables.changed.len())
        };
        store.write(insert).await.unwrap()
    };
    let others = futures_util::future::join_all((0..STEPS).map(insert));
    let (positions, ()) = tokio::join!(others, async { release.send(()).unwrap() });
    assert_eq!(first.await.unwrap(), Ok(true));
    assert!(positions.into_iter().eq(1..=STEPS));
}

#[tokio::test]
async fn a_failed_transaction_fails_its_steps_and_the_file_is_opened_again() {
    let (_folder, path) = path();
    let store = FileStore::open(&path).unwrap();
    fill(&store, MINUTE, 1).await;
    let broken = store.write(|_| -> Step<()> { panic!("as redb may in a damaged file") });
    let other = store.delete("60s-0");
    let (broken, other) = tokio::join!(broken, other);
    assert_eq!(broken.unwrap_err().kind(), Damaged);
    assert_eq!(other.unwrap_err().kind(), Damaged);
    // Nothing was written, reads go on, and the next attempt comes after a pause.
    assert!(store.load("60s-0").await.unwrap().is_some());
    assert_eq!(store.delete("60s-0").await.unwrap_err().kind(), Damaged);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(store.delete("60s-0").await, Ok(true));
}

#[tokio::test]
async fn a_slow_disk_meets_the_deadline() {
    let (_folder, path) = path();
    let store = FileStore::open(&path).unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let slow = store.write(move |_| Ok(released.recv().is_ok()));
    let quick = store.clone().with_deadline(Duration::from_millis(50));
    let (slow, answer) = tokio::join!(slow, async {
        let answer = quick.delete("a").await;
        release.send(()).unwrap();
        answer
    });
    assert_eq!(slow, Ok(true));
    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Timeout);
}

#[tokio::test]
async fn calls_that_have_timed_out_hold_bounded_memory() {
    let (_folder, path) = path();
    let store = FileStore::open(&path).unwrap();
    let quick = store.clone().with_deadline(Duration::from_millis(50));
    let (release, released) = std::sync::mpsc::channel::<()>();
    let stuck = tokio::spawn({
        let store = store.clone();
        async move { store.write(move |_| Ok(released.recv().is_ok())).await }
    });
    tokio::task::yield_now().await;
    let queued = Arc::new(());
    for _ in 0..3 {
        let call = |_| {
            let held = Arc::clone(&queued);
            quick.write(move |_| {
                drop(held);
                Ok(())
            })
        };
        let answers = futures_util::future::join_all((0..MAX_CALLS).map(call)).await;
        assert!(answers.iter().all(Result::is_err));
    }
    assert!(Arc::strong_count(&queued) <= MAX_CALLS + 1);
    release.send(()).unwrap();
    assert_eq!(stuck.await.unwrap(), Ok(true));
    // The permits of abandoned calls are free again.
    assert_eq!(store.delete("a").await, Ok(false));
}
