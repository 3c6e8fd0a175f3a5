//! Clusters of Redis servers for tests.

use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{FromRedisValue, from_redis_value};

use crate::redis_server::RedisServer;

const SLOTS: usize = 16384;

/// The time without an answer after which a node counts as failed, in milliseconds.
pub const NODE_TIMEOUT: &str = "2000";

/// A cluster on free loopback ports: masters with equal shares of the slots, then one replica of
/// each. A slot without a node does not stop the others.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    masters: usize,
}

impl RedisCluster {
    /// Starts three masters with three replicas and waits until each serves its slots.
    pub fn start() -> Self {
        Self::start_with(3, &[])
    }

    /// Starts `masters` with a replica each, with extra command line arguments for every node.
    pub fn start_with(masters: usize, args: &[&str]) -> Self {
        let mut all = vec!["--cluster-enabled", "yes"];
        all.extend(["--cluster-config-file", "nodes.conf"]);
        all.extend(["--cluster-node-timeout", NODE_TIMEOUT]);
        all.extend(["--cluster-require-full-coverage", "no"]);
        // A replica that has just been made follows its master without a delay.
        all.extend(["--repl-diskless-sync-delay", "0"]);
        all.extend(args);
        let nodes = (0..2 * masters).map(|_| RedisServer::start_with(&all));
        let cluster = Self {
            nodes: nodes.collect(),
            masters,
        };
        cluster.form();
        cluster
    }

    fn form(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // Different epochs, so that no two nodes have to agree on one first.
            node.run(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            let port = self.nodes[0].peer_port().to_string();
            node.run(&["CLUSTER", "MEET", "127.0.0.1", &port]);
            if index < self.masters {
                let share = |index| SLOTS * index / self.masters;
                let slots = share(index)..share(index + 1);
                let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
                let mut command = vec!["CLUSTER", "ADDSLOTS"];
                command.extend(slots.iter().map(String::as_str));
                node.run(&command);
            }
        }
        for index in self.masters..self.nodes.len() {
            let master = self.id(index - self.masters);
            let replicate = ["CLUSTER", "REPLICATE", &master];
            wait("a replica finds its master", || {
                self.nodes[index].command(&replicate).is_ok()
            });
        }
        wait("all nodes agree", || {
            self.nodes.iter().all(|node| self.is_formed(node))
        });
    }

    fn is_formed(&self, node: &RedisServer) -> bool {
        let info: String = read(node.run(&["CLUSTER", "INFO"]));
        let nodes: String = read(node.run(&["CLUSTER", "NODES"]));
        info.contains("cluster_state:ok")
            && nodes.matches(" connected").count() == self.nodes.len()
            && nodes.matches("slave ").count() == self.nodes.len() - self.masters
    }

    /// Returns the URL, which names the first two nodes. It is that of TLS if the nodes offer it.
    pub fn url(&self) -> String {
        let [first, second] = [0, 1].map(|index| self.nodes[index].peer_port());
        let scheme = match self.nodes[0].tls_port() {
            Some(_) => "rediss",
            None => "redis",
        };
        format!("{scheme}-cluster://127.0.0.1:{first}/?node=127.0.0.1:{second}")
    }

    /// Returns a node: the masters first, then the replica of each.
    pub fn node(&self, index: usize) -> &RedisServer {
        &self.nodes[index]
    }

    /// Returns a node to kill or restart.
    pub fn node_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }

    /// Returns all nodes.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Returns the id of a node.
    pub fn id(&self, index: usize) -> String {
        read(self.nodes[index].run(&["CLUSTER", "MYID"]))
    }

    /// Returns the slot of `key`.
    pub fn slot(&self, key: &str) -> usize {
        read(self.nodes[0].run(&["CLUSTER", "KEYSLOT", key]))
    }

    /// Returns the master that had the slot of `key` at the start.
    pub fn master_of(&self, key: &str) -> usize {
        let slot = self.slot(key);
        let is_above = |index: &usize| slot < SLOTS * (index + 1) / self.masters;
        (0..self.masters).find(is_above).expect("a slot")
    }

    /// Moves slots with all their keys from one master to another, one key at a time.
    pub fn move_slots(&self, slots: Range<usize>, from: usize, to: usize) {
        let (from_id, to_id) = (self.id(from), self.id(to));
        let port = self.nodes[to].port().to_string();
        // Many thousand commands: one connection to each node for all of them.
        let [mut source, mut target] = [from, to].map(|index| self.nodes[index].connect());
        for slot in slots {
            let slot = slot.to_string();
            let set_slot = ["CLUSTER", "SETSLOT", &slot];
            run(
                &mut target,
                &[&set_slot[..], &["IMPORTING", &from_id]].concat(),
            );
            run(
                &mut source,
                &[&set_slot[..], &["MIGRATING", &to_id]].concat(),
            );
            loop {
                let keys = run(&mut source, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
                let keys: Vec<String> = read(keys);
                if keys.is_empty() {
                    break;
                }
                for key in keys {
                    run(
                        &mut source,
                        &["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"],
                    );
                }
            }
            for connection in [&mut target, &mut source] {
                run(connection, &[&set_slot[..], &["NODE", &to_id]].concat());
            }
        }
    }

    /// Begins to move a slot: requests for keys that are not there are sent to the other node.
    pub fn begin_move(&self, slot: usize, from: usize, to: usize) {
        let slot = slot.to_string();
        let (from_id, to_id) = (self.id(from), self.id(to));
        self.nodes[to].run(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
        self.nodes[from].run(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    }

    /// Gives a slot whose keys have moved to its new master.
    pub fn end_move(&self, slot: usize, from: usize, to: usize) {
        let slot = slot.to_string();
        let to_id = self.id(to);
        // The new master first: until it has the slot, the two would redirect to each other.
        for index in [to, from] {
            self.nodes[index].run(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        }
    }
}

fn run(connection: &mut redis::Connection, words: &[&str]) -> redis::Value {
    let mut command = redis::cmd(words[0]);
    let answer = command.arg(&words[1..]).query(connection);
    answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn read<T: FromRedisValue>(value: redis::Value) -> T {
    from_redis_value(value).expect("an answer of this type")
}

/// Polls `probe` until it holds; panics with `what` after 20 seconds.
pub(crate) fn wait(what: &str, mut probe: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !probe() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        sleep(Duration::from_millis(20));
    }
}
