//! The ways to a server.

use super::*;

#[tokio::test]
async fn the_url_chooses_user_password_and_database() {
    let server = RedisServer::start();
    server.run(&["ACL", "SETUSER", "app", "on", ">p@ss/word", "~*", "+@all"]);
    let url = format!("redis://app:p%40ss%2Fword@127.0.0.1:{}/3", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    let size = admin(&format!("{}3", server.url()), &["DBSIZE"]);
    assert_eq!(size, Ok(redis::Value::Int(1)));
    let debug = format!("{store:?} {:?}", RedisConfig::new(url));
    assert!(!debug.contains("p@") && !debug.contains("word"), "{debug}");

    let beyond = format!("{}999", server.url());
    let error = RedisStore::connect(&beyond).await.expect_err("absent");
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
}

#[tokio::test]
async fn a_unix_socket_works_too() {
    let server = RedisServer::start_with(&["--unixsocket", "{dir}/redis.sock"]);
    for scheme in ["unix", "redis+unix"] {
        let url = format!("{scheme}://{}/redis.sock?db=2", server.dir().display());
        let store = RedisStore::connect(&url).await.expect("connect");
        conformance::check(store).await;
    }
    let missing = format!("unix://{}/none.sock", server.dir().display());
    let error = RedisStore::connect(&missing).await.expect_err("no socket");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
}

#[cfg(feature = "pool")]
#[tokio::test]
async fn one_connection_is_taken_out_of_a_pool() {
    let server = RedisServer::start();
    let pool = crate::faults_store::pool(&server);
    let store = RedisStore::from_pool(pool.clone());
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    assert_eq!(pool.status().size, 0);
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(load(&store, "k").await.is_some());
    conformance::check(store).await;
}
