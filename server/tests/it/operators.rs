//! Endpoints for operators: metrics and the OpenAPI document.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::request::{fetch, send, status};
use crate::service::Service;

#[tokio::test]
async fn requests_are_counted_by_method_route_and_status() {
    let service = Service::memory().await;
    for (method, path, expected) in [
        ("GET", "/nothing/h1dd3n?h1dd3n", 404),
        ("BREW", "/healthz", 405),
        ("GET", "/healthz", 200),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let found = status(service.request(method, path)).await;
        assert_eq!(found, expected, "{path}");
    }
    let response = send(service.get("/metrics")).await;
    let content_type = &response.headers()["content-type"];
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.expect("a body");
    for line in [
        r#"sessiond_requests_total{method="GET",route="/healthz",status="200"} "#,
        r#"sessiond_requests_total{method="other",route="/healthz",status="405"} "#,
        r#"route="unmatched",status="404""#,
        r#"sessiond_request_seconds_bucket{route="/healthz",le="#,
        "sessiond_connections ",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    assert!(!text.contains("h1dd3n") && !text.contains("BREW"), "{text}");
}

#[tokio::test]
async fn caches_must_not_store_any_response() {
    let service = Service::memory().await;
    for path in [
        "/healthz",
        "/readyz",
        "/health-check",
        "/metrics",
        "/session/settings",
        "/openapi.json",
        "/session/shop/a",
        "/nothing",
    ] {
        let response = send(service.get(path)).await;
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    }
}

/// Routes, and the names of the security schemes of which each accepts one.
const ROUTES: &str = "\
delete /api-key/{bucket} master_key
delete /session/{bucket}/{id} bucket_key
delete /sessions/{username} user_session
get /.well-known/jwks.json
get /api-key/{bucket} master_key
get /health-check
get /healthz
get /metrics
get /readyz
get /session/settings bucket_key
get /session/{bucket}/{id} bucket_key
get /sessions user_session
post /introspect introspection_bearer introspection_basic
post /rpc rpc_secret
post /rpc/create rpc_secret
post /rpc/destroy rpc_secret
post /rpc/destroyAll rpc_secret
post /rpc/get rpc_secret
post /rpc/getActiveSessions rpc_secret
post /rpc/methods rpc_secret
post /rpc/update rpc_secret
post /session/{bucket}/{id} bucket_key
post /sessions users_secret
put /api-key/{bucket} master_key
put /session/{bucket} bucket_key";

#[tokio::test]
async fn the_document_has_every_route_and_describes_every_response() {
    let service = Service::memory().await;
    let (_, document) = fetch(service.get("/openapi.json")).await;
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1."), "{version}");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let schemes = &document["components"]["securitySchemes"];
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let route = format!("{method} {path}");
            let responses = operation["responses"].as_object().expect("responses");
            for status in ["405", "500", "503"] {
                assert!(responses.contains_key(status), "{route}: {status}");
            }
            for (status, response) in responses {
                assert_ne!(response["description"], "", "{route}: {status}");
            }
            found.insert(route.clone() + &required_keys(&route, operation, schemes));
        }
    }
    let found: Vec<_> = found.into_iter().collect();
    assert_eq!(found.join("\n"), ROUTES);
    let kinds: BTreeSet<_> = ROUTES
        .split_whitespace()
        .filter(|word| word.contains('_'))
        .collect();
    let schemes = schemes.as_object().expect("schemes").keys();
    assert_eq!(
        schemes.collect::<Vec<_>>(),
        kinds.iter().collect::<Vec<_>>(),
        "one for each kind of key"
    );
}

/// Returns the kinds of key that an operation takes, each after a space.
fn required_keys(route: &str, operation: &Value, schemes: &Value) -> String {
    let mut kinds = String::new();
    for required in operation["security"].as_array().into_iter().flatten() {
        let required = required.as_object().expect("names");
        assert!(required.len() < 2, "{route}: alternatives");
        for scheme in required.keys() {
            assert!(schemes[scheme].is_object(), "{route}: {scheme}");
            kinds += &format!(" {scheme}");
        }
    }
    kinds
}

/// The methods that the API reports are those of the document, with the same arguments.
#[tokio::test]
async fn the_document_describes_every_method() {
    let service = Service::memory().await;
    let (_, document) = fetch(service.get("/openapi.json")).await;
    let schema = |reference: &Value| {
        let path = reference["$ref"].as_str().expect("a reference");
        document.pointer(&path[1..]).expect("a schema").clone()
    };
    let (_, methods) = fetch(service.post("/rpc/methods")).await;
    let methods = methods["result"].as_array().expect("methods");
    assert_eq!(methods.len(), 7);
    for method in methods {
        let name = method["name"].as_str().expect("a name");
        let operation = &document["paths"][format!("/rpc/{name}")]["post"];
        let json = "/content/application~1json/schema";
        let result = operation["responses"]["200"]
            .pointer(json)
            .expect("a result");
        assert!(schema(result)["properties"]["result"].is_object(), "{name}");
        let docs = method["docs"].as_str().expect("a text");
        let Some((_, listed)) = docs.split(':').next().and_then(|head| head.split_once('{')) else {
            continue;
        };
        let call = schema(operation["requestBody"].pointer(json).expect("a body"));
        let arguments = schema(&call["properties"]["args"]["oneOf"][0]);
        let found = arguments["properties"]
            .as_object()
            .expect("arguments")
            .keys();
        let listed: BTreeSet<_> = listed.trim_end_matches('}').split(", ").collect();
        assert_eq!(
            found.map(String::as_str).collect::<BTreeSet<_>>(),
            listed,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_disabled_api_is_not_in_the_document() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let (_, document) = fetch(service.get("/openapi.json")).await;
    let introduction = document["info"]["description"].as_str().expect("a text");
    assert!(introduction.contains("### RPC API"));
    assert!(!introduction.contains("### Users API"));
    assert!(document["paths"]["/sessions"].is_null());
}

#[tokio::test]
async fn the_page_of_the_document_needs_no_other_server() {
    let service = Service::memory().await;
    let page = send(service.get("/docs/")).await;
    let policy = page.headers()["content-security-policy"].to_str();
    let policy = policy.expect("text");
    let scripts = "default-src 'none'; script-src 'self';";
    assert!(policy.starts_with(scripts), "{policy}");
    let html = page.text().await.expect("a body");
    let links = ["src=\"", "href=\""].iter().flat_map(|attribute| {
        let after = html.split(attribute).skip(1);
        after.filter_map(|rest| rest.split('"').next())
    });
    let links: Vec<_> = links.collect();
    assert!(links.len() >= 5, "{html}");
    for link in links {
        assert!(!link.contains("//"), "{link} is on another server");
        let path = format!("/docs/{}", link.trim_start_matches("./"));
        let file = send(service.get(&path)).await;
        assert_eq!(file.status(), 200, "{path}");
        assert!(file.headers().contains_key("content-security-policy"));
    }
}
