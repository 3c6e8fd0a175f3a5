//! F27: a service that is told to stop while requests are under way.

use std::time::Duration;

use futures_util::future::join_all;
use jwt_redis_session_server::Settings;

use super::door::{Client, DOORS, Door};
use crate::service::Service;
use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_what_was_acknowledged_before_the_end_is_kept() {
    for door in DOORS {
        acknowledged(door).await;
    }
}

/// Tells the service to stop with 100 logins under way: each is answered, or cut off without an
/// acknowledgement, and what was acknowledged works at the next service.
async fn acknowledged(door: Door) {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let patient = |settings: &mut Settings| settings.store.deadline = Duration::from_secs(20);
    let mut service = Service::redis_at(&proxy.url(), patient).await;
    let (client, next) = (
        service.client.clone(),
        Service::redis_at(&redis.url(), |_| ()).await,
    );
    let first = Client::at(door, &service).await;
    let requests: Vec<_> = (0..100)
        .map(|_| first.creation("jo").build().expect("a request"))
        .collect();
    let warm: Vec<_> = (0..100).map(|_| first.read("x")).collect();
    join_all(warm).await;
    proxy.delay(Duration::from_millis(150));
    // A command of the first round trip of a creation.
    let command = if door == Door::Buckets { "pttl" } else { "set" };
    let before = calls(&redis, command);
    let under_way = requests.into_iter().map(|request| client.execute(request));
    let under_way = tokio::spawn(join_all(under_way));
    eventually("all have come in", || async {
        (calls(&redis, command) >= before + 100).then_some(())
    })
    .await;
    service.stop().await;
    let answers = under_way.await.expect("no panic");
    let answered = answers.into_iter().flatten();
    let answered: Vec<_> = answered.map(|answer| answer.status().as_u16()).collect();
    // What had come in when the service was told to stop is answered.
    let success = if door == Door::Buckets { 201 } else { 200 };
    assert_eq!(answered, vec![success; 100], "{door:?}");
    let and_index = usize::from(door != Door::Buckets);
    assert_eq!(records(&redis, door), 100 + and_index);
    let ready = next.get("/readyz").send().await.expect("an answer");
    assert_eq!(ready.status(), 200);
}

/// How often Redis has carried out a command.
fn calls(redis: &RedisServer, command: &str) -> usize {
    let info = redis.run(&["INFO", "commandstats"]);
    let info: String = redis::from_redis_value(info).expect("a text");
    let line = format!("cmdstat_{command}:calls=");
    let mut counts = info.lines().filter_map(|stat| stat.strip_prefix(&line));
    let count = counts.next().and_then(|stat| stat.split(',').next());
    count.map_or(0, |count| count.parse().expect("a number"))
}

fn records(redis: &RedisServer, door: Door) -> usize {
    let count = "return #redis.call('KEYS', ARGV[1])";
    let records = redis.run(&["EVAL", count, "0", prefix(door)]);
    redis::from_redis_value(records).expect("a number")
}

const fn prefix(door: Door) -> &'static str {
    match door {
        Door::Buckets => "sessiond:bucket:*",
        Door::Rpc => "sessiond:rpc:v1:*",
        Door::Users => "sessiond:user:*",
    }
}
