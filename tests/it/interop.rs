//! Sessions shared with the npm package `jwt-redis-session`; `scripts/interop` runs these tests.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jwt_redis_session::{Keyring, RedisStore, SessionError, Sessions, TokenRejection};
use serde_json::{Value, json};

use crate::support::redis_server::RedisServer;

const SECRET: &str = "a secret shared by Node and Rust.";

/// A Node process that uses the npm package on the server's sessions.
struct Node {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Node {
    fn start(redis: &RedisServer) -> Self {
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/driver.js");
        let mut child = Command::new("node")
            .arg(driver)
            .env("REDIS_URL", redis.url())
            .env("SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start node");
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdin,
            stdout,
        }
    }

    fn run(&mut self, command: &Value) -> Value {
        writeln!(self.stdin, "{command}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("an answer by the driver");
        assert_eq!(answer["error"], Value::Null);
        answer["ok"].clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn both() -> (Sessions, Node, RedisServer) {
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let sessions = Sessions::builder(store, keyring).build().unwrap();
    let node = Node::start(&redis);
    (sessions, node, redis)
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn rust_opens_and_updates_what_node_created() {
    let (sessions, mut node, _redis) = both().await;
    let created = node.run(&json!({
        "op": "create",
        "data": {"foo": "bar", "user": {"name": "jo"}},
        "claims": {"iss": "my application name", "aud": "myapplication.com"},
    }));
    let token = created["token"].as_str().unwrap();

    let session = sessions.open(token).await.unwrap();
    assert_eq!(session.id().unwrap().as_str(), created["id"]);
    assert_eq!(
        session.to_json(),
        json!({"foo": "bar", "user": {"name": "jo"}})
    );
    assert_eq!((session.owner(), session.created_at()), (None, None));
    let issuer: Option<String> = session.claims().unwrap().get("iss").unwrap();
    assert_eq!(issuer.as_deref(), Some("my application name"));
    session.insert("foo", "baz").unwrap();
    session.set_owner("jo").unwrap();
    session.update().await.unwrap();

    let read = node.run(&json!({"op": "read", "token": token}));
    assert_eq!(read["session"]["foo"], "baz");
    assert_eq!(read["session"]["user"], json!({"name": "jo"}));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn node_keeps_the_metadata_of_what_rust_created() {
    let (sessions, mut node, _redis) = both().await;
    let session = sessions.new_session();
    session.insert("user", json!({"name": "jo"})).unwrap();
    session.set_owner("jo").unwrap();
    let token = session.create().await.unwrap();
    let created = session.created_at();

    let read = node.run(&json!({"op": "read", "token": token}));
    assert_eq!(read["id"], session.id().unwrap().as_str());
    assert_eq!(read["claims"]["sub"], "jo");
    assert_eq!(read["session"]["user"], json!({"name": "jo"}));
    node.run(&json!({"op": "update", "token": token, "data": {"cart": [1]}}));

    session.reload().await.unwrap();
    let data = json!({"user": {"name": "jo"}, "cart": [1]});
    assert_eq!(session.to_json(), data, "jwt and claims are dropped");
    assert_eq!(session.owner().as_deref(), Some("jo"), "_jrs survives");
    assert_eq!(session.created_at(), created);
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn destroyed_sessions_are_gone_for_both() {
    let (sessions, mut node, _redis) = both().await;
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    let token = session.create().await.unwrap();
    assert_eq!(node.run(&json!({"op": "destroy", "token": token})), 1);
    let rejected = sessions.open(token.as_str()).await.unwrap_err();
    assert_eq!(rejected, SessionError::Rejected(TokenRejection::Unknown));
    session.insert("late", true).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Gone));
    assert!(sessions.list("jo").await.unwrap().is_empty());

    let created = node.run(&json!({"op": "create", "data": {}, "claims": {}}));
    let session = sessions
        .open(created["token"].as_str().unwrap())
        .await
        .unwrap();
    assert!(session.destroy().await.unwrap());
    assert_eq!(
        node.run(&json!({"op": "read", "token": created["token"]})),
        Value::Null
    );
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn concurrent_updates_by_both_are_kept() {
    let (sessions, mut node, _redis) = both().await;
    let session = sessions.new_session();
    session.insert("n", 0).unwrap();
    let token = session.create().await.unwrap();
    session.insert("rust", true).unwrap();
    node.run(&json!({"op": "update", "token": token, "data": {"node": true}}));
    session.update().await.unwrap();
    assert_eq!(
        session.to_json(),
        json!({"n": 0, "node": true, "rust": true})
    );
}
