//! F25: clients that hang up at any moment of their request.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::RequestBuilder;

use super::door::{Client, Door, ask};
use crate::service::Service;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually};

/// A service whose every round trip to Redis takes 6 ms.
struct Slow {
    redis: RedisServer,
    proxy: Proxy,
    service: Service,
}

impl Slow {
    async fn open() -> Self {
        let redis = RedisServer::start();
        let proxy = Proxy::to(redis.address()).await;
        let service = Service::redis_at(&proxy.url(), |_| ()).await;
        Self {
            redis,
            proxy,
            service,
        }
    }

    /// Sends each request and hangs up 0 to 50 ms later, each a millisecond after the one before.
    async fn hang_up(&self, requests: impl IntoIterator<Item = RequestBuilder>) {
        self.proxy.delay(Duration::from_millis(3));
        let requests = requests.into_iter().zip(0..=50);
        join_all(requests.map(async |(request, patience)| {
            let patience = Duration::from_millis(patience);
            let _ = tokio::time::timeout(patience, request.send()).await;
        }))
        .await;
        self.proxy.delay(Duration::ZERO);
        eventually("at rest", || async {
            let before = alive_tasks();
            tokio::time::sleep(Duration::from_millis(30)).await;
            (alive_tasks() == before).then_some(())
        })
        .await;
        assert_eq!(self.proxy.accepted(), 1, "one connection served all");
    }

    /// How many keys begin with `prefix`.
    fn count(&self, prefix: &str) -> usize {
        let keys = self.redis.run(&["KEYS", &format!("{prefix}*")]);
        let keys: Vec<String> = redis::from_redis_value(keys).expect("names");
        keys.iter().filter(|key| !key.contains(":owner:")).count()
    }
}

fn owners() -> Vec<String> {
    (0..=50).map(|number| format!("o{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_session_nobody_waits_for_is_whole_or_not_there() {
    let slow = Slow::open().await;
    let client = Client::at(Door::Rpc, &slow.service).await;
    let owners = owners();
    slow.hang_up(owners.iter().map(|owner| client.creation(owner)))
        .await;
    let mut listed = 0;
    for owner in &owners {
        let args = serde_json::json!({ "userId": owner, "sessionVersion": "v1" });
        let list = ask(client.rpc("getActiveSessions", &args)).await.fine();
        listed += list["result"].as_array().expect("a list").len();
    }
    assert_eq!(
        slow.count("sessiond:rpc:v1:"),
        listed,
        "each record is listed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_an_update_nobody_waits_for_is_whole_or_not_there() {
    for door in [Door::Buckets, Door::Rpc] {
        let slow = Slow::open().await;
        let client = Client::at(door, &slow.service).await;
        let sessions = join_all((0..=50).map(|_| client.created("jo"))).await;
        let writes = sessions.iter().enumerate();
        slow.hang_up(writes.map(|(value, session)| client.writing(session, value)))
            .await;
        for (value, session) in sessions.iter().enumerate() {
            let body = client.read(session).await.fine();
            let (before, after) = match door {
                Door::Buckets => (serde_json::json!(1), serde_json::json!(value)),
                _ => (
                    serde_json::json!({ "a": 1 }),
                    serde_json::json!({ "a": 1, "written": value }),
                ),
            };
            let data = body
                .get("data")
                .or_else(|| body.get("result"))
                .expect("data");
            assert!(*data == before || *data == after, "{door:?}: {data}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_logout_everywhere_nobody_waits_for_ends_all_sessions_or_none() {
    let slow = Slow::open().await;
    let client = Client::at(Door::Users, &slow.service).await;
    let owners = owners();
    let mut sessions = Vec::new();
    for owner in &owners {
        let both = tokio::join!(client.created(owner), client.created(owner));
        sessions.push(both);
    }
    let endings = owners.iter().zip(&sessions);
    slow.hang_up(endings.map(|(owner, (first, _))| client.ending(first, owner)))
        .await;
    for (first, second) in &sessions {
        let alive = [client.read(first).await, client.read(second).await];
        let statuses = alive.map(|answer| answer.status);
        assert!([[200, 200], [401, 401]].contains(&statuses), "{statuses:?}");
    }
}
