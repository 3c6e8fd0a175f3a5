//! Servers that are absent, reject commands or hang, and what an application then answers.

use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;

use super::application::{Application, assert_outage};
use super::sessions;
use crate::support::eventually;
use crate::support::redis_server::{RedisServer, admin};

/// A fault of Redis. New sessions and changes are always an outage.
struct Fault {
    name: &'static str,
    arguments: &'static [&'static str],
    begin: fn(&mut RedisServer),
    end: fn(&mut RedisServer),
    /// What the state of a request with a valid token contains.
    state: &'static str,
    logout: u16,
    /// The session exists afterwards, as it was.
    is_kept: bool,
    /// A rejected write leaves nothing behind. Otherwise it may still be applied.
    is_clean: bool,
}

const FAULT: Fault = Fault {
    name: "",
    arguments: &[],
    begin: |_| (),
    end: |_| (),
    state: "Unavailable",
    logout: 503,
    is_kept: true,
    is_clean: true,
};

const FAULTS: [Fault; 9] = [
    Fault {
        name: "killed, and the file has all",
        arguments: &["--appendonly", "yes", "--appendfsync", "always"],
        begin: RedisServer::kill,
        end: RedisServer::restart,
        ..FAULT
    },
    Fault {
        name: "killed without a file",
        begin: RedisServer::kill,
        end: RedisServer::restart,
        is_kept: false,
        ..FAULT
    },
    Fault {
        name: "hung",
        begin: |server| server.pause(),
        end: |server| server.resume(),
        is_clean: false,
        ..FAULT
    },
    Fault {
        name: "loading",
        arguments: &[
            "--key-load-delay",
            "300000",
            "--loading-process-events-interval-bytes",
            "1024",
            "--rdbcompression",
            "no",
        ],
        begin: |server| {
            for number in 0..40 {
                server.run(&["SET", &format!("pad{number}"), &"x".repeat(1024)]);
            }
            server.run(&["SAVE"]);
            server.restart_unready();
        },
        end: |server| drop(server.run(&["CONFIG", "SET", "key-load-delay", "0"])),
        state: "Loading",
        ..FAULT
    },
    Fault {
        name: "busy with a script",
        arguments: &["--busy-reply-threshold", "50"],
        begin: |server| {
            let url = server.url();
            std::thread::spawn(move || admin(&url, &["EVAL", "while true do end", "0"]));
        },
        end: |server| drop(server.run(&["SCRIPT", "KILL"])),
        state: "Busy",
        ..FAULT
    },
    Fault {
        name: "with another password",
        begin: |server| {
            server.run(&["CONFIG", "SET", "requirepass", "new"]);
            let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
            with_password(server, &kill);
        },
        end: |server| with_password(server, &["CONFIG", "SET", "requirepass", ""]),
        state: "Auth",
        ..FAULT
    },
    Fault {
        name: "unable to save",
        begin: |server| {
            std::fs::create_dir(server.dir().join("dump.rdb")).expect("block the file");
            server.run(&["CONFIG", "SET", "save", "1 1"]);
            while server.command(&["SET", "probe", "1"]).is_ok() {
                let _ = server.command(&["BGSAVE"]);
            }
        },
        end: |server| drop(server.run(&["CONFIG", "SET", "save", ""])),
        state: "Active",
        ..FAULT
    },
    Fault {
        name: "a read-only replica",
        begin: |server| drop(server.run(&["REPLICAOF", "127.0.0.1", "1"])),
        end: |server| drop(server.run(&["REPLICAOF", "NO", "ONE"])),
        state: "Active",
        ..FAULT
    },
    Fault {
        name: "full",
        begin: |server| drop(server.run(&["CONFIG", "SET", "maxmemory", "1mb"])),
        end: |server| drop(server.run(&["CONFIG", "SET", "maxmemory", "0"])),
        state: "Active",
        logout: 200,
        ..FAULT
    },
];

fn with_password(server: &RedisServer, words: &[&str]) {
    let url = server.url().replace("redis://", "redis://:new@");
    admin(&url, words).expect("redis answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outage_is_never_an_anonymous_request() {
    let checks = FAULTS.map(|fault| tokio::spawn(check(fault)));
    for check in checks {
        check.await.expect("the fault is an outage, and no more");
    }
}

async fn check(fault: Fault) {
    let what = fault.name;
    let mut server = RedisServer::start_with(fault.arguments);
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

    let expected = if fault.is_kept { 200 } else { 401 };
    let read = eventually(what, async || {
        let login = app.post("/login/al", "").await;
        let read = app.post("/read", &token).await;
        (login.status() == 200 && read.status() == expected).then_some(read)
    })
    .await;
    if fault.is_kept {
        assert_eq!(read.body(), r#"{"a":1}"#, "{what}");
        if fault.is_clean {
            let new = app.post("/login/jo", "").await.into_body();
            assert_eq!(app.ok("/logout-everywhere", &new).await, "2", "{what}");
        }
        let _ = app.post("/logout", &token).await;
        assert_eq!(app.post("/read", &token).await.status(), 401, "{what}");
    }
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
        assert!(
            took < Duration::from_millis(400),
            "{what}: waits for Redis, {took:?}"
        );
    }
    for path in ["/login/al", "/login/jo", "/update/1", "/rotate"] {
        let answer = tokio::time::timeout(Duration::from_secs(5), app.post(path, token));
        assert_outage(&answer.await.expect(what), what);
    }
    let read = app.post("/read", token).await;
    match fault.state {
        "Active" => assert_eq!(read.body(), r#"{"a":1}"#, "{what}"),
        _ => assert_outage(&read, what),
    }
    // A logout that was not done is never reported as done.
    for path in ["/logout", "/logout-everywhere"] {
        if fault.logout == 503 {
            assert_outage(&app.post(path, token).await, what);
        }
    }
    if fault.logout == 200 {
        app.ok("/logout", other).await;
        assert_eq!(app.post("/read", other).await.status(), 401, "{what}");
    }
}
