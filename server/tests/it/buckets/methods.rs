//! Methods and URLs that the table does not have.

use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::{Bucket, send};
use crate::service::{self, MASTER_KEY, Service};

on_every_store!(r39_what_the_table_does_not_have_is_405_whatever_the_key_is);

const ALL: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
    Method::TRACE,
];

async fn r39_what_the_table_does_not_have_is_405_whatever_the_key_is(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let session = format!("/session/shop/{id}");
    let below = format!("{session}/more");
    let table = [
        ("/session/settings", "GET,HEAD"),
        ("/session/shop", "PUT"),
        ("/session/se%74tings", "PUT"),
        (session.as_str(), "GET,HEAD,POST,DELETE"),
        ("/api-key/shop", "PUT,GET,HEAD,DELETE"),
        ("/session", ""),
        ("/session/", ""),
        ("/session/shop/", ""),
        (below.as_str(), ""),
        ("/api-key", ""),
        ("/api-key/", ""),
        ("/api-key/shop/", ""),
        ("/api-key/shop/more", ""),
    ];
    for (path, allowed) in table {
        for method in other_than(allowed) {
            for key in ["", MASTER_KEY, &bucket.key] {
                let request = service.request(method.clone(), path);
                let response = send(request.header("x-session-key", key)).await;
                let what = format!("{method} {path}");
                let allow = response.headers()["allow"].to_str().expect("ASCII");
                let answer = (response.status().as_u16(), set(allow));
                assert_eq!(answer, (405, set(allowed)), "{what}");
                if method != Method::HEAD {
                    let body = service::json(response).await.1;
                    assert_eq!(body, json!({ "error": "method not allowed" }), "{what}");
                }
            }
        }
    }
    assert_eq!(bucket.data(&id).await, json!(1));
}

fn other_than(allowed: &str) -> impl Iterator<Item = Method> {
    let all = ALL.into_iter();
    all.filter(|method| !set(allowed).contains(method.as_str()))
}

/// The methods of an `Allow`, whose order says nothing.
fn set(allow: &str) -> std::collections::BTreeSet<&str> {
    allow.split(',').map(str::trim).collect()
}

#[tokio::test]
async fn a_path_beside_the_table_is_404() {
    let service = Service::memory().await;
    for path in ["/sessionx/shop", "/api-keys/shop", "/sess"] {
        assert_eq!(send(service.get(path)).await.status(), 404);
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let get = send(bucket.get(&id)).await;
    let head = send(bucket.request(Method::HEAD, &format!("/{id}"))).await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["etag"], get.headers()["etag"]);
    assert_eq!(head.text().await.expect("no body"), "");
}

/// The document names every method that the routes have, and no other.
#[tokio::test]
async fn the_document_has_the_methods_that_the_routes_have() {
    let service = Service::memory().await;
    let document = service::json(send(service.get("/openapi.json")).await)
        .await
        .1;
    for (path, methods) in [
        ("/session/settings", vec!["get", "head"]),
        ("/session/{bucket}", vec!["put"]),
        (
            "/session/{bucket}/{id}",
            vec!["delete", "get", "head", "post"],
        ),
        ("/api-key/{bucket}", vec!["delete", "get", "head", "put"]),
    ] {
        let item = document["paths"][path].as_object().expect(path);
        let mut named: Vec<_> = item.keys().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, methods, "{path}");
        for operation in item.values() {
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|all| !all.is_empty())
            );
        }
    }
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .expect("schemes");
    assert!(schemes.contains_key("bucket_key") && schemes.contains_key("master_key"));
}
