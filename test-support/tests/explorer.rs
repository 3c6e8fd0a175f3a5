//! Correct and incorrect example protocols, which the explorer must distinguish.

use std::time::Duration;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::{CompareOutcome, NewRecord, SharedStore, Store};
use test_support::scheduler::{Explorer, Simulation, Summary, Violation};

const KEY: &str = "counter";
const TTL: Duration = Duration::from_secs(60);

async fn read(store: &dyn Store) -> Vec<u8> {
    match store.load(KEY).await {
        Ok(Some(stored)) => stored.value.to_vec(),
        _ => Vec::new(),
    }
}

async fn number(store: &dyn Store) -> u8 {
    read(store).await.first().copied().unwrap_or_default()
}

/// Loses the update of another process that comes in between.
async fn replace(store: SharedStore) {
    let value = [number(&*store).await + 1];
    let _ = store.delete(KEY).await;
    let _ = store.insert(NewRecord::new(KEY, &value, TTL)).await;
}

async fn compare_and_set(store: SharedStore) {
    let mut expected = read(&*store).await;
    loop {
        let value = [expected[0] + 1];
        let record = NewRecord::new(KEY, &value, TTL);
        match store.compare_and_set(&expected, record).await {
            Ok(CompareOutcome::Mismatch(newer)) => expected = newer.to_vec(),
            _ => return,
        }
    }
}

async fn begin(store: &MemoryStore) {
    store.insert(NewRecord::new(KEY, &[0], TTL)).await.unwrap();
}

/// Every increment that returned must count; one that did not may.
fn count<F>(
    explorer: &Explorer,
    writers: usize,
    increment: fn(SharedStore) -> F,
) -> Result<Summary, Violation>
where
    F: Future<Output = ()> + Send + 'static,
{
    explorer.explore(async |simulation: &mut Simulation| {
        begin(&simulation.store()).await;
        let writers: Vec<_> = (0..writers)
            .map(|n| simulation.spawn(format!("writer {n}"), increment))
            .collect();
        let store = simulation.store();
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
    assert_eq!(violation.message(), "2 increments made 1");
    assert_eq!(violation.schedule().len(), 6, "{violation}");
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
    let everywhere = explorer.clone().everywhere();
    let few = count(&explorer, 3, compare_and_set).unwrap();
    let all = count(&everywhere, 3, compare_and_set).unwrap();
    assert_eq!(few.ends, all.ends);
    assert!(few.steps < all.steps, "{few:?} {all:?}");
}

/// Two steps in the caller's own future; dropped between them, only the first is done.
async fn careless(store: SharedStore) {
    for key in ["first", "second"] {
        let _ = store.insert(NewRecord::new(key, b"", TTL)).await;
    }
}

async fn careful(store: SharedStore) {
    let _ = tokio::spawn(careless(store)).await;
}

fn all_or_nothing<F>(
    explorer: &Explorer,
    operation: fn(SharedStore) -> F,
) -> Result<Summary, Violation>
where
    F: Future<Output = ()> + Send + 'static,
{
    explorer.explore(async |simulation: &mut Simulation| {
        simulation.spawn("call", operation);
        let store = simulation.store();
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
    let explored = Explorer::new().explore(async |simulation: &mut Simulation| {
        let [a, b] =
            ["a", "b"].map(|name| simulation.spawn(name, async |store| read(&*store).await));
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
async fn insert(store: SharedStore) -> bool {
    store.insert(NewRecord::new(KEY, b"", TTL)).await.is_ok()
}

#[test]
fn a_failure_is_applied_or_not() {
    for (stands, lie) in [
        (true, "process: insert (refused)"),
        (false, "process: insert (reply lost)"),
    ] {
        let explored = Explorer::new()
            .failures(1)
            .explore(async |simulation: &mut Simulation| {
                let process = simulation.spawn("process", insert);
                let store = simulation.store();
                async move || match (process.value(), store.is_empty()) {
                    (Some(false), empty) if empty == stands => Err("it may be either".into()),
                    _ => Ok(()),
                }
            });
        assert_eq!(explored.unwrap_err().schedule(), [lie]);
    }
}

#[test]
fn panics_and_deadlocks_are_violations() {
    let panics = Explorer::new().explore(async |simulation: &mut Simulation| {
        simulation.spawn("process", async |store| {
            assert_eq!(read(&*store).await, b"no");
        });
        async || Ok(())
    });
    assert_eq!(panics.unwrap_err().message(), "process panicked");
    let blocks = Explorer::new().explore(async |simulation: &mut Simulation| {
        simulation.spawn("process", async |_store| std::future::pending::<()>().await);
        async || Ok(())
    });
    assert_eq!(blocks.unwrap_err().message(), "process waits forever");
}
