//! Rules that all APIs share: methods, sites, secrets, limits, failures of the store.

use jwt_redis_session::store::StoreErrorKind;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::admin::Browser;
use crate::buckets::bucket::{Bucket, api_key};
use crate::request::{fetch, send, status};
use crate::rpc::client::{create, get_all};
use crate::service::{self, Service};
use crate::users::{credentials, destroy, is_valid, log_in, show};

const NOT_ALLOWED: &str = "method not allowed; the header Allow lists the methods of this path";

/// A session in each API.
struct Fixture<'a> {
    service: &'a Service,
    bucket: Bucket<'a>,
    id: String,
    rpc_token: String,
    bearer: String,
    records: usize,
}

impl<'a> Fixture<'a> {
    async fn new(service: &'a Service) -> Self {
        let bucket = Bucket::new(service, "shop").await;
        let id = bucket.create(&json!("kept")).await;
        let rpc_token = create(service, "jo", json!({ "a": 1 })).await;
        let bearer = log_in(service, "jo").await;
        let records = service.records();
        Self {
            service,
            bucket,
            id,
            rpc_token,
            bearer,
            records,
        }
    }

    async fn assert_unchanged(&self) {
        assert_eq!(self.bucket.data(&self.id).await, json!("kept"));
        let fields = get_all(self.service, &self.rpc_token).await;
        assert_eq!(fields, json!({ "a": 1 }));
        assert!(is_valid(self.service, &self.bearer, "jo").await);
        assert_eq!(self.service.records(), self.records);
    }

    /// Builds a call of an RPC method, with all arguments that any method needs.
    fn call(&self, path: &str, method: &str) -> RequestBuilder {
        let args = json!({ "token": self.rpc_token, "sessionVersion": "v1", "keys": "*",
            "session": { "a": 2 }, "userId": "jo" });
        let body = json!({ "name": method, "args": args.to_string() });
        self.service.post(path).json(&body)
    }

    /// Builds the requests of the users API.
    fn users(&self) -> [RequestBuilder; 3] {
        let delete = self.service.delete("/sessions/jo");
        [
            self.service.post("/sessions").json(&credentials("al")),
            show(self.service, &self.bearer),
            delete.bearer_auth(&self.bearer),
        ]
    }
}

#[tokio::test]
async fn other_methods_are_405() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let session = &format!("/session/shop/{}", fixture.id);
    for (path, allowed) in [
        ("/session/settings", "GET HEAD"),
        ("/session/shop", "PUT"),
        ("/session/se%74tings", "PUT"),
        (session, "DELETE GET HEAD POST"),
        ("/api-key/shop", "DELETE GET HEAD PUT"),
        // The buckets API has no 404 for paths.
        ("/session", ""),
        ("/session/", ""),
        (&format!("{session}/more"), ""),
        ("/api-key", ""),
        ("/api-key/shop/more", ""),
        ("/rpc", "POST"),
        ("/rpc/get", "POST"),
        ("/sessions", "GET HEAD POST"),
        ("/sessions/jo", "DELETE"),
    ] {
        for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            if allowed.split(' ').any(|allowed| allowed == name) {
                continue;
            }
            let method = Method::from_bytes(name.as_bytes()).expect("a method");
            let response = send(service.request(method, path)).await;
            assert_eq!(response.status(), 405, "{name} {path}");
            let allow = response.headers()["allow"].to_str().expect("ASCII");
            let mut allow: Vec<_> = allow.split(',').map(str::trim).collect();
            allow.sort_unstable();
            assert_eq!(allow.join(" "), allowed, "{name} {path}");
            if name != "HEAD" {
                let error = json!({ "error": NOT_ALLOWED });
                assert_eq!(service::json(response).await.1, error, "{name} {path}");
            }
        }
    }
    for path in ["/sessionx/shop", "/api-keys/shop", "/sess", "/rpc/", "/a"] {
        assert_eq!(status(service.get(path)).await, 404, "{path}");
    }
    fixture.assert_unchanged().await;
}

#[tokio::test]
async fn disabled_apis_do_not_exist() {
    let service = Service::memory_with(|settings| {
        settings.buckets.enabled = false;
        settings.rpc.enabled = false;
        settings.users.enabled = false;
        settings.admin.enabled = false;
    })
    .await;
    for path in ["/rpc", "/rpc/get", "/sessions", "/admin/login"] {
        assert_eq!(status(service.post(path)).await, 404, "{path}");
    }
    assert_eq!(status(service.put("/session/shop")).await, 405);
}

