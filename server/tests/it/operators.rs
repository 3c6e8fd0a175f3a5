//! What operators need.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::service::{Service, json};
use crate::support::redis_server::RedisServer;

on_every_store!(
    health_is_told,
    a_request_has_an_id,
    requests_are_counted_by_route
);

async fn health_is_told(service: Service) {
    let ok = (200, serde_json::json!({ "status": "ok" }));
    for path in ["/healthz", "/readyz"] {
        let response = service.get(path).send().await.expect("an answer");
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(json(response).await, ok, "{path}");
    }
}

/// Found or not.
async fn a_request_has_an_id(service: Service) {
    let id = async |path, sent: &str| {
        let request = service.get(path).header("x-request-id", sent);
        let answer = request.send().await.expect("an answer");
        let id = answer.headers()["x-request-id"].to_str();
        id.expect("text").to_owned()
    };
    for path in ["/healthz", "/nothing/here"] {
        assert_eq!(id(path, "abc-1.2_3").await, "abc-1.2_3");
        let replaced = id(path, "a b\"c").await;
        assert_eq!(replaced.len(), 32);
        assert_ne!(replaced, id(path, "a b\"c").await);
    }
}

async fn requests_are_counted_by_route(service: Service) {
    let unmatched = service.get("/nothing/h1dd3n?h1dd3n").send().await;
    assert_eq!(unmatched.expect("an answer").status(), 404);
    for _ in 0..3 {
        service.get("/healthz").send().await.expect("an answer");
    }
    let answer = service.get("/metrics").send().await.expect("an answer");
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = answer.text().await.expect("a body");
    let line = r#"sessiond_requests_total{method="GET",route="/healthz",status="200"} "#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#"route="unmatched",status="404""#), "{text}");
    assert!(
        text.contains(r#"sessiond_request_seconds_bucket{route="/healthz",le="#),
        "{text}"
    );
    assert!(text.contains("sessiond_connections "), "{text}");
    assert!(!text.contains("h1dd3n"), "{text}");
}

#[tokio::test]
async fn a_service_without_its_store_lives_but_is_not_ready() {
    let mut redis = RedisServer::start();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    redis.kill();
    let status = async |path| service.get(path).send().await.expect("an answer").status();
    assert_eq!((status("/healthz").await, status("/readyz").await).1, 503);
    assert_eq!(status("/healthz").await, 200);
    redis.restart();
    crate::support::eventually("it is ready", || async {
        (status("/readyz").await == 200).then_some(())
    })
    .await;
}

async fn document(service: &Service) -> Value {
    let answer = service
        .get("/openapi.json")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/json");
    json(answer).await.1
}

const ROUTES: [&str; 17] = [
    "delete /api-key/{bucket}",
    "delete /session/{bucket}/{id}",
    "delete /sessions/{username}",
    "get /api-key/{bucket}",
    "get /health-check",
    "get /healthz",
    "get /metrics",
    "get /readyz",
    "get /session/settings",
    "get /session/{bucket}/{id}",
    "get /sessions",
    "post /rpc",
    "post /rpc/{method}",
    "post /session/{bucket}/{id}",
    "post /sessions",
    "put /api-key/{bucket}",
    "put /session/{bucket}",
];

/// Every row of the tables, and no other; what GET answers, HEAD does too.
#[tokio::test]
async fn the_document_holds_every_route() {
    let document = document(&Service::memory().await).await;
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1."), "{version}");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        document["info"]["license"]["identifier"],
        "MIT OR Apache-2.0"
    );
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations");
        operations
            .keys()
            .map(move |method| format!("{method} {path}"))
    });
    let found: BTreeSet<_> = operations
        .filter(|operation| !operation.starts_with("head "))
        .collect();
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ROUTES);
}

/// Words and, where there is a body, what is in it.
#[tokio::test]
async fn every_answer_in_the_document_is_described() {
    let document = document(&Service::memory().await).await;
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .expect("schemes");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let answers = operation["responses"].as_object().expect("answers");
            for status in ["405", "500", "503"] {
                assert!(answers.contains_key(status), "{method} {path}: {status}");
            }
            for (status, answer) in answers {
                let words = answer["description"].as_str().unwrap_or_default();
                assert!(!words.is_empty(), "{method} {path}: {status}");
            }
            for asked in operation["security"].as_array().into_iter().flatten() {
                for name in asked.as_object().expect("names").keys() {
                    assert!(schemes.contains_key(name), "{method} {path}: {name}");
                }
            }
        }
    }
}

/// The whole page is here: nothing is asked of the internet, and nothing else may run in it.
#[tokio::test]
async fn the_page_of_the_document_needs_no_other_server() {
    let service = Service::memory().await;
    let page = service.get("/docs/").send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let html = page.text().await.expect("a body");
    let names = ["src=\"", "href=\""].iter().flat_map(|attribute| {
        let after = html.split(attribute).skip(1);
        after.filter_map(|rest| rest.split('"').next())
    });
    let names: Vec<_> = names.collect();
    assert!(names.len() >= 5, "{html}");
    for name in names {
        assert!(!name.contains("//"), "{name} is elsewhere");
        let path = format!("/docs/{}", name.trim_start_matches("./"));
        let file = service.get(&path).send().await.expect("an answer");
        assert_eq!(file.status(), 200, "{path}");
        assert!(file.headers().contains_key("content-security-policy"));
    }
}
