//! Every way in which a server is away, or answers with errors.

use StoreErrorKind::{
    Auth, Busy, Cluster, Connection, Full, Loading, Permission, ReadOnly, Refused, Timeout,
};

use tokio::task::{JoinSet, block_in_place};

use super::*;
use crate::support::redis_server::admin;

type Act = fn(&mut RedisServer, &Proxy);

/// A fault: its name, options of the server, its beginning, the kinds of error that a read, a
/// write and a new store meet while it lasts, and its end.
type Fault = (
    &'static str,
    &'static str,
    Act,
    [Option<StoreErrorKind>; 3],
    Act,
);

const FAULTS: [Fault; 12] = [
    (
        "killed",
        "",
        |server, _| server.kill(),
        [Some(Connection); 3],
        |server, _| server.restart(),
    ),
    (
        "hung",
        "",
        |server, _| server.pause(),
        [Some(Timeout); 3],
        |server, _| server.resume(),
    ),
    (
        "black hole",
        "",
        |_, proxy| proxy.blackhole(true),
        [Some(Timeout); 3],
        |_, proxy| proxy.blackhole(false),
    ),
    (
        "writes are paused",
        "",
        |server, _| run(server, "CLIENT PAUSE 2000 WRITE"),
        [None, Some(Timeout), None],
        |_, _| {},
    ),
    (
        "wrong password",
        "",
        |server, _| {
            run(server, "CONFIG SET requirepass hush-hush");
            as_admin(server, &KILL_CLIENTS);
        },
        [Some(Auth); 3],
        |server, _| as_admin(server, &["CONFIG", "SET", "requirepass", ""]),
    ),
    (
        "no permission",
        "",
        |server, _| run(server, "ACL SETUSER default -set"),
        [None, Some(Permission), None],
        |server, _| run(server, "ACL SETUSER default +@all"),
    ),
    (
        "replica",
        "",
        |server, _| run(server, "REPLICAOF 127.0.0.1 1"),
        [None, Some(ReadOnly), None],
        |server, _| run(server, "REPLICAOF NO ONE"),
    ),
    (
        "full",
        "",
        |server, _| run(server, "CONFIG SET maxmemory 1"),
        [None, Some(Full), None],
        |server, _| run(server, "CONFIG SET maxmemory 0"),
    ),
    (
        "too few replicas",
        "",
        |server, _| run(server, "CONFIG SET min-replicas-to-write 1"),
        [None, Some(Refused), None],
        |server, _| run(server, "CONFIG SET min-replicas-to-write 0"),
    ),
    (
        "cannot save",
        "",
        |server, _| {
            let file = server.dir().join("dump.rdb");
            std::fs::create_dir(file).expect("a directory where the file goes");
            server.run(&["CONFIG", "SET", "save", "1 1"]);
            let _ = server.command(&["BGSAVE"]);
        },
        [None, Some(Refused), Some(Refused)],
        |server, _| drop(server.run(&["CONFIG", "SET", "save", ""])),
    ),
    (
        "busy with a script",
        "--busy-reply-threshold 50",
        |server, _| {
            let url = server.url();
            std::thread::spawn(move || admin(&url, &["EVAL", "while true do end", "0"]));
        },
        [Some(Busy); 3],
        |server, _| run(server, "SCRIPT KILL"),
    ),
    (
        "loading",
        "--key-load-delay 20000 --loading-process-events-interval-bytes 1024 --rdbcompression no",
        |server, _| {
            for number in 0..60 {
                server.run(&["SET", &format!("pad{number}"), &"x".repeat(1024)]);
            }
            server.run(&["SAVE"]);
            server.restart_unready();
        },
        [Some(Loading); 3],
        |_, _| {},
    ),
];

fn run(server: &RedisServer, line: &str) {
    server.run(&line.split(' ').collect::<Vec<_>>());
}

/// Runs a command on a server whose password is [`MARKER`].
fn as_admin(server: &RedisServer, words: &[&str]) {
    let url = format!("redis://:{MARKER}@127.0.0.1:{}/", server.port());
    admin(&url, words).expect("redis answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_kind_in_time_and_service_is_back_after_it() {
    // More faults at a time would keep a small machine busy beyond the deadlines.
    for faults in FAULTS.chunks(4) {
        let checks: JoinSet<()> = faults.iter().copied().map(check).collect();
        checks.join_all().await;
    }
}

async fn check((name, options, begin, kinds, end): Fault) {
    let options: Vec<_> = options.split_ascii_whitespace().collect();
    let mut server = block_in_place(|| RedisServer::start_with(&options));
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    assert_eq!(write(&store).await, Ok(true), "{name}");
    block_in_place(|| begin(&mut server, &proxy));
    eventually(name, || async {
        let (read, write) = tokio::join!(read(&store), write(&store));
        ([kind(read), kind(write)] == kinds[..2]).then_some(())
    })
    .await;
    let connect = timed(RedisStore::connect(&proxy.url())).await;
    assert_eq!(kind(connect), kinds[2], "{name}");
    // A connection that is of no use was given up by now: calls fail fast.
    let start = Instant::now();
    for _ in 0..5 {
        let _ = read(&store).await;
    }
    assert!(start.elapsed() < Duration::from_millis(2500), "{name}");
    block_in_place(|| end(&mut server, &proxy));
    back(&store, name).await;
    eventually(name, || async { write(&store).await.ok() }).await;
    assert!(delete(&store).await.is_ok(), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_is_reported_as_such() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", "0"]);
    let store = connected(&server.url()).await;
    assert_eq!(kind(read(&store).await), Some(Cluster));
    assert_eq!(kind(write(&store).await), Some(Cluster));
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
    let other = NewRecord::new("other", value, TTL);
    let indexed = ["a", "b"].map(entry);
    let inserted = store.insert_indexed(&indexed, other, None).await;
    inserted.expect("redis answers");
    assert_eq!(write(&store).await, Ok(true));
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let new = NewRecord::new("new", value, TTL);
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
    assert_eq!(all, Ok(vec!["a".to_owned()]));
    let state = store.index_get("i", "a").await;
    assert_eq!(state, Ok(Some(EntryState::Deleting { since: 1 })));
    assert_eq!(delete(&store).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_clients_are_an_error_and_end() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    server.run(&["CONFIG", "SET", "maxclients", "1"]);
    let rejected = timed(RedisStore::connect(&server.url())).await;
    assert_eq!(kind(rejected), Some(Connection));
    let mut own = store.connection().await.expect("the one there is");
    let mut raise = redis::cmd("CONFIG");
    raise.arg("SET").arg("maxclients").arg(100);
    raise.exec_async(&mut own).await.expect("redis answers");
    connected(&server.url()).await;
}
