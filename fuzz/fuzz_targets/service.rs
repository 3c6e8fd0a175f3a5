//! Requests of every form to every API of the service: none panics or fails inside, and the session
//! of a bucket is never read without the key of the bucket.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session_fuzz::{Fixture, with_fixture};
use jwt_redis_session_server::{App, Secret, Settings};
use libfuzzer_sys::fuzz_target;
use tower::ServiceExt as _;

const MASTER_KEY: &str = "a master key of at least 32 characters";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: u8,
    path: Path<'a>,
    query: Option<&'a str>,
    headers: Vec<(Header<'a>, &'a str)>,
    body: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Path<'a> {
    Whole(&'a str),
    /// Below the first segment of an API.
    Below(u8, &'a str),
    /// The session whose key the fuzzer does not know.
    Secret(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Known(u8),
    Other(&'a str),
}

/// The router, and the id of a session that holds `secret`.
struct Service(Router, String);

thread_local! {
    static SERVICE: Service = with_fixture(Service::start);
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| {
    SERVICE.with(|service| service.check(fixture, &input));
}));

impl Service {
    fn start(fixture: &Fixture) -> Self {
        let mut settings = Settings::default();
        settings.buckets.master_keys = vec![Secret::from(MASTER_KEY)];
        settings.users.enabled = true;
        settings.admin.enabled = true;
        let store = Arc::new(MemoryStore::new().with_capacity(1000));
        // Inside the runtime, where the service starts its tasks.
        let app = fixture.run(async { App::with_store(settings, store) });
        let mut service = Self(app.expect("valid settings").router(), String::new());
        let key = service.create(fixture, "/api-key/mine", MASTER_KEY, "api_key");
        service.1 = service.create(fixture, "/session/mine", &key, "id");
        service
    }

    /// Creates what is at `path`, and returns a member of the response.
    fn create(&self, fixture: &Fixture, path: &str, key: &str, member: &str) -> String {
        let request = Request::put(path).header("x-session-key", key);
        let (status, body) = self.send(fixture, request.body("secret".into()).unwrap());
        assert_eq!(status, 201);
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        body[member].as_str().expect("a string").to_owned()
    }

    fn send(&self, fixture: &Fixture, request: Request<Body>) -> (u16, Vec<u8>) {
        fixture.run(async {
            let response = self.0.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a body");
            (status, body.to_bytes().to_vec())
        })
    }

    fn check(&self, fixture: &Fixture, input: &Input<'_>) {
        let Some(request) = self.request(input) else {
            return;
        };
        let (status, body) = self.send(fixture, request);
        assert_ne!(status, 500, "{input:?}");
        let is_secret = matches!(input.path, Path::Secret(_));
        let leaked = body.windows(6).any(|bytes| bytes == b"secret");
        assert!(!(is_secret && leaked), "read without the key: {input:?}");
    }

    fn request(&self, input: &Input<'_>) -> Option<Request<Body>> {
        let roots = ["session", "api-key", "rpc", "sessions", "admin"];
        let mut uri = match input.path {
            Path::Whole(path) => path.to_owned(),
            Path::Below(root, rest) => format!("/{}/{rest}", pick(&roots, root)),
            Path::Secret(rest) => format!("/session/mine/{}{rest}", self.1),
        };
        if let Some(query) = input.query {
            uri = format!("{uri}?{query}");
        }
        let methods = [
            Method::GET,
            Method::PUT,
            Method::POST,
            Method::DELETE,
            Method::HEAD,
        ];
        let mut request = Request::builder()
            .method(pick(&methods, input.method))
            .uri(uri);
        for (name, value) in &input.headers {
            let known = ["x-session-key", "content-type", "if-match", "authorization"];
            let name = match *name {
                Header::Known(index) => pick(&known, index),
                Header::Other(name) => name,
            };
            request = request.header(name, *value);
        }
        request.body(input.body.to_vec().into()).ok()
    }
}

fn pick<T: Clone>(choices: &[T], index: u8) -> T {
    choices[usize::from(index) % choices.len()].clone()
}
