//! Servers that are absent, slow or answer with errors.

use StoreErrorKind::{Full, ReadOnly};
use tokio::task::{JoinSet, block_in_place};

use super::*;
use crate::support::redis_server::admin;

/// Each row: what begins a fault, the kinds of error that a read, a write and a new store meet
/// while it lasts, and what ends it.
const FAULTS: [&str; 15] = [
    "kill | connection connection connection | restart",
    "pause | timeout timeout timeout | resume",
    "black hole | timeout timeout timeout | no black hole",
    "delay by 60 ms | - - - | no delay",
    "delay by 2 s | timeout timeout timeout | no delay",
    "CLIENT PAUSE 2000 WRITE | - timeout - | wait",
    "CLIENT PAUSE 2000 ALL | timeout timeout timeout | wait",
    "set a password | auth auth auth | clear the password",
    "ACL SETUSER default -set | - permission - | ACL SETUSER default +@all",
    "REPLICAOF 127.0.0.1 1 | - read_only configuration | REPLICAOF NO ONE",
    "CONFIG SET maxmemory 1 | - full - | CONFIG SET maxmemory 0",
    "CONFIG SET min-replicas-to-write 1 | - refused - | CONFIG SET min-replicas-to-write 0",
    "fail to save | - refused refused | save never",
    "run an endless script | busy busy busy | SCRIPT KILL",
    "restart slowly | loading loading loading | wait",
];

/// Options that make a server report early that it is busy, and load slowly.
const OPTIONS: &str = "--busy-reply-threshold 50 --key-load-delay 20000 \
     --loading-process-events-interval-bytes 1024 --rdbcompression no";

/// Begins or ends a fault. Other names than these are Redis commands.
fn act(name: &str, server: &mut RedisServer, proxy: &Proxy) {
    match name {
        "kill" => server.kill(),
        "restart" => server.restart(),
        "pause" => server.pause(),
        "resume" => server.resume(),
        "wait" => {}
        "black hole" => proxy.blackhole(true),
        "no black hole" => proxy.blackhole(false),
        "delay by 60 ms" => proxy.delay(Duration::from_millis(60)),
        "delay by 2 s" => proxy.delay(Duration::from_secs(2)),
        "no delay" => proxy.delay(Duration::ZERO),
        "set a password" => {
            server.run(&["CONFIG", "SET", "requirepass", MARKER]);
            proxy.reset_open();
        }
        "clear the password" => {
            let url = format!("redis://:{MARKER}@127.0.0.1:{}/", server.port());
            admin(&url, &["CONFIG", "SET", "requirepass", ""]).expect("redis answers");
        }
        "fail to save" => {
            let file = server.dir().join("dump.rdb");
            std::fs::create_dir(file).expect("a directory where the file goes");
            server.run(&["CONFIG", "SET", "save", "1 1"]);
            let _ = server.command(&["BGSAVE"]);
        }
        "save never" => drop(server.run(&["CONFIG", "SET", "save", ""])),
        "run an endless script" => {
            let url = server.url();
            std::thread::spawn(move || admin(&url, &["EVAL", "while true do end", "0"]));
        }
        "restart slowly" => {
            for number in 0..60 {
                server.run(&["SET", &format!("pad{number}"), &"x".repeat(1024)]);
            }
            server.run(&["SAVE"]);
            server.restart_unready();
        }
        command => drop(server.run(&command.split(' ').collect::<Vec<_>>())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_kind_in_time_and_service_is_back_after_it() {
    // More concurrent faults would keep a small machine busy beyond the deadlines.
    for faults in FAULTS.chunks(4) {
        let checks: JoinSet<()> = faults.iter().copied().map(check).collect();
        checks.join_all().await;
    }
}

async fn check(fault: &'static str) {
    let (begin, rest) = fault.split_once(" | ").expect("a row");
    let (kinds, end) = rest.split_once(" | ").expect("a row");
    let options: Vec<_> = OPTIONS.split(' ').collect();
    let mut server = block_in_place(|| RedisServer::start_with(&options));
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    assert_eq!(write(&store).await, Ok(true), "{fault}");
    block_in_place(|| act(begin, &mut server, &proxy));
    let name = |kind: Option<StoreErrorKind>| kind.map_or("-", StoreErrorKind::as_str);
    let (calls, connect) = kinds.rsplit_once(' ').expect("three kinds");
    eventually(fault, || async {
        let (read, write) = tokio::join!(read(&store), write(&store));
        (format!("{} {}", name(kind(read)), name(kind(write))) == calls).then_some(())
    })
    .await;
    let connected = timed(RedisStore::connect(&proxy.url())).await;
    assert_eq!(name(kind(connected)), connect, "{fault}");
    // An unusable connection has been discarded by now: calls fail fast.
    let start = Instant::now();
    for _ in 0..5 {
        let _ = read(&store).await;
    }
    assert!(start.elapsed() < Duration::from_millis(2500), "{fault}");
    block_in_place(|| act(end, &mut server, &proxy));
    back(&store, fault).await;
    eventually(fault, || async { write(&store).await.ok() }).await;
    assert!(delete(&store).await.is_ok(), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readonly_replica_is_replaced() {
    let (old, proxy, store) = behind_proxy().await;
    let new = RedisServer::start();
    write(&store).await.expect("redis answers");
    old.run(&["REPLICAOF", "127.0.0.1", "1"]);
    // A younger connection is kept: the next one would get the same answer.
    tokio::time::sleep(Duration::from_millis(110)).await;
    let connections = proxy.accepted();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        assert_eq!(kind(delete(&store).await), Some(ReadOnly));
    }
    let connections = proxy.accepted() - connections;
    assert!((1..=8).contains(&connections), "{connections} connections");

    proxy.retarget(new.address());
    let start = Instant::now();
    eventually("writes work", || async { write(&store).await.ok() }).await;
    assert!(start.elapsed() < BACK);
    assert_eq!(new.run(&["EXISTS", "k"]), redis::Value::Int(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_takes_nothing_new_and_still_revokes() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    let entry = |member| NewEntry::new("i", member, 1, TTL);
    let put = |member| timed(store.index_put(entry(member), PutMode::KeepTombstone));
    let value = MARKER.as_bytes();
    let [other, new] = ["other", "new"].map(|key| NewRecord::new(key, value, TTL));
    let indexed = ["a", "b"].map(entry);
    let inserted = store.insert_indexed(&indexed, other, None).await;
    inserted.expect("redis answers");
    assert_eq!(write(&store).await, Ok(true));
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    for rejected in [
        kind(timed(store.insert(new)).await),
        kind(timed(store.compare_and_set(value, other)).await),
        kind(put("c").await),
        kind(timed(store.insert_indexed(&[entry("c")], new, None)).await),
    ] {
        assert_eq!(rejected, Some(Full));
    }
    put("a").await.expect("an entry that exists is raised");
    assert_eq!(store.set_ttl("k", TTL).await, Ok(true));
    assert_eq!(store.index_remove("i", &["b"], None).await, Ok(()));
    let revoked = store.compare_and_delete("other", value).await;
    assert_eq!(revoked, Ok(CompareOutcome::Applied));
    let all = store.index_tombstone_all("i", None, 1).await;
    assert_eq!(all, Ok(()));
    let state = store.index_get("i", "a").await;
    assert_eq!(state, Ok(Some(EntryState::Deleting { since: 1 })));
    assert_eq!(delete(&store).await, Ok(true));
}
