//! What is asked of a server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Connection, request};
use crate::process::MASTER_KEY;

/// How many sessions the requests are spread over.
const SESSIONS: usize = 1000;

/// The data of a session.
const DATA: &str = include_str!("data.json");

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Requests of one kind to one server, each to another session than the one before.
pub(crate) struct Workload {
    name: String,
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
}

/// How many requests were answered, and how long that took.
pub(crate) struct Sent {
    pub(crate) requests: usize,
    pub(crate) took: Duration,
}

impl Workload {
    fn new(name: String, address: SocketAddr, requests: Vec<Vec<u8>>) -> Self {
        let requests = Arc::new(requests);
        Self {
            name,
            address,
            requests,
        }
    }

    pub(crate) fn bare(address: SocketAddr) -> Self {
        let path = "/session/bench/6f1c9c3a-8f0e-4a59-9d7b-2f60c1a4e8d5";
        let get = request("GET", path, &[("X-SESSION-KEY", &"k".repeat(38))], "");
        Self::new("bare axum route".to_owned(), address, vec![get])
    }

    /// The routes that matter, of a `sessiond`.
    pub(crate) async fn doors(note: &str, address: SocketAddr) -> Vec<Self> {
        let [get, post] = buckets(address).await;
        let [rpc_get, rpc_update] = rpc(address).await;
        let health = vec![request("GET", "/healthz", &[], "")];
        vec![
            Self::new(format!("health{note}"), address, health),
            Self::new(format!("bucket GET{note}"), address, get),
            Self::new(format!("bucket POST{note}"), address, post),
            Self::new(format!("RPC get{note}"), address, rpc_get),
            Self::new(format!("RPC update{note}"), address, rpc_update),
        ]
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends requests over `connections` for `span`.
    pub(crate) async fn run(&self, connections: usize, span: Duration) -> Sent {
        let start = Instant::now();
        let clients = (0..connections).map(|number| {
            let (requests, address) = (Arc::clone(&self.requests), self.address);
            tokio::spawn(async move {
                let mut connection = Connection::to(address).await;
                let mut sent = 0;
                let first = number * requests.len() / connections;
                for request in requests.iter().cycle().skip(first) {
                    let (status, _) = connection.send(request).await;
                    assert_eq!(status, 200);
                    sent += 1;
                    if start.elapsed() >= span {
                        break;
                    }
                }
                sent
            })
        });
        let clients: Vec<_> = clients.collect();
        let mut requests = 0;
        for client in clients {
            requests += client.await.expect("a client");
        }
        let took = start.elapsed();
        Sent { requests, took }
    }
}

/// Creates sessions in a bucket; returns requests that read and that replace them.
async fn buckets(address: SocketAddr) -> [Vec<Vec<u8>>; 2] {
    let mut connection = Connection::to(address).await;
    let master = [("X-SESSION-KEY", MASTER_KEY)];
    let made = request("PUT", "/api-key/bench", &master, "");
    let answer = ask(&mut connection, &made, 201).await;
    let key = answer["api_key"].as_str().expect("a key").to_owned();
    let headers = [("X-SESSION-KEY", key.as_str()), JSON];
    let put = request("PUT", "/session/bench", &headers, DATA);
    let (mut gets, mut posts) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS {
        let answer = ask(&mut connection, &put, 201).await;
        let path = format!("/session/bench/{}", answer["id"].as_str().expect("an id"));
        gets.push(request("GET", &path, &headers[..1], ""));
        posts.push(request("POST", &path, &headers, DATA));
    }
    [gets, posts]
}

/// Creates sessions over RPC; returns requests that read and that update them.
async fn rpc(address: SocketAddr) -> [Vec<Vec<u8>>; 2] {
    let mut connection = Connection::to(address).await;
    let (mut gets, mut updates) = (Vec::new(), Vec::new());
    let session: Value = serde_json::from_str(DATA).expect("JSON");
    for number in 0..SESSIONS {
        let user = format!("user {number}");
        let create = call("create", &json!({ "session": session, "userId": user }));
        let answer = ask(&mut connection, &create, 200).await;
        let token = answer["result"]["token"].as_str().expect("a token");
        let get = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
        gets.push(call("get", &get));
        let session = json!({ "seen": number });
        let update = json!({ "token": token, "sessionVersion": "v1", "session": session });
        updates.push(call("update", &update));
    }
    [gets, updates]
}

fn call(method: &str, args: &Value) -> Vec<u8> {
    let body = json!({ "args": args.to_string() }).to_string();
    request("POST", &format!("/rpc/{method}"), &[JSON], &body)
}

async fn ask(connection: &mut Connection, request: &[u8], expected: u16) -> Value {
    let (status, body) = connection.send(request).await;
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(body));
    serde_json::from_slice(body).expect("JSON")
}
