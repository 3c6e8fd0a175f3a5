//! What the store does when Redis, or the way to it, fails.
//!
//! The numbers are those of the fault scenarios in SECURITY.md. Bounds are generous: they tell
//! "bounded" from "hanging", on a busy machine too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jwt_redis_session::store::{Command, Compared, Reply, Store, StoreError, StoreErrorKind};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

/// The store's deadline of one second, and what a busy machine may add.
const BOUND: Duration = Duration::from_millis(1800);
/// How soon service must be back.
const BACK: Duration = Duration::from_secs(2);
const TTL: Duration = Duration::from_secs(60);
/// Stands in every value and credential, and must not stand in any error.
const MARKER: &str = "hush-hush";

async fn timed<T>(call: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = call.await;
    let took = start.elapsed();
    assert!(took < BOUND, "took {took:?}");
    result
}

async fn read(store: &RedisStore) -> Result<Vec<Reply>, StoreError> {
    tell_nothing(timed(store.run(&[Command::Load { key: "k" }])).await)
}

async fn write(store: &RedisStore) -> Result<Vec<Reply>, StoreError> {
    let command = Command::Insert {
        key: "k",
        value: MARKER.as_bytes(),
        ttl: TTL,
    };
    tell_nothing(timed(store.run(&[command])).await)
}

async fn delete(store: &RedisStore) -> Result<Vec<Reply>, StoreError> {
    tell_nothing(timed(store.run(&[Command::Delete { key: "k" }])).await)
}

/// R45: no error says anything of what is stored or how one gets in.
fn tell_nothing<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = &result {
        let text = format!("{error} {error:?}");
        assert!(!text.contains(MARKER), "{text}");
    }
    result
}

fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|error| error.kind())
}

/// Waits for service and says how long it took.
async fn back(store: &RedisStore, what: &str) -> Duration {
    let start = Instant::now();
    eventually(what, || async { read(store).await.ok() }).await;
    let took = start.elapsed();
    eprintln!("{what}: back after {took:?}");
    assert!(took < BACK, "{what}: back only after {took:?}");
    took
}

