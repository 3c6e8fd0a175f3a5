//! The store on a cluster of three masters with three replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;
use crate::support::eventually;
use crate::support::redis_cluster::RedisCluster;

/// From the failure of a master until its replica serves: the time-out of the nodes, 2 s, then an
/// election, then up to 5 s for the clients.
const FAILOVER: Duration = Duration::from_secs(10);

async fn connected_to(cluster: &RedisCluster) -> RedisStore {
    let store = RedisStore::connect(&cluster.url()).await;
    store.expect("connect")
}

/// Returns a key of the master with this number.
fn key_of(cluster: &RedisCluster, master: usize) -> String {
    let mut keys = (0..).map(|number| format!("key:{number}"));
    let key = keys.find(|key| cluster.master_of(key) == master);
    key.expect("every master has keys")
}

#[tokio::test]
async fn every_case_passes() {
    let cluster = RedisCluster::start();
    let store = patient(&cluster.url()).connect().await;
    conformance::check(store.expect("connect")).await;
    // Through the second node, while the first one of the URL is down.
    let [node, down] = [cluster.node(2).port(), 1];
    let url = format!("redis-cluster://127.0.0.1:{down}/?node=127.0.0.1:{node}");
    let store = patient(&url).connect().await.expect("connect");
    conformance::check(store).await;
}

/// Uses keys of one slot: four that exist, and two that do not.
async fn all_are_served(store: &RedisStore, keys: &[String]) {
    for key in &keys[..4] {
        let inserted = store.insert(record(key, b"w")).await;
        assert_eq!(inserted, Ok(false), "no lost value");
        let set = store.compare_and_set(b"v", record(key, b"v")).await;
        assert_eq!(set, Ok(CompareOutcome::Applied));
        let touched = store.set_ttl_if(key, b"v", TTL).await;
        assert_eq!(touched, Ok(CompareOutcome::Applied));
        let loaded = store.load(key).await.expect("served");
        assert_eq!(&*loaded.expect("there").value, b"v");
    }
    let names: Vec<_> = keys.iter().map(String::as_str).collect();
    let loaded = store.load_many(&names).await.expect("served");
    assert_eq!(loaded.iter().flatten().count(), 4);
    let inserted = store.insert(record(&keys[5], b"v")).await;
    assert_eq!(inserted, Ok(true), "no false taken");
    assert_eq!(store.delete(&keys[5]).await, Ok(true));
    let put = [entry("{tag}:index", "a", 1)];
    let new = record(&keys[4], b"v");
    let inserted = store.insert_indexed(&put, new, None).await;
    assert!(inserted.is_ok(), "{inserted:?}");
    let new = [&*keys[4]];
    let deleted = store.delete_indexed(&new, "{tag}:index", &["a"]).await;
    assert_eq!(deleted, Ok(1));
}

/// While a slot moves, some of its keys are at the old node, some at the new one.
#[tokio::test]
async fn keys_of_a_slot_that_moves_are_served() {
    let cluster = RedisCluster::start();
    let store = connected_to(&cluster).await;
    let keys: Vec<_> = (0..6).map(|number| format!("{{tag}}:{number}")).collect();
    let from = cluster.master_of(&keys[0]);
    let to = (from + 1) % 3;
    for key in &keys[..4] {
        assert_eq!(store.insert(record(key, b"v")).await, Ok(true));
    }
    cluster.begin_move(cluster.slot(&keys[0]), from, to);
    let port = cluster.node(to).port().to_string();
    all_are_served(&store, &keys).await;
    for key in &keys[..4] {
        let migrate = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
        cluster.node(from).run(&migrate);
        all_are_served(&store, &keys).await;
    }
    cluster.end_move(cluster.slot(&keys[0]), from, to);
    assert!(load(&store, &keys[0]).await.is_some());
}

#[tokio::test]
async fn a_slot_that_has_moved_is_served_without_a_pause() {
    let cluster = RedisCluster::start();
    let store = connected_to(&cluster).await;
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    let (mut from, slot) = (cluster.master_of("k"), cluster.slot("k"));
    let mut shortest = Duration::MAX;
    for _ in 0..6 {
        let to = (from + 1) % 3;
        cluster.move_slots(slot..slot + 1, from, to);
        let start = Instant::now();
        assert!(load(&store, "k").await.is_some());
        shortest = shortest.min(start.elapsed());
        from = to;
    }
    assert!(shortest < Duration::from_millis(18), "{shortest:?}");
}

