//! Requests of every form to every API of the service: none panics or fails inside, and the session
//! of a bucket is never read without the key of the bucket.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session_fuzz::with_fixture;
use jwt_redis_session_server::{App, Secret, Settings};
use libfuzzer_sys::fuzz_target;
use tower::ServiceExt as _;

const MASTER_KEY: &str = "a master key of at least 32 characters";
/// Content of a session whose key the fuzzer does not have.
const SECRET: &[u8] = b"the content of the session";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    /// `$S` is replaced by the path of the session.
    uri: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

thread_local! {
    /// The router, and the path of the session.
    static SERVICE: (Router, String) = start();
}

fuzz_target!(|input: Input<'_>| SERVICE.with(|(router, path)| check(router, path, &input)));

fn start() -> (Router, String) {
    let mut settings = Settings::default();
    settings.buckets.master_keys = vec![Secret::from(MASTER_KEY)];
    settings.users.enabled = true;
    settings.admin.enabled = true;
    let store = Arc::new(MemoryStore::new().with_capacity(1000));
    // Inside the runtime, where the service starts its tasks.
    let app = run(async { App::with_store(settings, store) });
    let router = app.expect("valid settings").router();
    let key = create(&router, "/api-key/mine", MASTER_KEY, "api_key");
    let id = create(&router, "/session/mine", &key, "id");
    (router, format!("/session/mine/{id}"))
}

fn run<F: Future>(future: F) -> F::Output {
    with_fixture(|fixture| fixture.run(future))
}

/// Creates what is at `path`, and returns a member of the response.
fn create(router: &Router, path: &str, key: &str, member: &str) -> String {
    let request = Request::put(path).header("x-session-key", key);
    let (status, body) = send(router, request.body(SECRET.into()).unwrap());
    assert_eq!(status, 201);
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    body[member].as_str().expect("a string").to_owned()
}

fn send(router: &Router, request: Request<Body>) -> (u16, Vec<u8>) {
    run(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        #[expect(clippy::disallowed_methods, reason = "a response of this test")]
        let body = response.into_body().collect().await.expect("a body");
        (status, body.to_bytes().to_vec())
    })
}

fn check(router: &Router, path: &str, input: &Input<'_>) {
    let uri = input.uri.replace("$S", path);
    let mut request = Request::builder().method(input.method).uri(uri);
    for (name, value) in &input.headers {
        request = request.header(*name, *value);
    }
    let Ok(request) = request.body(input.body.to_vec().into()) else {
        return;
    };
    let (status, body) = send(router, request);
    assert_ne!(status, 500, "{input:?}");
    let leaked = body.windows(SECRET.len()).any(|bytes| bytes == SECRET);
    assert!(!leaked, "read without the key: {input:?}");
}
