//! Servers that are killed, hung or full, and what an application then answers.
//!
//! `faults_store` has all faults of Redis, and the error that each one is.

use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;

use super::application::{Application, assert_outage};
use super::sessions;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

/// A fault of Redis. New sessions and changes are always an outage.
struct Fault {
    name: &'static str,
    begin: fn(&mut RedisServer),
    end: fn(&mut RedisServer),
    /// What the state of a request with a valid token contains.
    state: &'static str,
    /// Sessions can still be ended.
    can_log_out: bool,
}

const FAULTS: [Fault; 3] = [
    Fault {
        name: "killed",
        begin: RedisServer::kill,
        end: RedisServer::restart,
        state: "Unavailable",
        can_log_out: false,
    },
    Fault {
        name: "hung",
        begin: |server| server.pause(),
        end: |server| server.resume(),
        state: "Unavailable",
        can_log_out: false,
    },
    Fault {
        name: "full",
        begin: |server| drop(server.run(&["CONFIG", "SET", "maxmemory", "1mb"])),
        end: |server| drop(server.run(&["CONFIG", "SET", "maxmemory", "0"])),
        state: "Active",
        can_log_out: true,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_is_never_an_anonymous_request() {
    for fault in FAULTS {
        check(fault).await;
    }
}

async fn check(fault: Fault) {
    let what = fault.name;
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let app = Application::start(sessions(store)).await;
    let token = app.ok("/login/jo", "").await;
    let other = app.ok("/login/other", "").await;

    (fault.begin)(&mut server);
    eventually(what, async || {
        let login = app.post("/login/al", "").await;
        let state = app.ok("/state", &token).await;
        (login.status() == 503 && state.contains(fault.state)).then_some(())
    })
    .await;
    during(&fault, &app, &token, &other).await;
    (fault.end)(&mut server);

    let read = eventually(what, async || {
        let login = app.post("/login/al", "").await;
        let read = app.post("/read", &token).await;
        (login.status() == 200 && read.status() == 200).then_some(read)
    })
    .await;
    assert_eq!(read.body(), r#"{"a":1}"#, "{what}");
    app.ok("/logout", &token).await;
    assert_eq!(app.post("/read", &token).await.status(), 401, "{what}");
}

/// Checks the answers while the fault lasts.
async fn during(fault: &Fault, app: &Application, token: &str, other: &str) {
    let what = fault.name;
    for (path, token, expected) in [
        ("/state", "", "Absent"),
        ("/state", "not.a.token", "Rejected"),
        ("/read", "", "a token is required"),
    ] {
        let start = Instant::now();
        let answer = app.post(path, token).await;
        assert!(answer.body().contains(expected), "{what}: {answer:?}");
        let took = start.elapsed();
        assert!(took < Duration::from_millis(400), "{what}: {took:?}");
    }
    for path in ["/login/jo", "/update/1", "/rotate"] {
        let answer = tokio::time::timeout(Duration::from_secs(5), app.post(path, token));
        assert_outage(&answer.await.expect(what), what);
    }
    if fault.can_log_out {
        assert_eq!(app.ok("/read", token).await, r#"{"a":1}"#, "{what}");
        app.ok("/logout", other).await;
        assert_eq!(app.post("/read", other).await.status(), 401, "{what}");
    } else {
        // A logout that was not done is never reported as done.
        for path in ["/read", "/logout", "/logout-everywhere"] {
            assert_outage(&app.post(path, token).await, what);
        }
    }
}
