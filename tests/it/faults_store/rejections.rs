//! Every way in which a server is away, or answers with errors.

use StoreErrorKind::{
    Auth, Busy, Cluster, Connection, Full, Loading, Permission, ReadOnly, Refused, Timeout,
};

use super::*;
use crate::support::redis_server::admin;

const MILLI: Duration = Duration::from_millis(1);

type Act = Box<dyn Fn(&mut RedisServer, &Proxy) + Send>;
type Kinds = [Option<StoreErrorKind>; 3];

/// A fault, and the kinds of error that a read, a write and a new store meet while it lasts.
struct Fault {
    name: &'static str,
    options: &'static str,
    begin: Act,
    kinds: Kinds,
    end: Act,
}

/// A fault of the server that commands begin and end.
fn command(name: &'static str, begin: &'static str, kinds: Kinds, end: &'static str) -> Fault {
    let run = |line: &'static str| {
        move |server: &mut RedisServer| {
            server.run(&line.split(' ').collect::<Vec<_>>());
        }
    };
    server(name, run(begin), kinds, run(end))
}

/// A fault of the server.
fn server(
    name: &'static str,
    begin: impl Fn(&mut RedisServer) + Send + 'static,
    kinds: Kinds,
    end: impl Fn(&mut RedisServer) + Send + 'static,
) -> Fault {
    Fault {
        name,
        options: "",
        begin: Box::new(move |server, _| begin(server)),
        kinds,
        end: Box::new(move |server, _| end(server)),
    }
}

/// A fault of the network.
fn network(name: &'static str, begin: fn(&Proxy), kinds: Kinds, end: fn(&Proxy)) -> Fault {
    Fault {
        begin: Box::new(move |_, proxy| begin(proxy)),
        end: Box::new(move |_, proxy| end(proxy)),
        ..server(name, |_| {}, kinds, |_| {})
    }
}

fn faults() -> Vec<Fault> {
    let (all, write) = (|kind| [Some(kind); 3], |kind| [None, Some(kind), None]);
    vec![
        server(
            "killed",
            |server| server.kill(),
            all(Connection),
            |server| server.restart(),
        ),
        server(
            "hung",
            |server| server.pause(),
            all(Timeout),
            |server| server.resume(),
        ),
        network(
            "black hole",
            |proxy| proxy.blackhole(true),
            all(Timeout),
            |proxy| proxy.blackhole(false),
        ),
        network(
            "slow",
            |proxy| proxy.delay(60 * MILLI),
            [None; 3],
            |proxy| proxy.delay(0 * MILLI),
        ),
        network(
            "too slow",
            |proxy| proxy.delay(2000 * MILLI),
            all(Timeout),
            |proxy| proxy.delay(0 * MILLI),
        ),
        command("paused", "CLIENT PAUSE 2000 WRITE", write(Timeout), "PING"),
        command(
            "forbidden",
            "ACL SETUSER default -set",
            write(Permission),
            "ACL SETUSER default +@all",
        ),
        command(
            "replica",
            "REPLICAOF 127.0.0.1 1",
            write(ReadOnly),
            "REPLICAOF NO ONE",
        ),
        command(
            "full",
            "CONFIG SET maxmemory 1",
            write(Full),
            "CONFIG SET maxmemory 0",
        ),
        command(
            "too few replicas",
            "CONFIG SET min-replicas-to-write 1",
            write(Refused),
            "CONFIG SET min-replicas-to-write 0",
        ),
        server(
            "cannot save",
            |server| {
                let file = server.dir().join("dump.rdb");
                std::fs::create_dir(file).expect("a directory where the file goes");
                server.run(&["CONFIG", "SET", "save", "1 1"]);
                let _ = server.command(&["BGSAVE"]);
            },
            write(Refused),
            |server| drop(server.run(&["CONFIG", "SET", "save", ""])),
        ),
        server(
            "wrong password",
            |server| {
                server.run(&["CONFIG", "SET", "requirepass", MARKER]);
                as_admin(server, &KILL_CLIENTS);
            },
            all(Auth),
            |server| as_admin(server, &["CONFIG", "SET", "requirepass", ""]),
        ),
        Fault {
            options: "--busy-reply-threshold 50",
            ..server(
                "busy with a script",
                |server| {
                    let url = server.url();
                    std::thread::spawn(move || admin(&url, &["EVAL", "while true do end", "0"]));
                },
                all(Busy),
                |server| drop(server.run(&["SCRIPT", "KILL"])),
            )
        },
        Fault {
            options: "--key-load-delay 20000 --loading-process-events-interval-bytes 1024 \
                      --rdbcompression no",
            ..server(
                "loading",
                |server| {
                    for number in 0..60 {
                        server.run(&["SET", &format!("pad{number}"), &"x".repeat(1024)]);
                    }
                    server.run(&["SAVE"]);
                    server.restart_unready();
                },
                all(Loading),
                |_| {},
            )
        },
    ]
}

/// Runs a command on a server whose password is [`MARKER`].
fn as_admin(server: &RedisServer, words: &[&str]) {
    let url = format!("redis://:{MARKER}@127.0.0.1:{}/", server.port());
    admin(&url, words).expect("redis answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_kind_in_time_and_service_is_back_after_it() {
    let checks: tokio::task::JoinSet<()> = faults().into_iter().map(check).collect();
    checks.join_all().await;
}

async fn check(fault: Fault) {
    let Fault { name, kinds, .. } = fault;
    let options: Vec<_> = fault.options.split_ascii_whitespace().collect();
    let mut server = RedisServer::start_with(&options);
    let proxy = Proxy::to(server.address()).await;
    let store = connected(&proxy.url()).await;
    assert_eq!(write(&store).await, Ok(true), "{name}");
    (fault.begin)(&mut server, &proxy);
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
    (fault.end)(&mut server, &proxy);
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
