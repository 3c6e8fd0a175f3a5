//! Methods and paths that do not exist.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::buckets::bucket::Bucket;
use crate::request::send;
use crate::service::{self, MASTER_KEY, Service};

#[tokio::test]
async fn other_methods_and_paths_are_405_with_any_key() {
    let service = Service::memory().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let session = &format!("/session/shop/{id}");
    let all = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    for (path, allowed) in [
        ("/session/settings", &["GET", "HEAD"][..]),
        ("/session/shop", &["PUT"]),
        ("/session/se%74tings", &["PUT"]),
        (session, &["GET", "HEAD", "POST", "DELETE"]),
        ("/api-key/shop", &["GET", "HEAD", "PUT", "DELETE"]),
        ("/session", &[]),
        ("/session/", &[]),
        ("/session/shop/", &[]),
        (&format!("{session}/more"), &[]),
        ("/api-key", &[]),
        ("/api-key/shop/", &[]),
        ("/api-key/shop/more", &[]),
    ] {
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        for method in all.into_iter().filter(|method| !allowed.contains(method)) {
            for key in ["", MASTER_KEY, &bucket.key] {
                let name = Method::from_bytes(method.as_bytes()).expect("a method");
                let request = service.request(name, path).header("x-session-key", key);
                let response = send(request).await;
                assert_eq!(response.status(), 405, "{method} {path}");
                let allow = response.headers()["allow"].to_str().expect("ASCII");
                let allow = allow
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                assert_eq!(allow.collect::<BTreeSet<_>>(), allowed, "{method} {path}");
                if method != "HEAD" {
                    let error = json!({ "error": "method not allowed" });
                    assert_eq!(service::json(response).await.1, error, "{method} {path}");
                }
            }
        }
    }
    assert_eq!(bucket.data(&id).await, json!(1));
}
