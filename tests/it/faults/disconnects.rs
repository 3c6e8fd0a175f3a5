//! Clients that hang up at any moment of their request.

use std::time::Duration;

use futures_util::future::join_all;
use jwt_redis_session::Sessions;

use super::application::{Application, request};
use super::{connect, created, id, listed, records, sessions};
use crate::http_client::{call, send};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually, repetitions, until_it_went_both_ways};

/// An application whose every round trip to Redis takes 6 ms, or a multiple of it.
struct Slow {
    server: RedisServer,
    proxy: Proxy,
    sessions: Sessions,
    app: Application,
    tasks: usize,
}

impl Slow {
    async fn start(factor: u32) -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::to(server.address()).await;
        let sessions = sessions(connect(&proxy.url()).await);
        let app = Application::start(sessions.clone()).await;
        let token = app.ok("/login/warm-up", "").await;
        app.ok("/logout-everywhere", &token).await;
        let tasks = eventually("no task ends any more", async || {
            let before = alive_tasks();
            tokio::time::sleep(Duration::from_millis(20)).await;
            (alive_tasks() == before).then_some(before)
        })
        .await;
        proxy.delay(factor * Duration::from_millis(3));
        Self {
            server,
            proxy,
            sessions,
            app,
            tasks,
        }
    }

    /// Sends requests of 51 owners with three sessions each, and hangs up after 0 to 50 times
    /// `factor` ms. Timers are not finer. `{}` in the path is the owner. Returns the owners, and
    /// the id of the session that sent the request.
    async fn hang_up(&self, factor: u32, path: &str) -> Vec<(String, String)> {
        let requests = (0..=50).map(async |step| {
            let owner = format!("o{step}");
            created(&self.sessions, &owner).await;
            created(&self.sessions, &owner).await;
            let (session, token) = created(&self.sessions, &owner).await;
            let request = request(&path.replace("{}", &owner), token.as_str());
            let socket = send(self.app.address, &request).await;
            tokio::time::sleep(factor * Duration::from_millis(step)).await;
            drop(socket);
            (owner, id(&session))
        });
        let owners = join_all(requests).await;
        self.proxy.delay(Duration::ZERO);
        // Neither a task nor a connection is leaked.
        eventually("no task is left", async || {
            (alive_tasks() <= self.tasks).then_some(())
        })
        .await;
        assert_eq!(self.proxy.accepted(), 1, "one connection served all");
        owners
    }
}

/// Reports whether a request had its effect: from the server, the id of the session that sent it,
/// and the ids of its owner. Panics at half an effect.
type IsDone = fn(&RedisServer, &str, &[String]) -> bool;

/// Hangs up requests to `path` until some of them had their effect and others not.
async fn check(path: &str, is_done: IsDone) {
    for _ in 0..repetitions(1, 20) {
        until_it_went_both_ways(async |factor| {
            let slow = Slow::start(factor).await;
            let owners = slow.hang_up(factor, path).await;
            let (mut all, mut done, count) = (Vec::new(), 0, owners.len());
            for (owner, id) in owners {
                let mut ids = listed(&slow.sessions, &owner).await;
                ids.extend(listed(&slow.sessions, &format!("new-{owner}")).await);
                done += usize::from(is_done(&slow.server, &id, &ids));
                all.extend(ids);
            }
            all.sort_unstable();
            assert_eq!(records(&slow.server), all, "each record is listed");
            eprintln!("{path}: {done} of {count} are done");
            0 < done && done < count
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_request_is_done_whole_or_not_at_all() {
    check("/login/new-{}", |_, _, ids| match ids.len() {
        3 => false,
        4 => true,
        other => panic!("{other} sessions"),
    })
    .await;
    check("/update/7", |server, id, ids| {
        assert_eq!(ids.len(), 3);
        let record = server.run(&["GET", &format!("sess:{id}")]);
        let record: String = redis::from_redis_value(record).expect("a record");
        let fields = [r#""x":7"#, r#""y":7"#].map(|field| record.contains(field));
        assert_eq!(fields[0], fields[1], "half an update");
        fields[0]
    })
    .await;
    check("/rotate", |_, id, ids| {
        assert_eq!(ids.len(), 3);
        !ids.iter().any(|other| other == id)
    })
    .await;
    check("/logout-everywhere", |_, _, ids| match ids.len() {
        0 => true,
        3 => false,
        other => panic!("{other} of 3 are left"),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_request_never_gives_its_answer_to_another() {
    let slow = Slow::start(1).await;
    let mut tokens = Vec::new();
    for number in 0..50 {
        let token = slow.app.ok("/login/jo", "").await;
        let body = slow.app.ok(&format!("/update/{number}"), &token).await;
        tokens.push((request("/read", &token), body));
    }
    until_it_went_both_ways(async |factor| {
        let mut answered = 0;
        for _ in 0..repetitions(5, 100) {
            let calls = tokens.iter().map(async |(request, body)| {
                let patience = rand::random::<u64>() % (60_000 * u64::from(factor));
                let call = call(slow.app.address, request);
                let answer = tokio::time::timeout(Duration::from_micros(patience), call).await;
                let answer = answer.ok()?.expect("the application answers");
                assert_eq!(answer.body(), body, "an answer crossed");
                Some(())
            });
            answered += join_all(calls).await.into_iter().flatten().count();
        }
        let all = repetitions(5, 100) * tokens.len();
        eprintln!("{answered} of {all} answered");
        20 < answered && answered < all - 20
    })
    .await;
}
