//! Clients that hang up at any moment of their request.
//!
//! `operations::failures` drops each operation at each of its steps; here axum drops the handler.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::application::{Application, request};
use super::{connect, created, listed, records, sessions};
use crate::http_client::send;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_rotation_leaves_one_session_and_no_task() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let sessions = sessions(connect(&proxy.url()).await);
    let app = Application::start(sessions.clone()).await;
    let token = app.ok("/login/warm-up", "").await;
    app.ok("/logout-everywhere", &token).await;
    let tasks = eventually("no task ends any more", async || {
        let before = alive_tasks();
        sleep(Duration::from_millis(20)).await;
        (alive_tasks() == before).then_some(before)
    })
    .await;

    // A round trip to Redis takes 6 ms, so that the steps of a rotation take about 30 ms.
    proxy.delay(Duration::from_millis(3));
    let requests = (0..=50).map(async |millis| {
        let owner = format!("o{millis}");
        let (_, token) = created(&sessions, &owner).await;
        let socket = send(app.address, &request("/rotate", token.as_str())).await;
        sleep(Duration::from_millis(millis)).await;
        drop(socket);
        owner
    });
    let owners = join_all(requests).await;
    proxy.delay(Duration::ZERO);
    eventually("no task is left", async || {
        (alive_tasks() <= tasks).then_some(())
    })
    .await;
    assert_eq!(proxy.accepted(), 1, "one connection served all");
    let mut all = Vec::new();
    for owner in owners {
        let ids = listed(&sessions, &owner).await;
        assert_eq!(ids.len(), 1, "{owner}");
        all.extend(ids);
    }
    all.sort_unstable();
    assert_eq!(records(&server), all, "each record is listed");
}
