//! Changes of hot records: by this process, by another one, and by Redis.

use jwt_redis_session::{Keyring, Sessions};

use super::*;

/// Redis announces all of them.
#[tokio::test]
async fn changes_by_others_are_served() {
    let (server, cached, plain) = both().await;
    for (change, value) in [
        ("DEL k", None),
        ("UNLINK k", None),
        ("SET k other PX 60000", Some(&b"other"[..])),
        ("SETRANGE k 0 o", Some(b"o")),
        ("PEXPIRE k 50000", Some(b"v")),
        ("PEXPIRE k 0", None),
        ("RENAME k moved", None),
        ("FLUSHDB", None),
        ("FLUSHALL", None),
        ("FLUSHALL ASYNC", None),
    ] {
        plain.delete("k").await.expect("redis answers");
        insert_hot(&cached, "k").await;
        let before = stats(&cached).invalidations;
        let words: Vec<_> = change.split(' ').collect();
        server.run(&words);
        eventually(change, async || {
            let found = load(&cached, "k").await;
            let ttl = found.as_ref().and_then(|found| found.ttl);
            let is_touched = ttl.is_some_and(|ttl| ttl <= Duration::from_secs(50));
            let is_changed = found.as_ref().map(|found| &*found.value) == value;
            (is_changed && (is_touched || !change.ends_with("50000"))).then_some(())
        })
        .await;
        assert!(stats(&cached).invalidations > before, "{change}");
    }
}

/// The announcement of a write by the same connection comes behind its answer.
#[tokio::test]
async fn own_writes_are_served_at_once() {
    let (_server, cached, _plain) = both().await;
    let large = vec![b'v'; 100 * 1024];
    for round in 0..200 {
        let key = format!("k{round}");
        insert_hot(&cached, &key).await;
        let (short, other) = (Duration::from_secs(9), record(&key, b"other"));
        let entry = entry("i", &key, 1);
        let is_gone = match round % 8 {
            0 => cached.delete(&key).await == Ok(true),
            1 => cached.delete_indexed(&[&key], "i", &[&key]).await == Ok(1),
            2 => cached.compare_and_delete(&key, b"v").await == Ok(CompareOutcome::Applied),
            3 => cached.set_ttl(&key, short).await == Ok(false),
            4 => cached.set_ttl_indexed(entry, &key, short).await == Ok(false),
            5 => cached.load_and_set_ttl(&key, short).await == Ok(None),
            6 => {
                let set = cached.compare_and_set_indexed(entry, b"v", other).await;
                set != Ok(CompareOutcome::Applied)
            }
            // Over the other connection.
            _ => {
                let set = cached.compare_and_set(b"v", record(&key, &large)).await;
                set != Ok(CompareOutcome::Applied)
            }
        };
        let found = load(&cached, &key).await;
        assert_eq!(found.is_none(), is_gone, "{round}");
        let Some(found) = found else { continue };
        let (length, ttl) = (found.value.len(), found.ttl.expect("a time to live"));
        let expected = match round % 8 {
            6 => 5,
            7 => large.len(),
            _ => 1,
        };
        assert_eq!(length, expected, "{round}");
        assert_eq!(ttl <= short, length == 1, "{round}: {ttl:?}");
    }
}

