//! The requests that a server gets.

use std::net::SocketAddr;

use serde_json::{Value, json};
use test_support::http_load::{Connection, request};

use crate::process::MASTER_KEY;

/// The number of sessions that the requests are spread over.
const SESSIONS: usize = 1000;

/// The data of a session.
const DATA: &str = include_str!("data.json");

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Requests of one kind, each to another session than the one before.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) requests: Vec<Vec<u8>>,
}

impl Workload {
    const fn new(name: String, requests: Vec<Vec<u8>>) -> Self {
        Self { name, requests }
    }

    pub(crate) fn bare() -> Self {
        let path = "/session/bench/6f1c9c3a-8f0e-4a59-9d7b-2f60c1a4e8d5";
        let get = request("GET", path, &[("X-SESSION-KEY", &"k".repeat(38))], "");
        Self::new("bare axum route".to_owned(), vec![get])
    }

    /// Returns the workloads of the main routes of a `sessiond`, with `note` in their names.
    pub(crate) async fn of_sessiond(address: SocketAddr, note: &str) -> Vec<Self> {
        let mut connection = Connection::to(address).await;
        let [get, post] = buckets(&mut connection).await;
        let [rpc_get, rpc_update] = rpc(&mut connection).await;
        let health = vec![request("GET", "/healthz", &[], "")];
        vec![
            Self::new(format!("health{note}"), health),
            Self::new(format!("bucket GET{note}"), get),
            Self::new(format!("bucket POST{note}"), post),
            Self::new(format!("RPC get{note}"), rpc_get),
            Self::new(format!("RPC update{note}"), rpc_update),
        ]
    }
}

/// Creates sessions in a bucket; returns requests that read and that replace them.
async fn buckets(connection: &mut Connection) -> [Vec<Vec<u8>>; 2] {
    let master = [("X-SESSION-KEY", MASTER_KEY)];
    let created = request("PUT", "/api-key/bench", &master, "");
    let key = answer(connection, &created).await["api_key"].take();
    let headers = [("X-SESSION-KEY", key.as_str().expect("a key")), JSON];
    let put = request("PUT", "/session/bench", &headers, DATA);
    let (mut gets, mut posts) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS {
        let created = answer(connection, &put).await;
        let path = format!("/session/bench/{}", created["id"].as_str().expect("an id"));
        gets.push(request("GET", &path, &headers[..1], ""));
        posts.push(request("POST", &path, &headers, DATA));
    }
    [gets, posts]
}

/// Creates sessions over RPC; returns requests that read and that update them.
async fn rpc(connection: &mut Connection) -> [Vec<Vec<u8>>; 2] {
    let call = |method: &str, args: Value| {
        let body = json!({ "args": args.to_string() }).to_string();
        request("POST", &format!("/rpc/{method}"), &[JSON], &body)
    };
    let (mut gets, mut updates) = (Vec::new(), Vec::new());
    let session: Value = serde_json::from_str(DATA).expect("JSON");
    for number in 0..SESSIONS {
        let user = format!("user {number}");
        let create = call("create", json!({ "session": session, "userId": user }));
        let token = answer(connection, &create).await["result"]["token"].take();
        let get = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
        gets.push(call("get", get));
        let session = json!({ "seen": number });
        let update = json!({ "token": token, "sessionVersion": "v1", "session": session });
        updates.push(call("update", update));
    }
    [gets, updates]
}

/// Sends a request that is answered with JSON.
async fn answer(connection: &mut Connection, request: &[u8]) -> Value {
    serde_json::from_slice(connection.send(request).await.1).expect("JSON")
}
