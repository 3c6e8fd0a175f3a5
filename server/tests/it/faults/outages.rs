//! Redis that is away, hangs or lags.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::door::{Client, DOORS, Door, ask};
use crate::service::Service;
use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

/// No answer may take longer: the deadline of the store is 1 s, and this machine is busy.
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_the_service_starts_without_redis_and_serves_when_it_comes() {
    let mut redis = RedisServer::start();
    redis.kill();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let client = |door| Client::at(door, &service);
    for door in [Door::Rpc, Door::Users] {
        client(door).await.create("jo").await.is_outage();
    }
    let master = |request: reqwest::RequestBuilder| {
        request.header("x-session-key", crate::service::MASTER_KEY)
    };
    ask(master(service.put("/api-key/faults")))
        .await
        .is_outage();
    assert_eq!(ask(service.get("/healthz")).await.status, 200);
    ask(service.get("/readyz")).await.is_outage();
    let health = ask(service.get("/health-check")).await;
    assert_eq!(health.status, 500);
    assert_eq!(health.body["status"], "cannot reach redis");
    redis.restart();
    eventually("ready", || async {
        (ask(service.get("/readyz")).await.status == 200).then_some(())
    })
    .await;
    for door in DOORS {
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        client.read(&session).await.fine();
    }
    let health = ask(service.get("/health-check")).await.fine();
    assert_eq!(health["status"], "awesome");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_when_redis_is_killed_every_answer_is_true_and_in_time() {
    let aof = ["--appendonly", "yes", "--appendfsync", "always"];
    for (arguments, kept) in [(&[][..], false), (&aof[..], true)] {
        for door in DOORS {
            killed(door, arguments, kept).await;
        }
    }
}

async fn killed(door: Door, arguments: &[&str], kept: bool) {
    let mut redis = RedisServer::start_with(arguments);
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let client = Client::at(door, &service).await;
    let session = client.created("jo").await;
    let readers = (0..100).map(async |number| {
        tokio::time::sleep(Duration::from_millis(number / 5)).await;
        let start = Instant::now();
        let answer = client.read(&session).await;
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        if answer.status != 200 {
            answer.is_outage();
        }
    });
    let kill = async {
        tokio::time::sleep(Duration::from_millis(8)).await;
        redis.kill();
    };
    tokio::join!(join_all(readers), kill);
    client.read(&session).await.is_outage();
    client.write(&session, 1).await.is_outage();
    client.end(&session, "jo").await.is_outage();
    redis.restart();
    eventually("ready", || async {
        (ask(service.get("/readyz")).await.status == 200).then_some(())
    })
    .await;
    if kept {
        client.read(&session).await.fine();
        client.end(&session, "jo").await.fine();
        assert!(client.read(&session).await.is_gone(door), "{door:?}");
    } else if door == Door::Buckets {
        // The key is lost with Redis, so the client is a stranger now.
        assert_eq!(client.read(&session).await.status, 401);
    } else {
        assert!(client.read(&session).await.is_gone(door), "{door:?}");
        client.created("jo").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_hung_redis_is_an_outage_in_time_and_over_when_it_goes_on() {
    for door in DOORS {
        let service = Service::redis().await;
        let redis = service.redis.as_ref().expect("redis");
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        redis.pause();
        let start = Instant::now();
        let (create, read, write, end) = tokio::join!(
            client.create("al"),
            client.read(&session),
            client.write(&session, 7),
            client.end(&session, "jo"),
        );
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        // Nobody is told of a token, a success or a logout that is not certain.
        for answer in [&create, &read, &write, &end] {
            answer.is_outage();
        }
        redis.resume();
        eventually("ready", || async {
            (ask(service.get("/readyz")).await.status == 200).then_some(())
        })
        .await;
        // Whatever came of the end that timed out, once more makes it certain.
        let again = client.end(&session, "jo").await.status;
        assert!([200, 400, 401, 404].contains(&again), "{door:?}: {again}");
        assert!(client.read(&session).await.is_gone(door), "{door:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_lagging_redis_delays_its_own_requests_and_no_others() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let service = Service::redis_at(&proxy.url(), |_| ()).await;
    for door in DOORS {
        proxy.delay(Duration::ZERO);
        let client = Client::at(door, &service).await;
        let session = client.created("jo").await;
        for (lag, served) in [(5, true), (50, true), (2000, false)] {
            proxy.delay(Duration::from_millis(lag));
            let slow = async {
                let start = Instant::now();
                let answer = client.read(&session).await;
                assert!(
                    start.elapsed() < PATIENCE,
                    "{lag} ms: {:?}",
                    start.elapsed()
                );
                answer
            };
            let free = async {
                let start = Instant::now();
                assert_eq!(ask(service.get("/healthz")).await.status, 200);
                start.elapsed()
            };
            let (slow, free) = tokio::join!(slow, free);
            assert!(free < Duration::from_millis(500), "{lag} ms: {free:?}");
            if served {
                slow.fine();
            } else {
                slow.is_outage();
            }
        }
        proxy.delay(Duration::ZERO);
        client.back(&session).await;
    }
}
