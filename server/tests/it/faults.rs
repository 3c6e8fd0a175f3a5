//! Failures of Redis and disconnecting clients, for every API.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::buckets::bucket::Bucket;
use crate::service::{self, Service};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually};
use crate::{request, rpc, users};

/// The store's deadline is 1 s; the rest is for a busy machine.
const MAX_RESPONSE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Buckets,
    Rpc,
    Users,
}

const APIS: [Api; 3] = [Api::Buckets, Api::Rpc, Api::Users];

/// The status of a response and its body; `None` if the store is not available.
type Answer = Option<(u16, Value)>;

async fn send(request: RequestBuilder) -> Answer {
    let start = Instant::now();
    let response = request::send(request).await;
    assert!(start.elapsed() < MAX_RESPONSE, "{:?}", start.elapsed());
    let has_retry_after = response.headers().contains_key("retry-after");
    let (status, body) = service::json(response).await;
    if status != 503 {
        return Some((status, body));
    }
    assert!(has_retry_after);
    assert_eq!(body["error"], "the session store is not available");
    None
}

async fn succeeds(request: RequestBuilder) -> bool {
    matches!(send(request).await, Some((200..300, _)))
}

/// A session of `owner` in one API; in buckets there are no owners.
struct Session<'a> {
    service: &'a Service,
    owner: &'a str,
    /// `None` unless this is a session of the buckets API.
    bucket: Option<Bucket<'a>>,
    api: Api,
    token: String,
}

/// The requests to create, read, write and end a session.
struct Requests {
    create: RequestBuilder,
    read: RequestBuilder,
    write: RequestBuilder,
    end: RequestBuilder,
}

impl<'a> Session<'a> {
    async fn create(api: Api, service: &'a Service, owner: &'a str) -> Self {
        let mut bucket = None;
        let token = match api {
            Api::Buckets => {
                let bucket = bucket.insert(Bucket::new(service, "faults").await);
                bucket.create(&json!(1)).await
            }
            Api::Rpc => rpc::client::create(service, owner, json!({})).await,
            Api::Users => users::log_in(service, owner).await,
        };
        Self {
            service,
            owner,
            bucket,
            api,
            token,
        }
    }

    fn requests(&self) -> Requests {
        let (service, token) = (self.service, &self.token);
        let [create, read, write, end] = match (&self.bucket, self.api) {
            (Some(bucket), _) => [
                bucket.put().json(&1),
                bucket.get(token),
                bucket.post(token, &json!(2)),
                bucket.delete(token),
            ],
            (None, Api::Users) => {
                let login = json!({ "username": self.owner, "password": "not stored" });
                let login = || service.post("/sessions").json(&login);
                let end = service.delete(&format!("/sessions/{}", self.owner));
                let read = service.get("/sessions").bearer_auth(token);
                // There are no updates.
                [login(), read, login(), end.bearer_auth(token)]
            }
            (None, _) => {
                let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*",
                    "session": { "a": 1 }, "userId": self.owner });
                let body = json!({ "args": args.to_string() });
                let call = |method| service.post(&format!("/rpc/{method}")).json(&body);
                ["create", "get", "update", "destroy"].map(call)
            }
        };
        Requests {
            create,
            read,
            write,
            end,
        }
    }

    async fn is_gone(&self) -> bool {
        let answer = send(self.requests().read).await;
        let (status, body) = answer.expect("available");
        match self.api {
            Api::Buckets => status == 404,
            Api::Rpc => status == 200 && body["result"].is_null(),
            Api::Users => status == 401,
        }
    }
}

async fn is_ready(service: &Service) -> bool {
    let is_alive = succeeds(service.get("/healthz")).await;
    assert!(is_alive, "the process answers in any case");
    succeeds(service.get("/readyz")).await
}

