//! The two versions of the wire format.

use jwt_redis_session_server::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{create, get_all, handled, of_user};
use crate::request::{fetch, send, status};
use crate::service::{self, Service};

const METHODS: [&str; 7] = [
    "create",
    "get",
    "update",
    "destroy",
    "getActiveSessions",
    "destroyAll",
    "methods",
];

/// Posts a body and checks the headers of the response.
async fn post(service: &Service, path: &str, body: &str) -> (u16, Value) {
    let response = send(service.post(path).body(body.to_owned())).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["content-type"], "application/json");
    service::json(response).await
}

#[tokio::test]
async fn both_versions_accept_the_same_calls() {
    let service = Service::memory().await;
    let object = of_user("jo");
    // A list as `@bufferapp/micro-rpc-client` sends it, and an object as its server accepts it.
    for args in [json!([object, of_user("al")]), object] {
        let args = args.to_string();
        let first = json!({ "name": "destroyAll", "args": args }).to_string();
        // Version 2 ignores the name in the body.
        let second = json!({ "name": "create", "args": args }).to_string();
        for (path, body) in [("/rpc", &first), ("/rpc/destroyAll", &second)] {
            create(&service, "jo", json!({})).await;
            let answer = post(&service, path, body).await;
            assert_eq!(answer, (200, json!({ "result": 1 })), "{path}");
        }
    }
    let (status, methods) = post(&service, "/rpc", r#"{"name":"methods"}"#).await;
    let list = methods["result"].as_array().expect("a list");
    let names: Vec<_> = list.iter().map(|method| &method["name"]).collect();
    assert_eq!((status, json!(names)), (200, json!(METHODS)));
    for body in ["", "null", "{}", r#"{"args":""}"#] {
        let answer = post(&service, "/rpc/methods", body).await;
        assert_eq!(answer, (200, methods.clone()));
    }
}

#[tokio::test]
async fn both_versions_report_the_same_errors() {
    let service = Service::memory_with(|settings| settings.rpc.max_payload = 1000).await;
    let padded = |length: usize| format!("{{\"name\":\"methods\"}}{}", " ".repeat(length - 18));
    let (create, invalid) = (r#"{"name":"create"}"#, r#"{"name":"methods","args":"{"}"#);
    for (method, body, status, error) in [
        ("create", create, 400, "please specify a session object"),
        ("methods", invalid, 400, "args is not JSON"),
        ("methods", "[]", 400, "the body is not a JSON object"),
        (
            "methods",
            &padded(1001),
            413,
            "the body is larger than 1000 bytes",
        ),
        (
            "none",
            r#"{"name":"none","args":"{"}"#,
            404,
            "unknown method",
        ),
        ("Create", r#"{"name":"Create"}"#, 404, "unknown method"),
        ("__proto__", "{}", 404, "unknown method"),
        ("x", r#"{"name":["get"]}"#, 404, "unknown method"),
    ] {
        let answer = post(&service, "/rpc", body).await;
        assert_eq!(answer, (status, json!({ "error": error })), "{body}");
        let code = if status == 404 { 4040 } else { 1000 };
        let detailed = json!({ "error": error, "code": code, "handled": true });
        let answer = post(&service, &format!("/rpc/{method}"), body).await;
        assert_eq!(answer, (status, detailed), "{method} {body}");
    }
    assert_eq!(post(&service, "/rpc/methods", &padded(1000)).await.0, 200);
}

#[tokio::test]
async fn requests_of_other_sites_are_rejected() {
    let service = Service::memory().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let args = of_user("jo").to_string();
    let body = json!({ "name": "destroyAll", "args": args }).to_string();
    let post = |path: &str, site: &str| {
        let request = service.post(path).header("Content-Type", "text/plain");
        fetch(request.header("Sec-Fetch-Site", site).body(body.clone()))
    };
    let error = "another site sent this request";
    for site in ["cross-site", "same-site"] {
        assert_eq!(post("/rpc", site).await, (403, json!({ "error": error })));
        assert_eq!(post("/rpc/destroyAll", site).await, handled(403, error));
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(post("/rpc", "same-origin").await.0, 200);
    assert_eq!(post("/rpc/destroyAll", "none").await.0, 200);
}

#[tokio::test]
async fn shared_secret_is_required_if_it_is_set() {
    const RPC_SECRET: &str = "a secret of the RPC API of 32 bytes";
    let service = Service::memory_with(|settings| {
        settings.rpc.secret = Some(Secret::from(RPC_SECRET));
    })
    .await;
    let memory = service.memory.clone().expect("memory");
    let body = json!({ "name": "create", "args": r#"{"session":{},"userId":"jo"}"# });
    let error = "the header X-Sessiond-Secret is missing or wrong";
    for (method, secret) in [("create", ""), ("create", "wrong"), ("none", "wrong")] {
        let request = service.post(&format!("/rpc/{method}")).json(&body);
        let response = send(request.header("x-sessiond-secret", secret)).await;
        assert_eq!(response.headers()["www-authenticate"], "SharedSecret");
        assert_eq!(service::json(response).await, handled(401, error));
    }
    let create = || service.post("/rpc").json(&body);
    assert_eq!(fetch(create()).await, (401, json!({ "error": error })));
    assert!(memory.is_empty());
    assert_eq!(
        status(create().header("x-sessiond-secret", RPC_SECRET)).await,
        200
    );
    assert_eq!(status(service.get("/health-check")).await, 200);
}

#[tokio::test]
async fn other_http_methods_are_405_and_invalid_paths_404() {
    let service = Service::memory().await;
    for path in ["/rpc", "/rpc/get"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let response = send(service.request(method, path)).await;
            assert_eq!(response.headers()["allow"], "POST");
            let error = json!({ "error": "method not allowed" });
            assert_eq!(service::json(response).await, (405, error));
        }
    }
    let long = "a".repeat(10_000);
    let names = "%2F get%2F %00 get%00 .. %2e%2e %0d%0aX:1 %ff % %zz a/b get/ *";
    for name in names.split(' ').chain(["", &*long]) {
        let request = format!(
            "POST /rpc/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let answer = service.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name:.20}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert!(body["error"].is_string(), "{body}");
    }
}
