//! Redis that answers, and refuses.

use super::door::{Client, DOORS, Door, ask};
use crate::service::Service;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_full_redis_refuses_writers_and_leaves_nothing_half_written() {
    for door in DOORS {
        let service = Service::redis().await;
        let redis = service.redis.as_ref().expect("redis");
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        let before = service.keys();
        redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
        client.create("al").await.is_outage();
        client.write(&session, 1).await.is_outage();
        client.read(&session).await.fine();
        assert_eq!(service.keys(), before, "{door:?}");
        // Logging out always works.
        client.end(&session, "jo").await.fine();
        assert!(client.read(&session).await.is_gone(door), "{door:?}");
        redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
        client.created("al").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_loading_redis_is_an_outage_and_serves_when_it_is_ready() {
    let mut redis = RedisServer::start_with(&[
        "--key-load-delay",
        "20000",
        "--loading-process-events-interval-bytes",
        "1024",
        "--rdbcompression",
        "no",
    ]);
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let mut sessions = Vec::new();
    for door in DOORS {
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        sessions.push((client, session));
    }
    let padding = "x".repeat(1024);
    for number in 0..60 {
        redis.run(&["SET", &format!("pad{number}"), &padding]);
    }
    redis.run(&["SAVE"]);
    redis.restart_unready();
    for (client, session) in &sessions {
        client.read(session).await.is_outage();
    }
    ask(service.get("/readyz")).await.is_outage();
    for (client, session) in &sessions {
        client.back(session).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_logout_that_redis_refuses_is_never_called_done() {
    for door in DOORS {
        let service = Service::redis().await;
        let redis = service.redis.as_ref().expect("redis");
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        std::fs::create_dir(redis.dir().join("dump.rdb")).expect("stand in the way");
        redis.run(&["CONFIG", "SET", "save", "1 1"]);
        eventually("writes are refused", || async {
            let _ = redis.command(&["BGSAVE"]);
            redis.command(&["SET", "probe", "1"]).is_err().then_some(())
        })
        .await;
        client.end(&session, "jo").await.is_outage();
        client.read(&session).await.fine();
        redis.run(&["CONFIG", "SET", "save", ""]);
        client.end(&session, "jo").await.fine();
        assert!(client.read(&session).await.is_gone(door), "{door:?}");
    }
}

/// The key of a bucket, too: deleted means deleted, or an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_key_whose_deletion_redis_refuses_goes_on_working_until_it_is_done() {
    let service = Service::redis().await;
    let redis = service.redis.as_ref().expect("redis");
    let client = Client::at(Door::Buckets, &service).await;
    let session = client.created("jo").await;
    let delete = || {
        let request = service.delete("/api-key/faults");
        ask(request.header("x-session-key", crate::service::MASTER_KEY))
    };
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    delete().await.is_outage();
    client.read(&session).await.fine();
    redis.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    delete().await.fine();
    assert_eq!(client.read(&session).await.status, 401);
}
