//! Log lines of the Redis store, and what they never contain.

use std::collections::HashSet;

use super::*;
use crate::log::Log;

/// Returns how many lines contain `what`.
fn count(log: &Log, what: &str) -> usize {
    let text = log.text();
    text.lines().filter(|line| line.contains(what)).count()
}

/// The warning is logged for the first connection of a store only, however the store was created.
#[tokio::test]
async fn an_evicting_server_is_warned_of_once() {
    for (policy, warnings) in [("noeviction", 0), ("volatile-lru", 1), ("allkeys-lru", 1)] {
        let server = RedisServer::start_with(&["--maxmemory-policy", policy]);
        let stores = [
            RedisStore::lazy(&server.url()).expect("a good url"),
            #[cfg(feature = "pool")]
            RedisStore::from_pool(pool(&server)),
        ];
        for store in stores {
            let (log, _guard) = Log::record();
            for _ in 0..3 {
                read(&store).await.expect("redis answers");
                let warned = || async { (count(&log, policy) >= warnings).then_some(()) };
                eventually("warned", warned).await;
                server.run(&KILL_CLIENTS);
            }
            // A large value uses the second connection.
            let large = NewRecord::new("large", &[b'x'; 70_000], TTL);
            store.insert(large).await.expect("redis answers");
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(count(&log, policy), warnings, "{}", log.text());
        }
        let (log, _guard) = Log::record();
        connected(&server.url()).await;
        assert_eq!(count(&log, policy), warnings, "before it returns");
    }
}

/// The second line has the number of failed calls.
#[tokio::test]
async fn an_outage_logs_one_warning_and_one_recovery() {
    let mut server = RedisServer::start();
    let (log, _guard) = Log::record();
    let store = connected(&server.url()).await;
    server.kill();
    for _ in 0..300 {
        assert!(read(&store).await.is_err());
        assert!(write(&store).await.is_err());
        assert!(store.ping().await.is_err());
    }
    assert_eq!(count(&log, " WARN "), 1, "{}", log.text());
    server.restart();
    back(&store, "restarted").await;
    read(&store).await.expect("redis answers");
    let text = log.text();
    let counts = [" WARN ", " INFO "].map(|level| count(&log, level));
    assert_eq!(counts, [1, 1], "{text}");
    let recovered = text.lines().find(|line| line.contains(" INFO "));
    let failed = recovered.and_then(|line| line.rsplit_once("failed=")?.1.parse::<u32>().ok());
    assert!(failed.is_some_and(|failed| failed >= 899), "{failed:?}");
}

/// Secrets are names, values and credentials. Besides, a thousand failures log fewer than 30 lines.
#[tokio::test]
async fn no_error_and_no_log_line_has_a_secret() {
    let (log, _guard) = Log::record();
    let server = RedisServer::start();
    let user = format!("ACL SETUSER {MARKER} on >{MARKER} ~hush* +@all");
    server.run(&user.split(' ').collect::<Vec<_>>());
    let proxy = Proxy::to(server.address()).await;
    let credentials = format!("redis://{MARKER}:{MARKER}@");
    let store = connected(&proxy.url().replace("redis://", &credentials)).await;
    let mut kinds: HashSet<_> = failures(&store).await.into_iter().collect();
    for cause in [
        "CONFIG SET maxmemory 1",
        "CONFIG SET maxmemory 0",
        "REPLICAOF 127.0.0.1 1",
        "REPLICAOF NO ONE",
        "ACL SETUSER hush-hush -eval -get",
        "ACL SETUSER hush-hush nopass resetpass",
        "CLIENT KILL TYPE normal SKIPME yes",
    ] {
        server.run(&cause.split(' ').collect::<Vec<_>>());
        kinds.extend(failures(&store).await);
    }
    for garbage in ["+hush-hush\r\n", "!hush-hush", "-HUSH hush-hush\r\n"] {
        proxy.garbage(Some(garbage.as_bytes()));
        proxy.reset_open();
        tokio::time::sleep(Duration::from_millis(160)).await;
        kinds.extend(failures(&store).await);
    }
    for _ in 0..1000 {
        let _ = timed(store.load(MARKER)).await;
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let record = NewRecord::new(MARKER, MARKER.as_bytes(), TTL);
    assert!(!format!("{store:?} {record:?}").contains(MARKER));
    let lines = count(&log, "jwt_redis_session");
    assert!((3..30).contains(&lines), "{lines} lines: {}", log.text());
    assert!(!log.text().contains(MARKER), "{}", log.text());
}

/// Calls methods of every kind and returns the kinds of their errors.
async fn failures(store: &RedisStore) -> Vec<StoreErrorKind> {
    let (key, value) = (MARKER, MARKER.as_bytes());
    let entry = NewEntry::new(key, MARKER, 1, TTL);
    let other = NewRecord::new(key, b"hush-hush!", TTL);
    let kinds = [
        kind(timed(store.load(key)).await),
        kind(timed(store.insert(NewRecord::new(key, value, TTL))).await),
        kind(timed(store.compare_and_set(value, other)).await),
        kind(timed(store.index_put(entry, PutMode::KeepTombstone)).await),
        kind(timed(store.compare_and_set_indexed(entry, value, other)).await),
        kind(timed(store.index_tombstone_all(key, Some(MARKER), 1)).await),
        kind(timed(store.index_supersede(key, MARKER, MARKER, 1)).await),
        kind(timed(store.load("not-hush")).await),
    ];
    kinds.into_iter().flatten().collect()
}
