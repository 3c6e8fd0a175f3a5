//! A server that answers, and refuses.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f08_wrong_credentials_are_reported_as_such() {
    let server = RedisServer::start();
    server.run(&["ACL", "SETUSER", "app", "on", ">right", "~*", "+@all"]);
    let wrong = format!("redis://app:{MARKER}@127.0.0.1:{}/", server.port());
    let error = tell_nothing(timed(RedisStore::connect(&wrong)).await).expect_err("wrong");
    assert_eq!(error.kind(), StoreErrorKind::Auth);

    let store = connected(&server.url()).await;
    server.run(&["CONFIG", "SET", "requirepass", MARKER]);
    let own = format!("redis://:{MARKER}@127.0.0.1:{}/", server.port());
    let admin = |words: &[&str]| crate::support::redis_server::admin(&own, words);
    admin(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).expect("kill");
    for _ in 0..3 {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Auth));
    }
    eventually("the write is refused", || async {
        (kind(write(&store).await) == Some(StoreErrorKind::Auth)).then_some(())
    })
    .await;
    let none = timed(RedisStore::connect(&server.url()))
        .await
        .expect_err("no password");
    assert_eq!(none.kind(), StoreErrorKind::Auth);
    admin(&["CONFIG", "SET", "requirepass", ""]).expect("open again");
    back(&store, "f08 password gone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_read_only_redis_is_left_for_where_the_name_leads_now() {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let proxy = Proxy::to(old.address()).await;
    let store = connected(&proxy.url()).await;
    write(&store).await.expect("redis answers");
    old.run(&["REPLICAOF", "127.0.0.1", "1"]);
    tokio::time::sleep(Duration::from_millis(110)).await;
    let connections = proxy.accepted();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        assert_eq!(kind(delete(&store).await), Some(StoreErrorKind::ReadOnly));
    }
    let connections = proxy.accepted() - connections;
    assert!(
        (1..=8).contains(&connections),
        "{connections} connections to a lasting replica"
    );

    proxy.retarget(new.address());
    let start = Instant::now();
    eventually("writes work", || async { write(&store).await.ok() }).await;
    eprintln!("f09: written after {:?}", start.elapsed());
    assert!(start.elapsed() < BACK);
    assert_eq!(new.run(&["EXISTS", "k"]), redis::Value::Int(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_full_redis_takes_nothing_and_still_revokes() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let put = async |member| {
        let entry = NewEntry::new("i", member, 1, TTL);
        tell_nothing(store.index_put(entry, PutMode::KeepTombstone).await)
    };
    write(&store).await.expect("redis answers");
    let (key, value) = ("other", MARKER.as_bytes());
    let other = NewRecord::new(key, value, TTL);
    let indexed = ["a", "b"].map(|member| NewEntry::new("i", member, 1, TTL));
    let inserted = store.insert_indexed(&indexed, other, None).await;
    inserted.expect("redis answers");
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = Some(StoreErrorKind::Full);
    let new = NewRecord::new("new", value, TTL);
    assert_eq!(kind(tell_nothing(store.insert(new).await)), full);
    let set = tell_nothing(store.compare_and_set(value, other).await);
    assert_eq!(kind(set), full);
    assert_eq!(kind(put("c").await), full);
    let new_entry = NewEntry::new("i", "c", 1, TTL);
    let inserted = store.insert_indexed(&[new_entry], new, None).await;
    assert_eq!(kind(tell_nothing(inserted)), full);
    put("a").await.expect("an entry that exists is raised");
    read(&store).await.expect("reads work");
    assert_eq!(store.set_ttl("k", TTL).await, Ok(true));
    let removed = store.index_remove("i", &["b"], None).await;
    removed.expect("revoking works");
    let revoked = store.compare_and_delete(key, value).await;
    assert_eq!(revoked, Ok(CompareOutcome::Applied));
    let all = store.index_tombstone_all("i", None, 1).await;
    assert_eq!(all, Ok(vec!["a".to_owned()]));
    let state = store.index_get("i", "a").await;
    assert_eq!(state, Ok(Some(EntryState::Deleting { since: 1 })));
    assert_eq!(delete(&store).await, Ok(true));
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    write(&store).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_loading_redis_is_reported_as_such_and_serves_when_ready() {
    let mut server = RedisServer::start_with(&[
        "--key-load-delay",
        "20000",
        "--loading-process-events-interval-bytes",
        "1024",
        "--rdbcompression",
        "no",
    ]);
    let store = connected(&server.url()).await;
    let padding = "x".repeat(1024);
    for number in 0..60 {
        server.run(&["SET", &format!("pad{number}"), &padding]);
    }
    server.run(&["SAVE"]);
    server.restart_unready();
    eventually("loading", || async {
        (kind(read(&store).await) == Some(StoreErrorKind::Loading)).then_some(())
    })
    .await;
    let error = timed(RedisStore::connect(&server.url()))
        .await
        .expect_err("loading");
    assert_eq!(error.kind(), StoreErrorKind::Loading);
    eventually("loaded", || async { read(&store).await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_busy_redis_is_reported_as_such() {
    let server = RedisServer::start_with(&["--busy-reply-threshold", "50"]);
    let store = connected(&server.url()).await;
    let url = server.url();
    let script = std::thread::spawn(move || {
        let _ = crate::support::redis_server::admin(&url, &["EVAL", "while true do end", "0"]);
    });
    eventually("busy", || async {
        let kind = kind(read(&store).await);
        assert_ne!(kind, Some(StoreErrorKind::Other));
        (kind == Some(StoreErrorKind::Busy)).then_some(())
    })
    .await;
    server.run(&["SCRIPT", "KILL"]);
    back(&store, "f14 script killed").await;
    script.join().expect("the script's client");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_refused_delete_is_an_error() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    write(&store).await.expect("redis answers");
    std::fs::create_dir(server.dir().join("dump.rdb")).expect("stand in the way");
    server.run(&["CONFIG", "SET", "save", "1 1"]);
    eventually("writes are refused", || async {
        let _ = server.command(&["BGSAVE"]);
        (kind(delete(&store).await) == Some(StoreErrorKind::Refused)).then_some(())
    })
    .await;
    read(&store).await.expect("reads work");
    server.run(&["CONFIG", "SET", "save", ""]);
    delete(&store).await.expect("accepted again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_missing_replicas_are_an_error() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    write(&store).await.expect("redis answers");
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_eq!(kind(delete(&store).await), Some(StoreErrorKind::Refused));
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Refused));
    read(&store).await.expect("reads work");
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    delete(&store).await.expect("accepted again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_connections_killed_in_a_row_do_not_pile_up() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut served, mut failed) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    if read(&store).await.is_ok() {
                        served += 1;
                    } else {
                        failed += 1;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                (served, failed)
            })
        })
        .collect();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
    stop.store(true, Ordering::Relaxed);
    let (mut served, mut failed) = (0, 0);
    for client in clients {
        let (here, there) = client.await.expect("no panic");
        (served, failed) = (served + here, failed + there);
    }
    eprintln!("f17: {served} served, {failed} failed");
    assert!(served > 50 * failed, "{served} served, {failed} failed");
    back(&store, "f17 no more kills").await;
    eventually("one connection, and that of the test", || async {
        let redis::Value::BulkString(list) = server.run(&["CLIENT", "LIST"]) else {
            panic!("no list");
        };
        (String::from_utf8_lossy(&list).lines().count() <= 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_too_many_clients_and_pauses_end() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    server.run(&["CONFIG", "SET", "maxclients", "1"]);
    let error = timed(RedisStore::connect(&server.url()))
        .await
        .expect_err("no room");
    assert_eq!(error.kind(), StoreErrorKind::Connection, "{error}");
    let mut own = store.connection().await.expect("the one there is");
    let raise = redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxclients")
        .arg(100)
        .take();
    raise.exec_async(&mut own).await.expect("room again");
    connected(&server.url()).await;

    server.run(&["CLIENT", "PAUSE", "700", "WRITE"]);
    read(&store).await.expect("reads go on");
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Timeout));
    back(&store, "f17 pause of writes over").await;
    server.run(&["CLIENT", "PAUSE", "700", "ALL"]);
    assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Timeout));
    back(&store, "f17 pause of all over").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_cluster_node_is_reported_as_such() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", "0"]);
    let store = connected(&server.url()).await;
    assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Cluster));
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Cluster));
}