async fn ready(service: &Service) {
    eventually("ready", || async { is_ready(service).await.then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_starts_without_redis() {
    let mut redis = RedisServer::start();
    redis.kill();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    assert!(!is_ready(&service).await);
    redis.restart();
    ready(&service).await;
    for api in APIS {
        let session = Session::create(api, &service, "jo").await;
        assert!(succeeds(session.requests().read).await);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    Hangs,
    Full,
    RejectsWrites,
}

impl Fault {
    fn begin(self, redis: &mut RedisServer) {
        let set = |name, value| drop(redis.run(&["CONFIG", "SET", name, value]));
        match self {
            Self::Killed => redis.kill(),
            Self::Hangs => redis.pause(),
            Self::Full => set("maxmemory", "1"),
            Self::RejectsWrites => set("min-replicas-to-write", "1"),
        }
    }

    fn end(self, redis: &mut RedisServer) {
        let set = |name, value| drop(redis.run(&["CONFIG", "SET", name, value]));
        match self {
            Self::Killed => redis.restart(),
            Self::Hangs => redis.resume(),
            Self::Full => set("maxmemory", "0"),
            Self::RejectsWrites => set("min-replicas-to-write", "0"),
        }
    }
}

/// What Redis cannot do is 503 in time, never success and never "no such session".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_redis_is_503_until_it_recovers() {
    for (fault, reads, ends) in [
        (Fault::Killed, false, false),
        (Fault::Hangs, false, false),
        (Fault::Full, true, true),
        (Fault::RejectsWrites, true, false),
    ] {
        join_all(APIS.map(|api| fails(api, fault, reads, ends))).await;
    }
}

async fn fails(api: Api, fault: Fault, reads: bool, ends: bool) {
    let what = format!("{api:?} {fault:?}");
    let mut redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let session = Session::create(api, &service, "jo").await;
    fault.begin(&mut redis);
    let requests = session.requests();
    assert_eq!(send(requests.create).await, None, "{what}");
    assert_eq!(send(requests.write).await, None, "{what}");
    let (read, end) = (send(requests.read).await, send(requests.end).await);
    assert_eq!(
        read.is_some_and(|(status, _)| status == 200),
        reads,
        "{what}"
    );
    assert_eq!(end.is_some_and(|(status, _)| status == 200), ends, "{what}");
    fault.end(&mut redis);
    ready(&service).await;
    if !ends {
        // An end that timed out may have taken place.
        let ended = succeeds(session.requests().end).await;
        assert!(ended || fault == Fault::Hangs, "{what}");
    }
    assert!(session.is_gone().await, "{what}");
    assert!(succeeds(session.requests().create).await, "{what}");
}

/// Sends requests and disconnects from each after 0 to 50 ms, while a round trip to Redis takes
/// 6 ms. Returns when the service has finished them.
async fn disconnect(proxy: &Proxy, requests: impl Iterator<Item = RequestBuilder>) {
    proxy.delay(Duration::from_millis(3));
    join_all(requests.zip(0..).map(async |(request, millis)| {
        let _ = tokio::time::timeout(Duration::from_millis(millis), request.send()).await;
    }))
    .await;
    proxy.delay(Duration::ZERO);
    eventually("idle", || async {
        let before = alive_tasks();
        tokio::time::sleep(Duration::from_millis(30)).await;
        (alive_tasks() == before).then_some(())
    })
    .await;
    assert_eq!(proxy.accepted(), 1, "the connection to Redis survives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_disconnected_clients_are_done_completely_or_not_at_all() {
    let redis = RedisServer::start();
    let proxy = Proxy::to(redis.address()).await;
    let service = Service::redis_at(&proxy.url(), |_| ()).await;
    ready(&service).await;
    let owners: Vec<_> = (0..50).map(|number| format!("o{number}")).collect();

    let creates = owners.iter().map(|owner| {
        let args = json!({ "session": {}, "userId": owner });
        let body = json!({ "args": args.to_string() });
        service.post("/rpc/create").json(&body)
    });
    disconnect(&proxy, creates).await;
    let mut listed = 0;
    for owner in &owners {
        listed += rpc::client::active(&service, owner).await.len();
    }
    let keys = redis.run(&["KEYS", "sessiond:rpc:v1:*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("keys");
    let records = keys.iter().filter(|key| !key.contains(":owner:"));
    assert_eq!(
        records.count(),
        listed,
        "the index of an owner has all sessions"
    );

    let mut sessions = Vec::new();
    for owner in &owners {
        let first = Session::create(Api::Users, &service, owner).await;
        sessions.push((first, Session::create(Api::Users, &service, owner).await));
    }
    disconnect(
        &proxy,
        sessions.iter().map(|(first, _)| first.requests().end),
    )
    .await;
    for (first, second) in &sessions {
        assert_eq!(first.is_gone().await, second.is_gone().await);
    }
}