/// A write whose caller no longer waits is applied later, and announced.
#[tokio::test]
async fn a_write_without_a_caller_is_served() {
    let (_server, cached, _plain) = both().await;
    for round in 0..20 {
        let key = format!("k{round}");
        insert_hot(&cached, &key).await;
        let deletion = async { cached.delete(&key).await };
        // One poll hands the command to the task of the connection.
        let _ = futures_util::FutureExt::now_or_never(deletion);
        load(&cached, &key).await;
        eventually("gone", async || {
            load(&cached, &key).await.is_none().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn evicted_records_are_not_served() {
    let (server, cached, plain) = both().await;
    let keys: Vec<_> = (0..100).map(|number| format!("k{number}")).collect();
    for key in &keys {
        assert_eq!(plain.insert(record(key, b"v")).await, Ok(true));
        heat(&cached, key).await;
    }
    assert_eq!(stats(&cached).entries, keys.len());
    server.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    eventually("evicted", async || {
        (server.run(&["DBSIZE"]) == redis::Value::Int(0)).then_some(())
    })
    .await;
    tokio::time::sleep(BOUND).await;
    for key in &keys {
        assert_eq!(load(&cached, key).await, None);
    }
    assert_eq!(stats(&cached).invalidations, keys.len() as u64);
}

/// The server forgets keys, and says so.
#[tokio::test]
async fn a_full_tracking_table_costs_hits_only() {
    let server = RedisServer::start_with(&["--tracking-table-max-keys", "10"]);
    let cached = with_cache(&server.url(), bounded()).await;
    let keys: Vec<_> = (0..100).map(|number| format!("k{number}")).collect();
    for key in &keys {
        assert_eq!(cached.insert(record(key, b"v")).await, Ok(true));
        load(&cached, key).await;
    }
    eventually("forgotten", async || {
        (stats(&cached).entries <= 20).then_some(())
    })
    .await;
    for key in &keys {
        load(&cached, key).await;
    }
    for key in &keys {
        server.run(&["DEL", key]);
    }
    tokio::time::sleep(BOUND).await;
    for key in &keys {
        assert_eq!(load(&cached, key).await, None);
    }
}

/// Two processes with a cache each, through the whole library.
#[tokio::test]
async fn sessions_of_another_process_are_up_to_date() {
    let server = RedisServer::start();
    let mut stores = Vec::new();
    let mut processes = Vec::new();
    for _ in 0..2 {
        let store = with_cache(&server.url(), bounded()).await;
        let keyring = Keyring::hs256("a secret of at least 32 random bytes").expect("a key");
        let sessions = Sessions::builder(store.clone(), keyring).build();
        stores.push(store);
        processes.push(sessions.expect("a good configuration"));
    }
    let [one, other] = &processes[..] else {
        panic!("two processes")
    };
    let created = one.new_session();
    created.set_owner("jo").expect("an owner");
    let token = created.create().await.expect("created");
    let open = async |sessions: &Sessions| sessions.open(token.as_str()).await;
    for round in 0..20_u32 {
        for _ in 0..3 {
            open(one).await.expect("it exists");
        }
        let session = open(other).await.expect("it exists");
        session.insert("round", round).expect("a number");
        session.update().await.expect("updated");
        let reread = open(other).await.expect("it exists");
        assert_eq!(reread.get("round"), Ok(Some(round)), "its own write");
        let stale = open(one).await.expect("it exists");
        stale.reload().await.expect("it exists");
        assert_eq!(stale.get("round"), Ok(Some(round)), "reload is exact");
        eventually("the update", async || {
            let seen = open(one).await.expect("it exists");
            (seen.get("round") == Ok(Some(round))).then_some(())
        })
        .await;
        // Changes on top of what is out of date are merged.
        let late = open(one).await.expect("it exists");
        late.insert(&format!("late{round}"), true).expect("a flag");
        late.update().await.expect("updated");
    }
    let session = open(other).await.expect("it exists");
    session.reload().await.expect("it exists");
    assert_eq!(
        (session.get("late0"), session.get("late19")),
        (Ok(Some(true)), Ok(Some(true)))
    );
    assert!(stats(&stores[0]).hits > 40, "{:?}", stats(&stores[0]));
    assert!(session.destroy().await.expect("destroyed"));
    assert!(open(other).await.is_err(), "its own logout");
    let alive = created.is_alive().await;
    assert_eq!(alive, Ok(false), "is_alive is exact");
    eventually("the logout", async || {
        open(one).await.is_err().then_some(())
    })
    .await;
}