/// Reads and writes keys of every master until `stopped`, and returns the errors of each master
/// with the time of the last one.
async fn use_all(
    cluster: &RedisCluster,
    store: &RedisStore,
    stopped: Arc<AtomicBool>,
) -> JoinSet<(usize, Vec<StoreErrorKind>, Option<Instant>)> {
    let mut users = JoinSet::new();
    for master in 0..3 {
        let key = key_of(cluster, master);
        assert_eq!(store.insert(record(&key, b"v")).await, Ok(true));
        let (store, stopped) = (store.clone(), Arc::clone(&stopped));
        users.spawn(async move {
            let (mut errors, mut last) = (Vec::new(), None);
            while !stopped.load(Ordering::SeqCst) {
                let loaded = store.load(&key).await;
                let written = store.compare_and_set(b"v", record(&key, b"v")).await;
                assert!(!matches!(loaded, Ok(None)), "{key} looks deleted");
                let kinds =
                    [loaded.err(), written.err()].map(|error| error.map(|error| error.kind()));
                if kinds != [None; 2] {
                    last = Some(Instant::now());
                }
                errors.extend(kinds.into_iter().flatten());
                sleep(Duration::from_millis(2)).await;
            }
            (master, errors, last)
        });
    }
    users
}

/// What happens to the first master.
async fn only_its_slots_fail(fail: impl FnOnce(&mut RedisCluster)) {
    let mut cluster = RedisCluster::start();
    let store = connected_to(&cluster).await;
    let stopped = Arc::new(AtomicBool::new(false));
    let mut users = use_all(&cluster, &store, Arc::clone(&stopped)).await;
    let key = key_of(&cluster, 0);
    // The replica has all keys.
    cluster.node(0).run(&["WAIT", "1", "5000"]);
    let failed_at = Instant::now();
    fail(&mut cluster);
    let ping = store.ping().await;
    assert!(ping.is_err(), "not every slot is served");
    while store
        .compare_and_set(b"v", record(&key, b"v"))
        .await
        .is_err()
    {
        assert!(failed_at.elapsed() < FAILOVER, "no replica serves");
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(500)).await;
    stopped.store(true, Ordering::SeqCst);
    while let Some(user) = users.join_next().await {
        let (master, errors, last) = user.expect("no value is lost");
        match master {
            0 => {
                let last = last.expect("its master failed").duration_since(failed_at);
                assert!(last < FAILOVER, "{last:?}: {errors:?}");
            }
            _ => assert_eq!(errors, [], "master {master}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_master_is_killed_only_its_slots_fail() {
    only_its_slots_fail(|cluster| cluster.node_mut(0).kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_master_hangs_only_its_slots_fail() {
    only_its_slots_fail(|cluster| cluster.node(0).pause()).await;
}

/// It still answers `PING`, and the other nodes still count on it.
#[tokio::test]
async fn a_master_that_rejects_its_keys_is_not_ready() {
    let cluster = RedisCluster::start_with(3, &["--cluster-require-full-coverage", "yes"]);
    let store = connected_to(&cluster).await;
    assert_eq!(store.ping().await, Ok(()));
    cluster.node(0).run(&["CLUSTER", "DELSLOTS", "0"]);
    let error = eventually("not ready", async || store.ping().await.err()).await;
    assert_eq!(error.kind(), StoreErrorKind::Cluster);
    // A call goes to its slot again and again, with pauses.
    let rejections = || match cluster.node(0).run(&["INFO", "stats"]) {
        redis::Value::BulkString(text) => {
            let text = String::from_utf8(text).expect("text");
            let mut lines = text.lines();
            let count = lines.find_map(|line| line.strip_prefix("total_error_replies:"));
            count.and_then(|count| count.parse::<u64>().ok())
        }
        other => panic!("{other:?}"),
    };
    let before = rejections().expect("a count");
    let error = store.load(&key_of(&cluster, 0)).await.expect_err("no slot");
    assert_eq!(error.kind(), StoreErrorKind::Cluster);
    let sent = rejections().expect("a count") - before;
    assert!((3..200).contains(&sent), "{sent} commands in a second");
}

/// The later steps rely on the earlier ones, also if these go to another node.
#[tokio::test]
async fn a_rejected_step_is_the_last_one() {
    let cluster = RedisCluster::start();
    let store = connected_to(&cluster).await;
    let master = cluster.master_of("index");
    let key = key_of(&cluster, (master + 1) % 3);
    cluster.node(master).run(&["SET", "index", "no set"]);
    let put = [entry("index", "a", 1)];
    let inserted = store.insert_indexed(&put, record(&key, b"v"), None).await;
    let error = inserted.expect_err("the index has another type");
    assert_eq!(error.kind(), StoreErrorKind::WrongType);
    assert_eq!(load(&store, &key).await, None);
}

#[tokio::test]
async fn a_node_that_hangs_or_has_left_its_cluster_costs_nothing() {
    let cluster = RedisCluster::start_with(1, &[]);
    let own_file = [
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        "own.conf",
    ];
    let [hung, left] = [(); 2].map(|()| RedisServer::start_with(&own_file));
    hung.pause();
    let [node, hung, left] = [cluster.node(0), &hung, &left].map(RedisServer::port);
    let url =
        format!("redis-cluster://127.0.0.1:{hung}/?node=127.0.0.1:{left}&node=127.0.0.1:{node}");
    // They are queried in any order.
    for _ in 0..8 {
        let start = Instant::now();
        RedisStore::connect(&url).await.expect("connect");
        let took = start.elapsed();
        assert!(took < Duration::from_millis(400), "{took:?}");
    }
}

/// All nodes that the cluster has named may be gone, as after a move to other machines.
#[tokio::test]
async fn the_nodes_of_the_configuration_are_not_forgotten() {
    let mut clusters = [(); 2].map(|()| RedisCluster::start_with(1, &[]));
    let [first, second] = [0, 1].map(|index| clusters[index].node(0).port());
    let url = format!("redis-cluster://127.0.0.1:{first}/?node=127.0.0.1:{second}");
    let store = RedisStore::connect(&url).await.expect("connect");
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    let has_key =
        |cluster: &RedisCluster| cluster.node(0).run(&["EXISTS", "k"]) == redis::Value::Int(1);
    let used = usize::from(has_key(&clusters[1]));
    for node in 0..2 {
        clusters[used].node_mut(node).kill();
    }
    let inserted = eventually("service", async || {
        store.insert(record("k", b"v")).await.ok()
    });
    assert!(inserted.await);
    assert!(has_key(&clusters[1 - used]));
}

#[tokio::test]
async fn a_url_that_leads_to_another_kind_of_server_is_rejected() {
    let cluster = RedisCluster::start();
    let server = RedisServer::start();
    let master = ["--replicaof", "127.0.0.1", &server.port().to_string()];
    let replica = RedisServer::start_with(&master);
    let cluster_url = |port| format!("redis-cluster://127.0.0.1:{port}");
    for (url, expected) in [
        (cluster.node(0).url(), "use redis-cluster://"),
        (cluster.node(3).url(), "use redis-cluster://"),
        (cluster_url(server.port()), "use redis://"),
        (replica.url(), "use its master"),
    ] {
        let error = RedisStore::connect(&url).await.expect_err(&url);
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_least_privileged_account_is_enough_while_slots_move() {
    let cluster = RedisCluster::start();
    let mut words = vec![
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">pw",
        "~*",
        "resetchannels",
        "-@all",
    ];
    words.extend(RedisStore::ACL_RULES.split(' '));
    words.extend(RedisStore::CLUSTER_ACL_RULES.split(' '));
    for node in cluster.nodes() {
        node.run(&words);
    }
    let url = cluster.url().replace("://", "://app:pw@");
    let store = RedisStore::connect(&url).await.expect("connect");
    conformance::check(store.clone()).await;
    let (from, slot) = (cluster.master_of("k"), cluster.slot("k"));
    cluster.begin_move(slot, from, (from + 1) % 3);
    // The key is absent at the old node, so it belongs to the new one.
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    assert!(load(&store, "k").await.is_some());
}
