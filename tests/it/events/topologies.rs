//! Waits in a cluster, and behind sentinels.

use super::*;
use crate::support::redis_cluster::RedisCluster;
#[cfg(feature = "sentinel")]
use crate::support::redis_sentinels::{RedisSentinels, SERVICE};

/// Returns the key of a session.
fn key(session: &Session) -> String {
    format!("sess:{}", session.id().unwrap().as_str())
}

async fn watched(cluster: &RedisCluster, keys: u64) {
    eventually("the keys are tracked", async || {
        let nodes = cluster.nodes().iter();
        let all: u64 = nodes
            .map(|node| info(node, "stats", "tracking_total_keys:"))
            .sum();
        (all == keys).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_node_of_a_cluster_reports_changes() {
    let cluster = RedisCluster::start();
    let store = RedisStore::connect(&cluster.url()).await.expect("connect");
    let sessions = sessions(store);
    let (mut all, mut masters) = (Vec::new(), [false; 3]);
    while masters != [true; 3] || all.len() < 10 {
        let (session, token) = created(&sessions).await;
        masters[cluster.master_of(&key(&session))] = true;
        all.push((wait_for(&session), token));
    }
    watched(&cluster, all.len() as u64).await;
    let other = RedisStore::connect(&cluster.url()).await.expect("connect");
    let other = super::sessions(other);
    for (waiting, token) in all {
        assert!(!waiting.is_finished());
        let session = other.open(token.as_str()).await.unwrap();
        session.destroy().await.unwrap();
        assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
    }
}

/// The record is watched at its new node, and at the replica that has become the master.
#[tokio::test]
async fn a_watch_follows_its_slot() {
    let mut cluster = RedisCluster::start();
    let store = RedisStore::connect(&cluster.url()).await.expect("connect");
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    let waiting = wait_for(&session);
    watched(&cluster, 1).await;
    let (key, slot) = (key(&session), cluster.slot(&key(&session)));
    let from = cluster.master_of(&key);
    let to = (from + 1) % 3;
    cluster.move_slots(slot..slot + 1, from, to);
    eventually("the new node is watched", async || {
        let node = cluster.node(to);
        (info(node, "stats", "tracking_total_keys:") == 1).then_some(())
    })
    .await;
    assert!(!waiting.is_finished());
    cluster.node(to).run(&["WAIT", "1", "5000"]);
    cluster.node_mut(to).kill();
    eventually("a replica is watched", async || {
        let replicas = cluster.nodes()[3..].iter();
        let mut tracked = replicas.map(|node| info(node, "stats", "tracking_total_keys:"));
        tracked.any(|keys| keys == 1).then_some(())
    })
    .await;
    assert!(!waiting.is_finished());
    session.destroy().await.unwrap();
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}

/// The connection to it stays open, and announces nothing any more.
#[tokio::test]
async fn a_watch_leaves_a_master_that_became_a_replica() {
    let cluster = RedisCluster::start();
    let store = RedisStore::connect(&cluster.url()).await.expect("connect");
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    let waiting = wait_for(&session);
    watched(&cluster, 1).await;
    let replica = cluster.node(3 + cluster.master_of(&key(&session)));
    replica.run(&["CLUSTER", "FAILOVER"]);
    tracked(replica, 1).await;
    assert!(!waiting.is_finished());
    session.destroy().await.unwrap();
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}

#[cfg(feature = "sentinel")]
#[tokio::test]
async fn a_watch_follows_the_master() {
    let sentinels = RedisSentinels::start();
    let store = RedisStore::connect(&sentinels.url())
        .await
        .expect("connect");
    let sessions = sessions(store);
    let (session, _) = created(&sessions).await;
    let waiting = wait_for(&session);
    tracked(sentinels.server(0), 1).await;
    sentinels.server(0).run(&["WAIT", "1", "5000"]);
    sentinels.sentinels()[0].run(&["SENTINEL", "FAILOVER", SERVICE]);
    tracked(sentinels.server(1), 1).await;
    assert!(!waiting.is_finished());
    sentinels.server(1).run(&["DEL", &key(&session)]);
    assert_eq!(at_once(waiting).await, SessionEnd::Destroyed);
}
