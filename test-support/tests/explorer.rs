//! The explorer finds lost updates, lost replies, panics and deadlocks.

use std::time::Duration;

use futures_util::FutureExt as _;
use jwt_redis_session::store::{NewRecord, SharedStore, Store as _};
use test_support::explorer::Explorer;

/// Makes the record one byte longer, in three steps.
async fn lengthen(store: SharedStore) -> Option<()> {
    let stored = store.load("key").await.ok()?;
    let mut value = stored.map_or(Vec::new(), |stored| stored.value.to_vec());
    value.push(b'x');
    store.delete("key").await.ok()?;
    let record = NewRecord::new("key", &value, Duration::from_secs(60));
    store.insert(record).await.ok().map(drop)
}

/// Checks that the record is as long as the number of successful calls.
fn explore(explorer: Explorer, calls: usize) -> Result<usize, String> {
    explorer.explore(|simulation| {
        let calls: Vec<_> = (0..calls)
            .map(|_| simulation.spawn("p", lengthen))
            .collect();
        let store = simulation.store();
        move || {
            let stored = store.load("key").now_or_never().unwrap().unwrap();
            let length = stored.map_or(0, |stored| stored.value.len());
            let succeeded = calls.iter().filter_map(|call| call.value()?).count();
            (length == succeeded)
                .then_some(())
                .ok_or_else(|| "lost".to_owned())
        }
    })
}

#[test]
fn faults_are_found() {
    assert_eq!(explore(Explorer::PLAIN, 1), Ok(1));
    let lost = explore(Explorer::PLAIN, 2).unwrap_err();
    assert_eq!(lost.lines().count(), 7, "{lost}");
    let failing = Explorer {
        failures: 1,
        ..Explorer::PLAIN
    };
    let lost = explore(failing, 1).unwrap_err();
    assert!(lost.ends_with("insert key x (reply lost)"), "{lost}");
    for (panics, message) in [(true, "p panicked"), (false, "p waits forever")] {
        let explored = Explorer::PLAIN.explore(|simulation| {
            simulation.spawn("p", move |_| async move {
                assert!(!panics);
                std::future::pending::<()>().await;
            });
            || Ok(())
        });
        assert!(explored.unwrap_err().starts_with(message));
    }
}
