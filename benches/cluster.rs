//! What a cluster costs, and what its changes do to requests: `cargo bench --bench cluster`.
//!
//! Starts three masters with three replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jwt_redis_session::store::{CompareOutcome, NewRecord, Store, StoreErrorKind};
use jwt_redis_session::{Keyring, RedisStore, Sessions};
use test_support::redis_cluster::RedisCluster;
use test_support::redis_server::RedisServer;
use tokio::task::JoinSet;
use tokio::time::sleep;

const TTL: Duration = Duration::from_secs(600);
const USERS: usize = 12;
/// The number of slots that move, and of keys in every used slot.
const MOVED: usize = 5_000;
const KEYS: usize = 75;
const SESSIONS: usize = 10_000;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_test = !std::env::args().any(|arg| arg == "--bench");
    allocations();
    for share in [10, 1] {
        destroy_all(SESSIONS / share / if is_test { 100 } else { 1 });
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        operations().await;
        let share = if is_test { 100 } else { 1 };
        reshard(MOVED / share).await;
        if !is_test {
            failover("SIGKILL of a master", |cluster| cluster.node_mut(0).kill()).await;
            failover("SIGSTOP of a master", |cluster| cluster.node(0).pause()).await;
        }
    });
}

async fn connect(cluster: &RedisCluster) -> RedisStore {
    RedisStore::connect(&cluster.url()).await.unwrap()
}

fn sessions(store: RedisStore) -> Sessions {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}

/// A line of `INFO`, summed over all masters.
fn sum(cluster: &RedisCluster, section: &str, count: impl Fn(&str) -> u64) -> u64 {
    let masters = cluster.nodes().iter().take(3);
    let info = masters.map(|node| match node.run(&["INFO", section]) {
        redis::Value::BulkString(text) => count(&String::from_utf8_lossy(&text)),
        _ => 0,
    });
    info.sum()
}

/// Commands that were called, without those of this bench, of replication and inside of scripts.
fn commands(info: &str) -> u64 {
    let count = |line: &str| {
        let (name, values) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let is_ours =
            !matches!(name, "info" | "ping" | "replconf" | "hello") && !name.starts_with("cluster");
        is_ours.then(|| values.split(',').next()?.parse::<u64>().ok())?
    };
    info.lines().filter_map(count).sum()
}

/// How often the server has read from a connection. With one client, that is a round trip.
fn reads(info: &str) -> u64 {
    let count = info
        .lines()
        .find_map(|line| line.strip_prefix("total_reads_processed:"));
    count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or_default()
}

/// Prints what each operation costs. The commands include those inside of scripts.
async fn operations() {
    let cluster = RedisCluster::start();
    let sessions = sessions(connect(&cluster).await);
    let count = || {
        let commands = sum(&cluster, "commandstats", commands);
        (commands, sum(&cluster, "stats", reads))
    };
    // Counting reads too.
    let own_reads = {
        let (_, before) = count();
        count().1 - before
    };
    println!("{:<29} commands, round trips", "operation");
    let mut before = count();
    let mut row = |name: &str| {
        let now = count();
        let round_trips = now.1 - before.1 - own_reads;
        println!("{name:<29} {:>8}, {round_trips:>11}", now.0 - before.0);
        before = now;
    };
    for owner in [None, Some("jo")] {
        let with = owner.map_or("", |_| ", with owner");
        let session = sessions.new_session();
        session.insert("a", 1).unwrap();
        if let Some(owner) = owner {
            session.set_owner(owner).unwrap();
        }
        let token = session.create().await.unwrap();
        row(&format!("create{with}"));
        let session = sessions.open(token.as_str()).await.unwrap();
        row(&format!("open{with}"));
        session.insert("a", 2).unwrap();
        session.update().await.unwrap();
        row(&format!("update{with}"));
        session.rotate().await.unwrap();
        row(&format!("rotate{with}"));
        session.destroy().await.unwrap();
        row(&format!("destroy{with}"));
    }
}

/// Prints what one `load` allocates, beside the same with one server.
fn allocations() {
    let (cluster, server) = (RedisCluster::start(), RedisServer::start());
    let runtime = runtime_of_one_thread();
    for (name, url) in [("a cluster", cluster.url()), ("one server", server.url())] {
        let store = runtime.block_on(RedisStore::connect(&url)).unwrap();
        runtime
            .block_on(store.insert(NewRecord::new("k", b"v", TTL)))
            .unwrap();
        runtime.block_on(store.load("k")).unwrap();
        let counted = allocation_counter::measure(|| {
            drop(runtime.block_on(store.load("k")).unwrap());
        });
        println!("load from {name}: {} allocations", counted.count_total);
    }
}

