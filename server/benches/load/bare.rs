//! A bare axum route: what a request costs when nothing is done.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

/// Tells this program to be the server.
pub(crate) const ARGUMENT: &str = "--bare-server";

/// An answer as large as that of a bucket.
const ANSWER: &str = include_str!("answer.json");

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("bind");
        eprintln!("listens address={}", listener.local_addr().expect("bound"));
        let json = [("content-type", "application/json")];
        let route = get(move |_: Path<(String, String)>| async move { (json, ANSWER) });
        let app = Router::new().route("/session/{bucket}/{id}", route);
        axum::serve(listener, app).await.expect("serve");
    });
}
