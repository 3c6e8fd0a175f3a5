//! F25: clients that hang up at any moment of their request.

use std::time::Duration;

use jwt_redis_session::Sessions;
use serde_json::Value;

use super::http::{Site, app, send};
use super::{connect, created, listed, records, sessions};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually, rounds, until_it_went_both_ways};

/// An application whose every round trip to Redis takes 6 ms, or a multiple of it.
struct Slow {
    server: RedisServer,
    proxy: Proxy,
    sessions: Sessions,
    site: Site,
    tasks: usize,
}

impl Slow {
    async fn open(factor: u32) -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::to(server.address()).await;
        let sessions = sessions(connect(&proxy).await);
        let site = Site::open(app(sessions.clone())).await;
        site.ask("/login/warm-up", None).await.fine();
        sessions
            .destroy_all("warm-up")
            .await
            .expect("redis answers");
        eventually("at rest", || async {
            let before = alive_tasks();
            tokio::time::sleep(Duration::from_millis(20)).await;
            (alive_tasks() == before).then_some(())
        })
        .await;
        let tasks = alive_tasks();
        proxy.delay(factor * Duration::from_millis(3));
        Self {
            server,
            proxy,
            sessions,
            site,
            tasks,
        }
    }

    /// Sends a request and hangs up after `patience`.
    async fn hang_up(&self, path: &str, token: Option<&str>, patience: Duration) {
        let socket = send(self.site.address, path, token).await;
        tokio::time::sleep(patience).await;
        drop(socket);
    }

    /// Waits until everything that was begun has ended; then nothing is leaked, neither a task
    /// nor a connection, and the application serves.
    async fn comes_to_rest(&self) {
        self.proxy.delay(Duration::ZERO);
        eventually("no task is left", || async {
            (alive_tasks() <= self.tasks).then_some(())
        })
        .await;
        assert_eq!(self.proxy.accepted(), 1, "one connection served all");
        let token = self.site.ask("/login/last", None).await.fine();
        let ended = self.site.ask("/logout-everywhere", Some(&token)).await;
        assert_eq!(ended.fine(), "1");
    }
}

/// After 0 to 50 times `factor` ms, in as many steps of at least 1 ms, which is as fine as timers
/// are.
fn moments(factor: u32) -> impl Iterator<Item = Duration> {
    (0..=50).map(move |step| factor * Duration::from_millis(step))
}

/// Runs `test` once, or many times if asked for. It returns whether some of its requests were
/// served and others not.
async fn repeat(test: impl AsyncFn(u32) -> bool) {
    for _ in 0..rounds(1, 20) {
        until_it_went_both_ways(&test).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_login_nobody_waits_for_is_whole_or_not_there() {
    repeat(login).await;
}

async fn login(factor: u32) -> bool {
    let slow = &Slow::open(factor).await;
    let logins = moments(factor).enumerate().map(async |(number, patience)| {
        let owner = format!("o{number}");
        let path = format!("/login/{owner}");
        slow.hang_up(&path, None, patience).await;
        owner
    });
    let owners = futures_util::future::join_all(logins).await;
    slow.comes_to_rest().await;
    let mut all = Vec::new();
    for owner in owners {
        let ids = listed(&slow.sessions, &owner).await;
        assert!(ids.len() <= 1, "{owner}: {ids:?}");
        all.extend(ids);
    }
    all.sort_unstable();
    assert_eq!(records(&slow.server, "sess:"), all, "each record is listed");
    eprintln!("f25: {} logged in", all.len());
    !all.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_an_update_nobody_waits_for_is_whole_or_not_there() {
    repeat(update).await;
}

async fn update(factor: u32) -> bool {
    let slow = &Slow::open(factor).await;
    let updates = moments(factor).enumerate().map(async |(number, patience)| {
        let (session, token) = created(&slow.sessions, Some("jo")).await;
        let path = format!("/update/{number}");
        slow.hang_up(&path, Some(token.as_str()), patience).await;
        (number, session)
    });
    let updates = futures_util::future::join_all(updates).await;
    slow.comes_to_rest().await;
    let mut written = 0;
    for (number, session) in updates {
        session.reload().await.expect("it lives");
        let (x, y) = (session.get::<Value>("x"), session.get::<Value>("y"));
        assert_eq!(x, y, "half an update");
        if let Some(x) = x.expect("JSON") {
            assert_eq!(x, number);
            written += 1;
        }
    }
    eprintln!("f25: {written} updates written");
    written > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_rotation_nobody_waits_for_leaves_one_session() {
    repeat(rotation).await;
}

async fn rotation(factor: u32) -> bool {
    let slow = &Slow::open(factor).await;
    let rotations = moments(factor).enumerate().map(async |(number, patience)| {
        let owner = format!("o{number}");
        let (session, token) = created(&slow.sessions, Some(&owner)).await;
        slow.hang_up("/rotate", Some(token.as_str()), patience)
            .await;
        (owner, session)
    });
    let rotations = futures_util::future::join_all(rotations).await;
    slow.comes_to_rest().await;
    let (mut all, mut rotated) = (Vec::new(), 0);
    for (owner, session) in rotations {
        let ids = listed(&slow.sessions, &owner).await;
        assert_eq!(ids.len(), 1, "{owner}");
        rotated += usize::from(ids[0] != session.id().expect("an id").as_str());
        all.extend(ids);
    }
    all.sort_unstable();
    assert_eq!(records(&slow.server, "sess:"), all, "none without a list");
    eprintln!("f25: {rotated} of {} rotated", all.len());
    0 < rotated && rotated < all.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_logout_everywhere_nobody_waits_for_ends_all_or_none() {
    repeat(logout_everywhere).await;
}

async fn logout_everywhere(factor: u32) -> bool {
    let slow = &Slow::open(factor).await;
    let logouts = moments(factor).enumerate().map(async |(number, patience)| {
        let owner = format!("o{number}");
        created(&slow.sessions, Some(&owner)).await;
        created(&slow.sessions, Some(&owner)).await;
        let (_, token) = created(&slow.sessions, Some(&owner)).await;
        let token = Some(token.as_str());
        slow.hang_up("/logout-everywhere", token, patience).await;
        owner
    });
    let owners = futures_util::future::join_all(logouts).await;
    slow.comes_to_rest().await;
    let (mut left, mut ended) = (0, 0);
    for owner in owners {
        match listed(&slow.sessions, &owner).await.len() {
            0 => ended += 1,
            3 => left += 1,
            other => panic!("{other} of 3 are left"),
        }
    }
    eprintln!("f25: {ended} ended, {left} left");
    assert_eq!(records(&slow.server, "sess:").len(), 3 * left);
    ended > 0 && left > 0
}