#[tokio::test]
async fn requests_of_other_sites_are_rejected() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let requests = |name, value: &str| {
        let calls = ["/rpc", "/rpc/destroyAll"].map(|path| fixture.call(path, "destroyAll"));
        let requests = calls.into_iter().chain(fixture.users());
        requests
            .map(move |request| request.header(name, value))
            .collect::<Vec<_>>()
    };
    let by_site = ["cross-site", "same-site"].map(|site| requests("Sec-Fetch-Site", site));
    // Over plain HTTP, browsers send no `Sec-Fetch-Site`.
    let by_origin = ["http://evil.example", "null"].map(|origin| requests("Origin", origin));
    for request in by_site.into_iter().chain(by_origin).flatten() {
        let (status, body) = fetch(request).await;
        let error = body["error"].as_str().expect("a message");
        assert_eq!(status, 403);
        assert!(
            error.starts_with("the request was sent by another site; "),
            "{error}"
        );
    }
    fixture.assert_unchanged().await;
    for request in requests("Sec-Fetch-Site", "same-origin") {
        assert_eq!(status(request).await, 200);
    }
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let origin = format!("http://{}", service.address);
    for request in fixture.users() {
        assert_eq!(status(request.header("Origin", &origin)).await, 200);
    }
}

async fn assert_secret_is_wrong(request: RequestBuilder) {
    let response = send(request).await;
    assert_eq!(response.headers()["www-authenticate"], "SharedSecret");
    let (status, body) = service::json(response).await;
    let error =
        json!("the header X-Sessiond-Secret is missing or wrong; send the secret of this API once");
    assert_eq!((status, &body["error"]), (401, &error));
}

const RPC: &str = "a secret of the RPC API of 32 bytes";
const USERS: &str = "a secret of the login service, 32 bytes";

#[tokio::test]
async fn shared_secret_is_required_if_it_is_set() {
    let service = Service::memory_with(|settings| {
        settings.rpc.secret = Some(RPC.into());
        settings.users.secret = Some(USERS.into());
        settings.limits.failed_authentications_per_minute = 16.try_into().expect("not zero");
    })
    .await;
    let body = json!({ "name": "create", "args": r#"{"session":{},"userId":"jo"}"# });
    let call = |path| service.post(path).json(&body);
    let login = || service.post("/sessions").json(&credentials("jo"));
    let requests = || {
        [
            (call("/rpc"), RPC, USERS, 200),
            (call("/rpc/create"), RPC, USERS, 200),
            (call("/rpc/none"), RPC, USERS, 404),
            (login(), USERS, RPC, 200),
        ]
    };
    let with = |request: RequestBuilder, secret| request.header("x-sessiond-secret", secret);
    for (request, right, _, expected) in requests() {
        assert_eq!(status(with(request, right)).await, expected);
    }
    let records = service.records();
    for sent in [&[][..], &[""], &["other"], &["right", "right"]] {
        for (request, right, other, _) in requests() {
            let secrets = sent.iter().map(|sent| match *sent {
                "right" => right,
                "other" => other,
                empty => empty,
            });
            assert_secret_is_wrong(secrets.fold(request, with)).await;
        }
    }
    assert_eq!(service.records(), records);
    for (request, right, other, expected) in requests() {
        let again = request.try_clone().expect("a body in memory");
        assert_eq!(status(with(request, other)).await, 429);
        assert_eq!(status(with(again, right)).await, expected, "right before");
    }
    assert_eq!(status(service.get("/health-check")).await, 200);
}

fn rpc_get(service: &Service, token: &str) -> RequestBuilder {
    let args = json!({ "token": token, "sessionVersion": "v1" }).to_string();
    service.post("/rpc/get").json(&json!({ "args": args }))
}

/// Returns requests with credentials that were never valid, and their statuses.
fn failures(service: &Service) -> [(RequestBuilder, u16); 9] {
    let form = "application/x-www-form-urlencoded";
    let session = service.get("/session/shop/a").header("x-api-key", "wrong");
    let admin = service.post("/admin/login").header("content-type", form);
    [
        (session, 401),
        (service.put("/session/shop"), 401),
        (service.get("/api-key/shop"), 401),
        (service.get("/sessions"), 401),
        (service.delete("/sessions/jo").bearer_auth("no token"), 401),
        (show(service, &"A".repeat(9000)), 401),
        (rpc_get(service, "malformed"), 400),
        (service.post("/introspect"), 401),
        (admin.body("key=wrong"), 401),
    ]
}

#[tokio::test]
async fn failed_authentications_are_limited() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 9.try_into().expect("not zero");
    })
    .await;
    let fixture = Fixture::new(&service).await;
    let ended = log_in(&service, "al").await;
    assert_eq!(destroy(&service, &ended, "al").await.0, 200);
    let (head, _) = fixture.rpc_token.rsplit_once('.').expect("a signature");
    let unsigned = format!("{head}.{}", "A".repeat(43));
    // These may have been valid once, and do not count.
    assert_eq!(status(show(&service, &ended)).await, 401);
    assert_eq!(status(rpc_get(&service, &unsigned)).await, 400);
    for (request, expected) in failures(&service) {
        assert_eq!(status(request).await, expected);
    }
    for (request, _) in failures(&service) {
        let response = send(request).await;
        assert_eq!(response.status(), 429);
        assert!(response.headers().contains_key("retry-after"));
    }
    assert_eq!(status(show(&service, &ended)).await, 401);
    fixture.assert_unchanged().await;
}