async fn connected(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("connect")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_absent_redis_is_told_at_once_and_served_when_it_comes() {
    let mut server = RedisServer::start();
    let url = server.url();
    server.kill();
    let error = timed(RedisStore::connect(&url)).await.expect_err("absent");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
    assert!(error.to_string().contains("connection refused"), "{error}");
    let store = RedisStore::lazy(&url).expect("a good url");
    assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Connection));
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Connection));
    assert_eq!(store.run(&[]).await, Ok(vec![]), "nothing to ask");
    server.restart();
    back(&store, "f01 redis started").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_killed_redis_fails_fast_and_serves_again_when_restarted() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    write(&store).await.expect("redis answers");

    let stop = Arc::new(AtomicBool::new(false));
    let (failed, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..200)
        .map(|_| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            let (failed, served) = (Arc::clone(&failed), Arc::clone(&served));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let counter = if read(&store).await.is_ok() {
                        &served
                    } else {
                        &failed
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        })
        .collect();
    let count = |counter: &Arc<AtomicUsize>| counter.load(Ordering::Relaxed);
    eventually("all are served", || async {
        (count(&served) > 400).then_some(())
    })
    .await;
    assert_eq!(count(&failed), 0);
    server.kill();
    let dials = proxy.accepted();
    let killed = Instant::now();
    eventually("all fail", || async {
        (count(&failed) > 2000).then_some(())
    })
    .await;
    let rate = (proxy.accepted() - dials) as f64 / killed.elapsed().as_secs_f64();
    eprintln!("f02: {rate:.1} dials a second while dead");
    assert!(rate < 40.0, "{rate} dials a second");
    server.restart();
    back(&store, "f02 redis restarted").await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("nobody panics or hangs");
    }
    let replies = read(&store).await.expect("redis answers");
    assert!(
        matches!(&replies[..], [Reply::Record(Some(_))]),
        "what was acknowledged is there"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_write_after_a_killed_connection_is_an_error_and_a_read_is_not() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    for _ in 0..2 {
        write(&store).await.expect("redis answers");
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        read(&store).await.expect("repeated over a new connection");
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        if let Some(kind) = kind(write(&store).await) {
            assert_eq!(kind, StoreErrorKind::Connection);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_write_after_an_idle_connection_was_closed_is_served() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    write(&store).await.expect("redis answers");
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    delete(&store).await.expect("over a new connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_hung_redis_costs_no_more_than_the_deadline() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    server.pause();
    let hung = Instant::now();
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Timeout));
    assert_eq!(kind(delete(&store).await), Some(StoreErrorKind::Timeout));
    let mut calls = 0;
    while hung.elapsed() < Duration::from_millis(2500) {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Timeout));
        calls += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(calls > 5, "the connection is given up: {calls} calls");
    let error = timed(RedisStore::connect(&server.url()))
        .await
        .expect_err("hung");
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    server.resume();
    back(&store, "f03 redis resumed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_slow_network_is_waited_for_up_to_the_deadline() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    for (millis, in_time) in [(5, true), (60, true), (400, false), (2000, false)] {
        proxy.delay(Duration::from_millis(millis));
        let result = read(&store).await;
        if in_time {
            result.expect("slow, not dead");
        } else {
            assert_eq!(kind(result), Some(StoreErrorKind::Timeout), "{millis}");
        }
    }
    proxy.delay(Duration::ZERO);
    back(&store, "f04 fast again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_reply_cut_at_every_byte_is_never_a_partial_value() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let whole = connected(&proxy.url()).await;
    write(&whole).await.expect("redis answers");
    let (mut cut, mut served) = (0, 0);
    for limit in 0..48 {
        proxy.cut_replies_after(Some(limit));
        let store = RedisStore::lazy(&proxy.url()).expect("a good url");
        match read(&store).await {
            Ok(replies) => {
                let [Reply::Record(Some(stored))] = &replies[..] else {
                    panic!("partial: {replies:?}");
                };
                assert_eq!(stored.value, MARKER);
                assert!(stored.ttl.is_some_and(|ttl| ttl > TTL / 2), "{stored:?}");
                served += 1;
            }
            Err(error) => {
                let kinds = [StoreErrorKind::Connection, StoreErrorKind::Protocol];
                assert!(kinds.contains(&error.kind()), "{error}");
                cut += 1;
            }
        }
        proxy.cut_replies_after(None);
        eventually("whole again", || async { read(&store).await.ok() }).await;
    }
    assert!(cut >= 20 && served >= 5, "{cut} cut, {served} served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_connections_that_break_at_once_are_not_dialled_in_a_storm() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let pong = "+PONG\r\n".len();
    proxy.cut_replies_after(Some(pong));
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(600) {
        let calls = (0..20).map(|_| read(&store));
        for result in futures_util::future::join_all(calls).await {
            assert_eq!(kind(result), Some(StoreErrorKind::Connection));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let dials = proxy.accepted();
    eprintln!("f05: {dials} dials in 600 ms");
    assert!((5..60).contains(&dials), "{dials} dials");
    proxy.cut_replies_after(None);
    back(&store, "f05 whole again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_garbage_is_an_error_in_time() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let garbage: [&[u8]; 14] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-ERR hush-hush\r\n",
        b"-HUSH-hush-hush\r\n",
        b"$9999999999\r\n",
        b"$99999999999999999999\r\n",
        b"*9999999999\r\n",
        b"*-5\r\n",
        b"%9223372036854775807\r\n",
        b":1\r\n",
        b"\0\0\0\0",
        b"+PONG\r\n",
        b"+PONG\r\n+PONG\r\n",
        b"+PONG\r\n$5\r\nhush-\r\n+hush\r\n",
        b"+PONG\r\n:1\r\n*1\r\n:1\r\n",
    ];
    for bytes in garbage {
        proxy.garbage(Some(bytes));
        let store = RedisStore::lazy(&proxy.url()).expect("a good url");
        for _ in 0..2 {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(kind(read(&store).await).is_some(), "{text}");
        }
        proxy.garbage(None);
        let _ = read(&store).await;
        proxy.reset_open();
        back(&store, "f06 sane again").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_endless_garbage_takes_bounded_memory() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    proxy.endless_garbage(&[b'+'; 4096]);
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    for _ in 0..3 {
        assert!(kind(read(&store).await).is_some());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    eprintln!("f06: peak memory {} MB", peak.unwrap_or(0) / 1024);
    assert!(peak.unwrap_or(0) < 2 * 1024 * 1024, "{peak:?} kB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_black_hole_costs_no_more_than_the_deadline() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    proxy.blackhole(true);
    for _ in 0..5 {
        assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Timeout));
    }
    let error = timed(RedisStore::connect(&proxy.url()))
        .await
        .expect_err("black");
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    proxy.blackhole(false);
    back(&store, "f07 light again").await;
    // TEST-NET-1: packets are dropped, or refused by a router.
    assert!(
        timed(RedisStore::connect("redis://192.0.2.1/"))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_a_connection_frozen_half_open_is_replaced() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let config = RedisConfig::new(proxy.url()).response_timeout(Duration::from_millis(150));
    let store = config.connect().await.expect("connect");
    proxy.freeze_open();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { read(&store).await })
        })
        .collect();
    for call in calls {
        let _ = call.await.expect("nobody panics");
    }
    back(&store, "f07 frozen connection replaced").await;
    assert_eq!(proxy.accepted(), 2, "by one other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f08_wrong_credentials_are_told_as_such() {
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
    let dials = proxy.accepted();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        assert_eq!(kind(delete(&store).await), Some(StoreErrorKind::ReadOnly));
    }
    let dials = proxy.accepted() - dials;
    assert!(
        (1..=8).contains(&dials),
        "{dials} dials to a lasting replica"
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
    let put = |member| Command::IndexPut {
        index: "i",
        member,
        score: 1,
        ttl: TTL,
    };
    write(&store).await.expect("redis answers");
    let key = "other";
    let value = MARKER.as_bytes();
    let other = Command::Insert {
        key,
        value,
        ttl: TTL,
    };
    let replies = store.run(&[put("a"), put("b"), other]).await;
    replies.expect("redis answers");
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let expected = value;
    for command in [
        Command::Insert {
            key: "new",
            value,
            ttl: TTL,
        },
        Command::Replace {
            key,
            value,
            ttl: TTL,
        },
        Command::CompareAndSet {
            key,
            expected,
            value,
            ttl: TTL,
        },
        put("c"),
    ] {
        let result = tell_nothing(store.run(&[command]).await);
        assert_eq!(kind(result), Some(StoreErrorKind::Full), "{command:?}");
        let result = tell_nothing(store.run(&[command, command]).await);
        assert_eq!(kind(result), Some(StoreErrorKind::Full), "{command:?}");
    }
    read(&store).await.expect("reads work");
    let expire = Command::Expire { key: "k", ttl: TTL };
    assert_eq!(store.run(&[expire]).await, Ok(vec![Reply::Applied(true)]));
    let remove = Command::IndexRemove {
        index: "i",
        members: &["b"],
    };
    let revoke = Command::CompareAndDelete { key, expected };
    let mark = Command::IndexMarkAll {
        index: "i",
        keep: None,
    };
    let replies = store
        .run(&[remove, revoke, mark])
        .await
        .expect("revoking works");
    assert_eq!(replies[1], Reply::Compared(Compared::Equal));
    assert_eq!(replies[2], Reply::Members(vec!["a".into()]));
    assert_eq!(delete(&store).await, Ok(vec![Reply::Applied(true)]));
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    write(&store).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_loading_redis_is_told_as_such_and_serves_when_ready() {
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
async fn f14_busy_redis_is_told_as_such() {
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
        let (here, there) = client.await.expect("nobody panics");
        (served, failed) = (served + here, failed + there);
    }
    eprintln!("f17: {served} served, {failed} failed");
    assert!(served > 50 * failed, "{served} served, {failed} failed");
    back(&store, "f17 no more kills").await;
    eventually("one connection, and the one that asks", || async {
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
async fn f18_cluster_node_is_told_as_such() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", "0"]);
    let store = connected(&server.url()).await;
    assert_eq!(kind(read(&store).await), Some(StoreErrorKind::Cluster));
    assert_eq!(kind(write(&store).await), Some(StoreErrorKind::Cluster));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_cancelled_reads_never_cross_answers() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    let names: Arc<Vec<String>> = Arc::new((0..50).map(|number| format!("k{number}")).collect());
    for name in names.iter() {
        let value = name.as_bytes();
        let insert = Command::Insert {
            key: name,
            value,
            ttl: TTL,
        };
        store.run(&[insert]).await.expect("redis answers");
    }
    proxy.delay(Duration::from_millis(5));
    let (answered, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..20 {
        let calls = (0..200).map(|number| {
            let (store, names) = (&store, &names);
            let (answered, cancelled) = (&answered, &cancelled);
            let patience = Duration::from_micros(rand::random::<u64>() % 25_000);
            async move {
                let key = &*names[(round * 7 + number) % names.len()];
                let load = [Command::Load { key }];
                match tokio::time::timeout(patience, store.run(&load)).await {
                    Ok(Ok(replies)) => {
                        let [Reply::Record(Some(stored))] = &replies[..] else {
                            panic!("not a record: {replies:?}");
                        };
                        assert_eq!(stored.value, key, "an answer crossed");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Err(error)) => panic!("{error}"),
                    Err(_) => _ = cancelled.fetch_add(1, Ordering::Relaxed),
                }
            }
        });
        futures_util::future::join_all(calls).await;
    }
    let (answered, cancelled) = (answered.into_inner(), cancelled.into_inner());
    eprintln!("f26: {answered} answered, {cancelled} cancelled");
    assert_eq!(answered + cancelled, 4000);
    assert!(
        answered > 200 && cancelled > 200,
        "{answered} answered, {cancelled} cancelled"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_does_not_stop_the_renewal() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    proxy.delay(Duration::from_millis(20));
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    let hasty = tokio::time::timeout(Duration::from_millis(1), read(&store)).await;
    assert!(hasty.is_err());
    back(&store, "renewed without its caller").await;
    assert_eq!(proxy.accepted(), 1, "one dial served both");
}

#[test]
fn a_store_outlives_the_runtime_that_connected_it() {
    let server = RedisServer::start();
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let store = runtime().block_on(connected(&server.url()));
    runtime().block_on(async { read(&store).await.expect("repeated over a new connection") });
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the log").clone()).expect("text")
    }
}

/// R37: a server that evicts is warned of at the start.
#[tokio::test]
async fn r37_an_evicting_server_is_warned_of() {
    for (policy, warned) in [("noeviction", false), ("volatile-lru", true)] {
        let (log, _guard) = listen();
        let server = RedisServer::start_with(&["--maxmemory-policy", policy]);
        connected(&server.url()).await;
        assert_eq!(
            log.text().contains("volatile-lru"),
            warned,
            "{}",
            log.text()
        );
    }
}

/// R45: names, values and credentials are in no error and no log line, whatever went wrong; and
/// a thousand failures are not a thousand lines.
#[tokio::test]
async fn r45_no_error_and_no_log_line_says_a_secret() {
    let (log, _guard) = listen();

    let server = RedisServer::start();
    server.run(&[
        "ACL",
        "SETUSER",
        MARKER,
        "on",
        &format!(">{MARKER}"),
        "~hush*",
        "+@all",
    ]);
    let proxy = Proxy::to(server.address()).await;
    let url = proxy
        .url()
        .replace("redis://", &format!("redis://{MARKER}:{MARKER}@"));
    let store = connected(&url).await;
    let (key, value) = (MARKER, MARKER.as_bytes());
    let batches = [
        vec![Command::Load { key }],
        vec![Command::Insert {
            key,
            value,
            ttl: TTL,
        }],
        vec![Command::CompareAndSet {
            key,
            expected: value,
            value: b"hush-hush!",
            ttl: TTL,
        }],
        vec![Command::IndexPut {
            index: key,
            member: MARKER,
            score: 1,
            ttl: TTL,
        }],
        vec![
            Command::IndexCheck {
                index: key,
                member: MARKER,
            },
            Command::IndexMarkAll {
                index: key,
                keep: Some(MARKER),
            },
            Command::IndexSupersede {
                index: key,
                old: MARKER,
                new: MARKER,
            },
        ],
        vec![Command::Load { key: "not-hush" }],
    ];
    let mut kinds = std::collections::HashSet::new();
    let mut all = async |what: &str| {
        let start = kinds.len();
        for batch in &batches {
            if let Err(error) = tell_nothing(timed(store.run(batch)).await) {
                kinds.insert(error.kind());
            }
        }
        eprintln!("r45 {what}: {} new kinds", kinds.len() - start);
    };
    all("wrong types and names").await;
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    all("full").await;
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    all("read-only").await;
    server.run(&["REPLICAOF", "NO", "ONE"]);
    server.run(&["ACL", "SETUSER", MARKER, "-eval", "-get", "-evalsha"]);
    all("forbidden").await;
    server.run(&["ACL", "SETUSER", MARKER, "nopass", "resetpass"]);
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    all("wrong password").await;
    for garbage in [
        &b"+hush-hush\r\n"[..],
        b"!hush-hush",
        b"-HUSH hush-hush\r\n",
    ] {
        proxy.garbage(Some(garbage));
        proxy.reset_open();
        tokio::time::sleep(Duration::from_millis(160)).await;
        all("garbage").await;
    }
    for _ in 0..1000 {
        let _ = tell_nothing(store.run(&batches[0]).await);
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let text = format!("{store:?} {:?}", batches[1]);
    assert!(!text.contains(MARKER), "{text}");
    let log = log.text();
    let own = log
        .lines()
        .filter(|line| line.contains("jwt_redis_session"))
        .count();
    assert!((3..30).contains(&own), "{own} lines:\n{log}");
    assert!(!log.contains(MARKER), "{log}");
}
