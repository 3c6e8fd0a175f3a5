//! Sessions shared with the npm package `jwt-redis-session`.

use jwt_redis_session::{SessionError, Sessions, TokenRejection};
use serde_json::{Value, json};

use super::{Driver, rust};
use crate::support::redis_server::RedisServer;

async fn both() -> (Sessions, Driver, RedisServer) {
    let redis = RedisServer::start();
    let node = Driver::npm(&redis);
    (rust(&redis).await, node, redis)
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn rust_opens_and_updates_what_node_created() {
    let (sessions, mut node, _redis) = both().await;
    let create = json!({
        "op": "create",
        "data": {"foo": "bar", "user": {"name": "jo"}},
        "claims": {"iss": "my application name", "aud": "myapplication.com"},
    });
    let created = node.run(&create).await;
    let token = created["token"].as_str().unwrap();

    let session = sessions.open(token).await.unwrap();
    assert_eq!(session.id().unwrap().as_str(), created["id"]);
    let data = json!({"foo": "bar", "user": {"name": "jo"}});
    assert_eq!(session.to_json(), data);
    assert_eq!((session.owner(), session.created_at()), (None, None));
    let issuer: Option<String> = session.claims().unwrap().get("iss").unwrap();
    assert_eq!(issuer.as_deref(), Some("my application name"));
    session.insert("foo", "baz").unwrap();
    session.set_owner("jo").unwrap();
    session.update().await.unwrap();

    let read = node.run(&json!({"op": "read", "token": token})).await;
    assert_eq!(read["session"]["foo"], "baz");
    assert_eq!(read["session"]["user"], json!({"name": "jo"}));
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs the npm package: scripts/interop"]
async fn concurrent_updates_by_both_and_the_metadata_are_kept() {
    let (sessions, mut node, _redis) = both().await;
    let session = sessions.new_session();
    session.insert("user", json!({"name": "jo"})).unwrap();
    session.set_owner("jo").unwrap();
    let token = session.create().await.unwrap();
    let created = session.created_at();

    let read = node.run(&json!({"op": "read", "token": token})).await;
    assert_eq!(read["id"], session.id().unwrap().as_str());
    assert_eq!(read["claims"]["sub"], "jo");
    assert_eq!(read["session"]["user"], json!({"name": "jo"}));
    let update = json!({"op": "update", "token": token, "data": {"cart": [1]}});
    node.run(&update).await;

    session.insert("rust", true).unwrap();
    session.update().await.unwrap();
    let data = json!({"user": {"name": "jo"}, "cart": [1], "rust": true});
    assert_eq!(session.to_json(), data, "without jwt and claims");
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
    let destroy = json!({"op": "destroy", "token": token});
    assert_eq!(node.run(&destroy).await, 1);
    let rejected = sessions.open(token.as_str()).await.unwrap_err();
    assert_eq!(rejected, SessionError::Rejected(TokenRejection::Unknown));
    session.insert("late", true).unwrap();
    assert_eq!(session.update().await, Err(SessionError::Gone));
    assert!(sessions.list("jo").await.unwrap().is_empty());

    let create = json!({"op": "create", "data": {}, "claims": {}});
    let token = node.run(&create).await["token"].take();
    let session = sessions.open(token.as_str().unwrap()).await.unwrap();
    assert!(session.destroy().await.unwrap());
    let read = json!({"op": "read", "token": token});
    assert_eq!(node.run(&read).await, Value::Null);
}
