//! The example `devices`.

#[path = "../../examples/devices.rs"]
#[allow(dead_code)]
mod example;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Sends a request such as `GET /devices`, and returns the status and the body.
async fn call(app: &Router, start: &str, token: &str) -> (u16, String) {
    let (method, path) = start.split_once(' ').expect("a method and a path");
    let request = Request::builder().method(method).uri(path);
    let request = request.header("user-agent", "curl/8.5.0");
    let request = request.header("x-access-token", token);
    let mut request = request.body(Body::empty()).expect("a request");
    let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 80)));
    request.extensions_mut().insert(peer);
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status().as_u16();
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    let body = axum::body::to_bytes(response.into_body(), 1 << 20);
    let body = body.await.expect("a body");
    (status, String::from_utf8(body.into()).expect("text"))
}

async fn devices(app: &Router, token: &str) -> Vec<Value> {
    let (status, body) = call(app, "GET /devices", token).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

async fn log_in(app: &Router, name: &str) -> String {
    let start = format!("POST /login/jo?device={name}");
    let (status, token) = call(app, &start, "").await;
    assert_eq!(status, 200, "{token}");
    token
}

#[tokio::test]
async fn devices_are_listed_limited_and_logged_out() {
    let app = example::tested();
    let (phone, laptop) = (log_in(&app, "Phone").await, log_in(&app, "Laptop").await);
    let listed = devices(&app, &phone).await;
    assert_eq!(listed.len(), 2);
    let current = listed.iter().find(|device| device["current"] == true);
    let current = current.expect("the phone");
    assert_eq!(current["name"], "Phone");
    assert_eq!(current["user_agent"], "curl/8.5.0");
    assert_eq!(current["ip"], "192.0.2.1");
    assert_eq!(
        current["used_seconds_ago"].as_u64().map(|ago| ago < 60),
        Some(true)
    );

    let other = listed.iter().find(|device| device["name"] == "Laptop");
    let id = other.and_then(|device| device["id"].as_str());
    let end = format!("DELETE /devices/{}", id.expect("the laptop"));
    let stranger = call(&app, "POST /login/al", "").await.1;
    assert_eq!(
        call(&app, &end, &stranger).await.1,
        "false",
        "not the owner"
    );
    assert_eq!(call(&app, &end, &phone).await.1, "true");
    assert_eq!(call(&app, "GET /devices", &laptop).await.0, 401);

    for name in ["A", "B", "C"] {
        log_in(&app, name).await;
    }
    let last = log_in(&app, "D").await;
    assert_eq!(devices(&app, &last).await.len(), 3);
    let others = call(&app, "DELETE /devices/others", &last).await;
    assert_eq!(others, (200, "2".to_owned()));
    let names: Vec<_> = devices(&app, &last)
        .await
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, [json!("D")]);
}