#[tokio::test]
async fn body_size_is_limited() {
    let service = Service::memory_with(|settings| {
        settings.buckets.max_payload = 5000;
        settings.rpc.max_payload = 1000;
    })
    .await;
    let bucket = Bucket::new(&service, "shop").await;
    let session = format!("/session/shop/{}", bucket.create(&json!(1)).await);
    // All APIs accept it.
    let login = r#"{"username":"jo","password":"","name":"methods"}"#;
    for (method, path, limit, expected) in [
        (Method::PUT, "/session/shop", 5000, 201),
        (Method::POST, &session, 5000, 200),
        (Method::POST, "/rpc", 1000, 200),
        (Method::POST, "/rpc/methods", 1000, 200),
        (Method::POST, "/sessions", 64 << 10, 200),
    ] {
        for (length, expected) in [(limit, expected), (limit + 1, 413)] {
            let body = format!("{}{login}", " ".repeat(length - login.len()));
            let request = service.request(method.clone(), path).body(body);
            let request = request.header("x-session-key", &bucket.key);
            assert_eq!(status(request).await, expected, "{path} {length}");
        }
    }
}

#[tokio::test]
async fn failure_of_the_store_is_503() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let (bucket, id) = (&fixture.bucket, &fixture.id);
    let error = json!("the session store is not available");
    for kind in [StoreErrorKind::Connection, StoreErrorKind::Full] {
        service.faults.fail_with(kind);
        let requests = [
            bucket.put(),
            bucket.get(id),
            bucket.post(id, &json!(2)),
            bucket.delete(id),
            api_key(&service, Method::PUT, "shop"),
            api_key(&service, Method::GET, "shop"),
            api_key(&service, Method::DELETE, "shop"),
            service.get("/readyz"),
        ];
        for request in requests.into_iter().chain(fixture.users()) {
            let response = send(request).await;
            assert!(response.headers().contains_key("retry-after"));
            let expected = (503, json!({ "error": error }));
            assert_eq!(service::json(response).await, expected, "{kind:?}");
        }
        let methods = "create get update destroy getActiveSessions destroyAll";
        for method in methods.split(' ') {
            let answer = fetch(fixture.call(&format!("/rpc/{method}"), method)).await;
            let expected = json!({ "error": error, "code": 5000, "handled": false });
            assert_eq!(answer, (503, expected), "{method}");
        }
        assert_eq!(status(fixture.call("/rpc", "methods")).await, 200);
        assert_eq!(status(service.get("/healthz")).await, 200);
        let unhealthy = (500, json!({ "status": "cannot reach redis" }));
        assert_eq!(fetch(service.get("/health-check")).await, unhealthy);
        service.faults.heal();
        fixture.assert_unchanged().await;
    }
    let healthy = (200, json!({ "status": "awesome" }));
    assert_eq!(fetch(service.get("/health-check")).await, healthy);
}

#[tokio::test]
async fn store_contains_no_credential() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let rpc_token = create(&service, "jo", json!({})).await;
    let bearer = log_in(&service, "jo").await;
    let operator = Browser::logged_in(&service).await;
    let cookie = operator.cookie.as_deref().expect("a cookie");
    let (_, cookie) = cookie.split_once('=').expect("a value");
    let redis = service.server();
    let mut contents = service.keys();
    assert_eq!(contents.len(), 7, "records and the indexes of owners");
    for key in service.keys() {
        let dump: Vec<u8> = redis::from_redis_value(redis.run(&["DUMP", &key])).expect("a dump");
        contents.push(String::from_utf8_lossy(&dump).into_owned());
    }
    let contents = contents.concat();
    assert!(contents.contains("jo"));
    let (_, signature) = rpc_token.rsplit_once('.').expect("a signature");
    let credentials = credentials("jo");
    let password = credentials["password"].as_str().expect("a password");
    let (prefix, rest) = bucket.key.split_at(4);
    for secret in [prefix, rest, signature, &bearer, password, cookie] {
        assert!(!contents.contains(secret), "{secret}");
    }
}
