//! A running service for tests, in memory or on a Redis server.
#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;
use std::time::Duration;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::SharedStore;
use jwt_redis_session::testing::Faults;
use jwt_redis_session_server::{App, Secret, Settings, serve};
use reqwest::{Client, Method, RequestBuilder, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::support::redis_server::RedisServer;

/// Grants access to `/api-key` and `/admin`.
pub const MASTER_KEY: &str = "a master key of at least 32 characters";
/// Authenticates callers of `/introspect`.
pub const INTROSPECTION_SECRET: &str = "an introspection secret of at least 32 characters";
/// Signs tokens.
pub const SECRET: &str = "a signing secret of at least 32 characters";

/// Defines each test twice, in memory and on Redis; a test takes a new [`Service`].
macro_rules! on_every_store {
    ($($body:ident),* $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(crate::service::Service::memory().await).await;
                }
            )*
        }

        mod redis {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(crate::service::Service::redis().await).await;
                }
            )*
        }
    };
}

/// A running service, aborted when dropped.
pub struct Service {
    pub address: SocketAddr,
    pub client: Client,
    /// The store, if it is in memory.
    pub memory: Option<MemoryStore>,
    /// Faults of the store, if it is in memory.
    pub faults: Faults,
    /// The store, if it is on Redis.
    pub redis: Option<RedisServer>,
    /// Stops the service when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<()>,
}

/// The settings of tests: all APIs are enabled, the rest is default.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.tokens.secret = Some(Secret::from(SECRET));
    settings.buckets.master_keys = vec![Secret::from(MASTER_KEY)];
    settings.users.enabled = true;
    settings.introspection.enabled = true;
    settings.introspection.secrets = vec![Secret::from(INTROSPECTION_SECRET)];
    settings.admin.enabled = true;
    settings.limits.failed_authentications_per_minute = 1_000_000.try_into().expect("not zero");
    settings
}

impl Service {
    pub async fn memory() -> Self {
        Self::memory_with(|_| ()).await
    }

    pub async fn redis() -> Self {
        Self::redis_with(|_| ()).await
    }

    pub async fn memory_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let memory = MemoryStore::new();
        let faults = Faults::new();
        let mut service = Self::on(faults.wrap(memory.clone()), settings).await;
        service.memory = Some(memory);
        service.faults = faults;
        service
    }

    /// Starts a service on `store`.
    pub async fn on(store: impl Into<SharedStore>, settings: Settings) -> Self {
        Self::start(App::with_store(settings, store).expect("build")).await
    }

    /// Starts a Redis server, and a service on it.
    pub async fn redis_with(change: impl FnOnce(&mut Settings)) -> Self {
        let redis = RedisServer::start();
        let mut service = Self::redis_at(&redis.url(), change).await;
        service.redis = Some(redis);
        service
    }

    /// Starts a service on the Redis server or proxy at `url`.
    pub async fn redis_at(url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        settings.store.redis = Some(Secret::from(url));
        change(&mut settings);
        Self::start(App::build(settings).expect("build")).await
    }

    async fn start(app: App) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bind");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, app, async {
            let _ = stopped.await;
        }));
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        Self {
            address,
            client,
            memory: None,
            faults: Faults::new(),
            redis: None,
            stop: Some(stop),
            task,
        }
    }

    /// Builds a request. [`Service::raw`] sends paths that reqwest would change.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Sends bytes on a new connection and reads the response until the service closes it; the
    /// bytes should include `Connection: close`.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut socket = TcpStream::connect(self.address).await.expect("connect");
        socket.write_all(request.as_ref()).await.expect("send");
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response).await;
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Begins to stop the service gracefully.
    pub fn begin_stop(&mut self) {
        self.stop = None;
    }

    /// Stops the service gracefully.
    pub async fn stop(&mut self) {
        self.begin_stop();
        self.task.join_next().await;
    }

    /// Returns the Redis server.
    pub fn server(&self) -> &RedisServer {
        self.redis.as_ref().expect("a service on Redis")
    }

    /// Returns the number of records in memory.
    pub fn records(&self) -> usize {
        self.memory.as_ref().expect("memory").len()
    }

    /// Returns all keys in Redis, sorted.
    pub fn keys(&self) -> Vec<String> {
        let keys = redis::from_redis_value(self.server().run(&["KEYS", "*"]));
        let mut keys: Vec<String> = keys.expect("names");
        keys.sort();
        keys
    }
}

/// Reads a response as its status and its body as JSON.
pub async fn json(response: Response) -> (u16, serde_json::Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text);
    (status, body.unwrap_or_else(|_| panic!("not JSON: {text}")))
}
