//! A toy protocol, right and wrong, that the explorer must tell apart.

use std::time::Duration;

use super::{Explorer, SteppedStore, Violation, World};
use crate::store::legacy::{Command, Compared, Reply, Store};
use crate::store::memory::MemoryStore;

const KEY: &str = "counter";
const TTL: Duration = Duration::from_secs(60);

async fn read(store: &dyn Store) -> Vec<u8> {
    match store.run(&[Command::Load { key: KEY }]).await.as_deref() {
        Ok([Reply::Record(Some(stored))]) => stored.value.to_vec(),
        _ => Vec::new(),
    }
}

async fn number(store: &dyn Store) -> u8 {
    read(store).await.first().copied().unwrap_or_default()
}

/// Loses the update of another that comes in between.
async fn replace(store: SteppedStore) {
    let value = &[number(&store).await + 1][..];
    let (key, ttl) = (KEY, TTL);
    let _ = store.run(&[Command::Replace { key, value, ttl }]).await;
}

async fn compare_and_set(store: SteppedStore) {
    let mut expected = read(&store).await;
    loop {
        let value = [expected[0] + 1];
        let command = Command::CompareAndSet {
            key: KEY,
            expected: &expected,
            value: &value,
            ttl: TTL,
        };
        match store.run(&[command]).await.as_deref() {
            Ok([Reply::Compared(Compared::Different(newer))]) => expected = newer.to_vec(),
            _ => return,
        }
    }
}

async fn begin(store: &MemoryStore) {
    let (key, value, ttl) = (KEY, &[0][..], TTL);
    let insert = Command::Insert { key, value, ttl };
    store.run(&[insert]).await.unwrap();
}

/// Every increment that returned must count; one that did not may.
fn count<F>(
    explorer: &Explorer,
    writers: usize,
    increment: fn(SteppedStore) -> F,
) -> Result<super::Summary, Violation>
where
    F: Future<Output = ()> + Send + 'static,
{
    explorer.explore(async |world: &mut World| {
        begin(&world.store()).await;
        let writers: Vec<_> = (0..writers)
            .map(|n| world.spawn(format!("writer {n}"), increment))
            .collect();
        let store = world.store();
        async move || {
            let count = usize::from(number(&store).await);
            let returned = writers
                .iter()
                .filter(|writer| writer.has_returned())
                .count();
            if (returned..=writers.len()).contains(&count) {
                return Ok(());
            }
            Err(format!("{returned} increments made {count}"))
        }
    })
}

#[test]
fn a_lost_update_is_found() {
    let violation = count(&Explorer::new(), 2, replace).unwrap_err();
    assert_eq!(violation.sentence(), "2 increments made 1");
    assert_eq!(violation.schedule().len(), 4, "{violation}");
}

#[test]
fn compare_and_set_loses_nothing() {
    for writers in 1..=3 {
        let explorer = Explorer::new().crashes(1).drops(1);
        let summary = count(&explorer, writers, compare_and_set).unwrap();
        assert!(summary.ends > writers && summary.pruned > 0 || writers == 1);
    }
}

#[test]
fn without_crashes_one_writer_has_one_order() {
    let summary = count(&Explorer::new(), 1, compare_and_set).unwrap();
    assert_eq!((summary.ends, summary.steps, summary.pruned), (1, 2, 0));
}

#[test]
fn crashes_are_tried_wherever_they_make_a_difference() {
    let explorer = Explorer::new().crashes(2).drops(1);
    let mut everywhere = explorer.clone();
    everywhere.everywhere = true;
    let few = count(&explorer, 3, compare_and_set).unwrap();
    let all = count(&everywhere, 3, compare_and_set).unwrap();
    assert_eq!(few.ends, all.ends);
    assert!(few.steps < all.steps, "{few:?} {all:?}");
}

/// Two steps in the caller's own future; dropped between them, only the first is done.
async fn careless(store: SteppedStore) {
    for key in ["first", "second"] {
        let (value, ttl) = (&b""[..], TTL);
        let _ = store.run(&[Command::Insert { key, value, ttl }]).await;
    }
}

async fn careful(store: SteppedStore) {
    let _ = tokio::spawn(careless(store)).await;
}

fn all_or_nothing<F>(
    explorer: &Explorer,
    operation: fn(SteppedStore) -> F,
) -> Result<super::Summary, Violation>
where
    F: Future<Output = ()> + Send + 'static,
{
    explorer.explore(async |world: &mut World| {
        world.spawn("call", operation);
        let store = world.store();
        async move || match store.len() {
            1 => Err("half of it was done".into()),
            _ => Ok(()),
        }
    })
}

#[test]
fn a_dropped_future_leaves_half_undone_unless_a_task_goes_on() {
    let drops = Explorer::new().drops(1);
    let violation = all_or_nothing(&drops, careless).unwrap_err();
    assert_eq!(violation.schedule(), ["call: insert", "call is dropped"]);
    all_or_nothing(&drops, careful).unwrap();
    let violation = all_or_nothing(&Explorer::new().crashes(1), careful).unwrap_err();
    assert_eq!(violation.schedule(), ["call: insert", "call crashes"]);
}

#[test]
fn who_precedes_whom_is_known_to_the_check() {
    let orders = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let explored = Explorer::new().explore(async |world: &mut World| {
        let [a, b] = ["a", "b"].map(|name| world.spawn(name, async |store| read(&store).await));
        let orders = &orders;
        async move || {
            orders.borrow_mut().insert((a.precedes(&b), b.precedes(&a)));
            Ok(())
        }
    });
    assert_eq!(explored.unwrap().ends, 2);
    assert_eq!(orders.into_inner().len(), 2);
}

/// Takes an answer for a success and anything else for a failure.
async fn insert(store: SteppedStore) -> bool {
    let (key, value, ttl) = (KEY, &b""[..], TTL);
    let insert = Command::Insert { key, value, ttl };
    store.run(&[insert]).await.is_ok()
}

#[test]
fn a_failure_is_applied_or_not() {
    for (stands, lie) in [
        (true, "toy: insert (refused)"),
        (false, "toy: insert (reply lost)"),
    ] {
        let explored = Explorer::new()
            .failures(1)
            .explore(async |world: &mut World| {
                let toy = world.spawn("toy", insert);
                let store = world.store();
                async move || match (toy.value(), store.is_empty()) {
                    (Some(false), empty) if empty == stands => Err("it may be either".into()),
                    _ => Ok(()),
                }
            });
        assert_eq!(explored.unwrap_err().schedule(), [lie]);
    }
}

#[test]
fn panics_and_deadlocks_are_violations() {
    let panics = Explorer::new().explore(async |world: &mut World| {
        world.spawn("toy", async |store| assert_eq!(read(&store).await, b"no"));
        async || Ok(())
    });
    assert_eq!(panics.unwrap_err().sentence(), "toy panicked");
    let blocks = Explorer::new().explore(async |world: &mut World| {
        world.spawn("toy", async |_store| std::future::pending::<()>().await);
        async || Ok(())
    });
    assert_eq!(blocks.unwrap_err().sentence(), "toy waits for ever");
}
