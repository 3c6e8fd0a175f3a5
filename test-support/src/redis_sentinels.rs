//! A master, a replica and three sentinels for tests.

use std::collections::HashMap;

use redis::from_redis_value;

use crate::redis_cluster::wait;
use crate::redis_server::RedisServer;

/// The name of the master in the configuration of the sentinels.
pub const SERVICE: &str = "mymaster";

/// The time without an answer after which a master counts as failed, in milliseconds.
const DOWN_AFTER: u32 = 1000;

/// Two servers of which one is the master, and three sentinels, on free loopback ports.
#[derive(Debug)]
pub struct RedisSentinels {
    servers: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
}

impl RedisSentinels {
    /// Starts all and waits until the sentinels have found each other and the replica.
    pub fn start() -> Self {
        Self::start_with(&[], "")
    }

    /// Starts all, with extra command line arguments for the servers, and extra lines for the
    /// configuration of the sentinels.
    pub fn start_with(args: &[&str], lines: &str) -> Self {
        let mut all = vec!["--repl-diskless-sync-delay", "0"];
        all.extend(args);
        let master = RedisServer::start_with(&all);
        let address = format!("127.0.0.1 {}", master.peer_port());
        let port = master.peer_port().to_string();
        all.extend(["--replicaof", "127.0.0.1", &port]);
        let replica = RedisServer::start_with(&all);
        let lines = format!(
            "sentinel monitor {SERVICE} {address} 2\n\
             sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER}\n\
             sentinel failover-timeout {SERVICE} 6000\n{lines}"
        );
        let sentinels = (0..3).map(|_| RedisServer::start_sentinel(&lines));
        let all = Self {
            sentinels: sentinels.collect(),
            servers: [master, replica],
        };
        wait("the sentinels have found all", || {
            all.sentinels.iter().all(|sentinel| {
                let known = sentinel.run(&["SENTINEL", "MASTER", SERVICE]);
                let known: HashMap<String, String> = from_redis_value(known).expect("fields");
                known["num-slaves"] == "1" && known["num-other-sentinels"] == "2"
            })
        });
        all
    }

    /// Starts a sentinel that has lost the others, and names `master`.
    pub fn start_cut_off(master: &RedisServer) -> RedisServer {
        let port = master.port();
        RedisServer::start_sentinel(&format!("sentinel monitor {SERVICE} 127.0.0.1 {port} 2"))
    }

    /// Returns the URL, which names all sentinels. It is that of TLS if they offer it.
    pub fn url(&self) -> String {
        let ports = [0, 1, 2].map(|index| self.sentinels[index].peer_port());
        let scheme = match self.sentinels[0].tls_port() {
            Some(_) => "rediss",
            None => "redis",
        };
        Self::url_of(scheme, ports)
    }

    /// Returns the URL that names the sentinels at these ports.
    pub fn url_of(scheme: &str, [first, second, third]: [u16; 3]) -> String {
        format!(
            "{scheme}-sentinel://127.0.0.1:{first}/?node=127.0.0.1:{second}&node=127.0.0.1:{third}\
             &sentinelServiceName={SERVICE}"
        )
    }

    /// Returns a server: the first master, then its replica.
    pub fn server(&self, index: usize) -> &RedisServer {
        &self.servers[index]
    }

    /// Returns a server to kill or restart.
    pub fn server_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.servers[index]
    }

    /// Returns the sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// Returns a sentinel to kill or restart.
    pub fn sentinel_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.sentinels[index]
    }

    /// Returns the port of the server that a sentinel names as the master.
    pub fn master_port(&self, sentinel: usize) -> u16 {
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE];
        let answer = self.sentinels[sentinel].run(&question);
        let (_host, port): (String, u16) = from_redis_value(answer).expect("an address");
        port
    }
}
