//! The two versions of the wire format.

use serde_json::{Value, json};

use super::client::{create, of_user};
use crate::request::send;
use crate::service::{self, Service};

const METHODS: &str = "create get update destroy getActiveSessions destroyAll methods";

const NO_CALL: &str = r#"the body is not a JSON object; send {"name": "…", "args": {…}}"#;
const UNKNOWN: &str = "unknown method; the method `methods` lists all";

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
    let list = json!([object, of_user("al")]);
    // A list as `@bufferapp/micro-rpc-client` sends it, and an object as its server accepts it; both
    // as text and as they are.
    let texts = [&list, &object].map(|args| json!(args.to_string()));
    for args in texts.into_iter().chain([list, object]) {
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
    let names = list.iter().filter_map(|method| method["name"].as_str());
    let names = names.collect::<Vec<_>>().join(" ");
    assert_eq!((status, &*names), (200, METHODS));
    for body in ["", "null", "{}", r#"{"args":""}"#] {
        let answer = post(&service, "/rpc/methods", body).await;
        assert_eq!(answer, (200, methods.clone()));
    }
}

#[tokio::test]
async fn both_versions_report_the_same_errors() {
    let service = Service::memory().await;
    let (create, invalid) = (r#"{"name":"create"}"#, r#"{"name":"methods","args":"{"}"#);
    for (method, body, status, error) in [
        ("create", create, 400, "please specify a session object"),
        (
            "methods",
            invalid,
            400,
            "args is not JSON; send an object or a list",
        ),
        ("methods", "[]", 400, NO_CALL),
        ("none", r#"{"args":"{"}"#, 404, UNKNOWN),
        ("Create", r#"{"name":"Create"}"#, 404, UNKNOWN),
        ("__proto__", "{}", 404, UNKNOWN),
        ("x", r#"{"name":["get"]}"#, 404, UNKNOWN),
    ] {
        let answer = post(&service, "/rpc", body).await;
        assert_eq!(answer, (status, json!({ "error": error })), "{body}");
        let code = if status == 404 { 4040 } else { 1000 };
        let detailed = json!({ "error": error, "code": code, "handled": true });
        let answer = post(&service, &format!("/rpc/{method}"), body).await;
        assert_eq!(answer, (status, detailed), "{method} {body}");
    }
}

#[tokio::test]
async fn invalid_paths_are_404() {
    let service = Service::memory().await;
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
