//! Changes of hot records: by this process, by another one, and by Redis.

use std::pin::pin;

use jwt_redis_session::{Keyring, Session, Sessions};

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

/// The documentation of `Cache` warns of it. If this fails, Redis announces it now.
#[tokio::test]
async fn swapdb_is_not_announced() {
    let (server, cached, plain) = both().await;
    insert_hot(&cached, "k").await;
    server.run(&["SWAPDB", "0", "1"]);
    assert_eq!(load(&plain, "k").await, None);
    // A miss on a busy machine leaves the entry.
    eventually("a hot record", async || load(&cached, "k").await).await;
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
        let (entry, applied) = (entry("i", &key, 1), Ok(CompareOutcome::Applied));
        let is_gone = match round % 8 {
            0 => cached.delete(&key).await == Ok(true),
            1 => cached.delete_indexed(&[&key], "i", &[&key]).await == Ok(1),
            2 => cached.compare_and_delete(&key, b"v").await == applied,
            3 => cached.set_ttl(&key, short).await == Ok(false),
            4 => cached.set_ttl_indexed(entry, &key, b"v", short).await != applied,
            5 => cached.set_ttl_if(&key, b"v", short).await != applied,
            6 => cached.compare_and_set_indexed(entry, b"v", other).await != applied,
            // Over the other connection.
            _ => {
                let set = cached.compare_and_set(b"v", record(&key, &large));
                set.await != applied
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
    let (_server, cached, plain) = both().await;
    let mut applied = 0;
    for round in 0..50 {
        let key = format!("k{round}");
        insert_hot(&cached, &key).await;
        {
            let mut deletion = pin!(cached.delete(&key));
            // It first looks whether the connection was closed, and then hands over the command.
            for _ in 0..3 {
                let _ = futures_util::poll!(deletion.as_mut());
                yield_now().await;
            }
        }
        load(&cached, &key).await;
        // Behind the deletion on the same connection, if that was sent.
        cached.ping().await.expect("redis answers");
        if load(&plain, &key).await.is_none() {
            applied += 1;
            eventually("gone", async || {
                load(&cached, &key).await.is_none().then_some(())
            })
            .await;
        }
    }
    assert!(applied > 0);
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

/// The server forgets keys, and announces that.
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

fn sessions(store: &RedisStore) -> Sessions {
    let keyring = Keyring::hs256("a secret of at least 32 random bytes").expect("a key");
    let sessions = Sessions::builder(store.clone(), keyring).build();
    sessions.expect("a good configuration")
}

async fn open(sessions: &Sessions, token: &str) -> Session {
    sessions.open(token).await.expect("it exists")
}

/// Two processes with a cache each, through the whole library.
#[tokio::test]
async fn sessions_of_another_process_are_up_to_date() {
    let server = RedisServer::start();
    let store = with_cache(&server.url(), bounded()).await;
    let another = with_cache(&server.url(), bounded()).await;
    let (one, other) = (sessions(&store), sessions(&another));
    let created = one.new_session();
    created.set_owner("jo").expect("an owner");
    let token = created.create().await.expect("created");
    let token = token.as_str();
    for round in 0..20 {
        update_elsewhere(&one, &other, token, round).await;
    }
    let session = open(&other, token).await;
    session.reload().await.expect("it exists");
    let kept = ["late0", "late19"].map(|name| session.get(name));
    assert_eq!(kept, [Ok(Some(true)), Ok(Some(true))]);
    assert!(stats(&store).hits > 40, "{:?}", stats(&store));

    assert!(session.destroy().await.expect("destroyed"));
    assert!(other.open(token).await.is_err(), "its own logout");
    assert_eq!(created.is_alive().await, Ok(false), "is_alive is exact");
    eventually("the logout", async || {
        one.open(token).await.is_err().then_some(())
    })
    .await;
}

/// Updates a session that is hot in `one` through `other`.
async fn update_elsewhere(one: &Sessions, other: &Sessions, token: &str, round: u32) {
    for _ in 0..3 {
        open(one, token).await;
    }
    let session = open(other, token).await;
    session.insert("round", round).expect("a number");
    session.update().await.expect("updated");
    let own = open(other, token).await;
    assert_eq!(own.get("round"), Ok(Some(round)), "its own write");
    let stale = open(one, token).await;
    stale.reload().await.expect("it exists");
    assert_eq!(stale.get("round"), Ok(Some(round)), "reload is exact");
    eventually("the update", async || {
        let seen = open(one, token).await.get("round");
        (seen == Ok(Some(round))).then_some(())
    })
    .await;
    // Changes on top of what is out of date are merged.
    let late = open(one, token).await;
    let name = format!("late{round}");
    late.insert(&name, true).expect("a flag");
    late.update().await.expect("updated");
}
