//! Requests of every form to the service: none panics or fails inside, and a bucket's session is
//! reached with the bucket's key only.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session_server::{App, Secret, Settings};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const MASTER_KEY: &str = "a master key of at least 32 characters";
const METHODS: [Method; 6] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::HEAD,
    Method::PATCH,
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: usize,
    path: Path<'a>,
    query: Option<&'a str>,
    headers: Vec<(Header<'a>, &'a str)>,
    body: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Path<'a> {
    Whole(&'a str),
    Bucket(&'a str),
    Session(&'a str, &'a str),
    Known(&'a str),
    ApiKey(&'a str),
    Rpc,
    Method(&'a str),
    Sessions,
    User(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Key,
    ContentType,
    IfMatch,
    Authorization,
    Other(&'a str),
}

struct World {
    runtime: Runtime,
    router: Router,
    session: String,
}

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|input: Input<'_>| WORLD.with(|world| world.check(&input)));

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let mut settings = Settings::default();
        settings.buckets.master_keys = vec![Secret::from(MASTER_KEY)];
        settings.users.enabled = true;
        settings.admin.enabled = true;
        let store = MemoryStore::new().with_capacity(1000);
        let _inside = runtime.enter();
        let app = App::with_store(settings, Arc::new(store)).expect("good settings");
        let router = app.router();
        drop(_inside);
        let mut world = Self {
            runtime,
            router,
            session: String::new(),
        };
        let made = world.ask("/api-key/mine", MASTER_KEY);
        let key = made["api_key"].as_str().expect("a key").to_owned();
        let made = world.ask("/session/mine", &key);
        world.session = made["id"].as_str().expect("an id").to_owned();
        world
    }

    /// Creates what is at `path`.
    fn ask(&self, path: &str, key: &str) -> serde_json::Value {
        let request = Request::put(path).header("x-session-key", key);
        let (status, body) = self.send(request.body("secret".into()).expect("a request"));
        assert_eq!(status, 201);
        serde_json::from_slice(&body).expect("JSON")
    }

    fn send(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await;
            let response = response.expect("always an answer");
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a body");
            (status, body.to_bytes().to_vec())
        })
    }

    fn check(&self, input: &Input<'_>) {
        let Some(request) = self.request(input) else {
            return;
        };
        let (status, body) = self.send(request);
        assert_ne!(status, 500, "{input:?}");
        let told = body.windows(6).any(|six| six == b"secret");
        let ours = matches!(input.path, Path::Known(_));
        assert!(!(ours && told), "nobody was told the key: {input:?}");
    }

    fn request(&self, input: &Input<'_>) -> Option<Request<Body>> {
        let mut address = match input.path {
            Path::Whole(path) => path.to_owned(),
            Path::Bucket(bucket) => format!("/session/{bucket}"),
            Path::Session(bucket, id) => format!("/session/{bucket}/{id}"),
            Path::Known(end) => format!("/session/mine/{}{end}", self.session),
            Path::ApiKey(bucket) => format!("/api-key/{bucket}"),
            Path::Rpc => "/rpc".to_owned(),
            Path::Method(method) => format!("/rpc/{method}"),
            Path::Sessions => "/sessions".to_owned(),
            Path::User(name) => format!("/sessions/{name}"),
        };
        if let Some(query) = input.query {
            address = format!("{address}?{query}");
        }
        let mut request = Request::builder()
            .method(&METHODS[input.method % METHODS.len()])
            .uri(address);
        for (name, value) in &input.headers {
            let name = match *name {
                Header::Key => "x-session-key",
                Header::ContentType => "content-type",
                Header::IfMatch => "if-match",
                Header::Authorization => "authorization",
                Header::Other(name) => name,
            };
            request = request.header(name, *value);
        }
        request.body(input.body.to_vec().into()).ok()
    }
}