/// Counts bytes of one thread.
fn runtime_of_one_thread() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Prints the time, and the memory of this process at its peak.
fn destroy_all(count: usize) {
    let cluster = RedisCluster::start();
    let runtime = runtime_of_one_thread();
    let sessions = sessions(runtime.block_on(connect(&cluster)));
    for _ in 0..count {
        runtime.block_on(async {
            let session = sessions.new_session();
            session.insert("data", "x".repeat(1_000)).unwrap();
            session.set_owner("jo").unwrap();
            session.create().await.unwrap();
        });
    }
    let start = Instant::now();
    let counted = allocation_counter::measure(|| {
        let destroyed = runtime.block_on(sessions.destroy_all("jo")).unwrap();
        assert_eq!(destroyed, count);
    });
    println!(
        "destroy_all of {count} sessions of 1 kB on three nodes: {:?}, {} bytes at most",
        start.elapsed(),
        counted.bytes_max
    );
}

#[derive(Default)]
struct Outcome {
    operations: usize,
    errors: Vec<(Duration, StoreErrorKind)>,
    latencies: Vec<Duration>,
}

impl Outcome {
    fn add(&mut self, start: Instant, since: Instant, error: Option<StoreErrorKind>) {
        self.operations += 1;
        self.latencies.push(start.elapsed());
        self.errors
            .extend(error.map(|error| (since.elapsed(), error)));
    }
}

/// Lets users read and write values until `stopped`. Panics if a value is lost, or a new key is
/// reported as taken.
fn start_users(store: &RedisStore, stopped: &Arc<AtomicBool>, since: Instant) -> JoinSet<Outcome> {
    let mut users = JoinSet::new();
    for user in 0..USERS {
        let (store, stopped) = (store.clone(), Arc::clone(stopped));
        users.spawn(async move {
            let mut outcome = Outcome::default();
            for number in 0_usize.. {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let key = key(number * USERS + user);
                let start = Instant::now();
                let set = store
                    .compare_and_set(b"v", NewRecord::new(&key, b"v", TTL))
                    .await;
                assert!(
                    matches!(set, Ok(CompareOutcome::Applied) | Err(_)),
                    "a lost value"
                );
                outcome.add(start, since, set.err().map(|error| error.kind()));
                let start = Instant::now();
                let loaded = store.load(&key).await;
                assert!(!matches!(loaded, Ok(None)), "a lost value");
                outcome.add(start, since, loaded.err().map(|error| error.kind()));
                let start = Instant::now();
                let new = format!("{key}:{user}:{number}");
                let inserted = store.insert(NewRecord::new(&new, b"v", TTL)).await;
                assert_ne!(inserted, Ok(false), "a new key is not taken");
                outcome.add(start, since, inserted.err().map(|error| error.kind()));
            }
            outcome
        });
    }
    users
}

fn key(number: usize) -> String {
    format!("{{{}}}:{}", number / KEYS % 40, number % KEYS)
}

async fn fill(store: &RedisStore) {
    for number in 0..40 * KEYS {
        store
            .insert(NewRecord::new(&key(number), b"v", TTL))
            .await
            .unwrap();
    }
}

async fn report(name: &str, mut users: JoinSet<Outcome>) {
    let mut all = Outcome::default();
    while let Some(user) = users.join_next().await {
        let user = user.expect("no value is lost");
        all.operations += user.operations;
        all.errors.extend(user.errors);
        all.latencies.extend(user.latencies);
    }
    all.latencies.sort_unstable();
    all.errors.sort_unstable_by_key(|(at, _)| *at);
    println!(
        "{name}: {} operations, {} errors, the last at {:?}; p99 {:?}, longest {:?}",
        all.operations,
        all.errors.len(),
        all.errors.last(),
        all.latencies[all.latencies.len() * 99 / 100],
        all.latencies.last().unwrap(),
    );
}

async fn reshard(count: usize) {
    let cluster = RedisCluster::start();
    let store = connect(&cluster).await;
    fill(&store).await;
    let stopped = Arc::new(AtomicBool::new(false));
    let users = start_users(&store, &stopped, Instant::now());
    let moving = tokio::task::spawn_blocking(move || {
        cluster.move_slots(0..count, 0, 1);
        cluster
    });
    let _cluster = moving.await.unwrap();
    stopped.store(true, Ordering::SeqCst);
    report(&format!("{count} slots moved"), users).await;
}

async fn failover(name: &str, fail: impl FnOnce(&mut RedisCluster)) {
    let mut cluster = RedisCluster::start();
    let store = connect(&cluster).await;
    fill(&store).await;
    for master in 0..3 {
        cluster.node(master).run(&["WAIT", "1", "5000"]);
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let users = start_users(&store, &stopped, Instant::now());
    fail(&mut cluster);
    sleep(Duration::from_secs(10)).await;
    stopped.store(true, Ordering::SeqCst);
    report(name, users).await;
}
