//! The store at the start of the program, and with `check-config --connect`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::program::{Program, run, server, sessiond};
use crate::request::{fetch, send};
use crate::service::{SECRET, Service};
use crate::support::redis_cluster::RedisCluster;
use crate::support::redis_sentinels::RedisSentinels;
use crate::support::redis_server::RedisServer;

fn on(mut command: Command, url: &str) -> Command {
    let password = ("SESSIOND__STORE__DEADLINE", "900ms");
    command
        .args(["--redis", url])
        .envs([("SESSIOND__TOKENS__SECRET", SECRET), password]);
    command
}

fn check(url: &str) -> (i32, String, String) {
    run(&mut on(sessiond(&["check-config", "--connect"]), url))
}

/// Returns a command that ends after some seconds.
fn limited(command: &Command) -> Command {
    let mut limited = Command::new("timeout");
    limited
        .arg("20")
        .arg(command.get_program())
        .args(command.get_args());
    limited
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let variables = command.get_envs();
    limited.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    limited
}

/// Starts a server that answers everything as one of HTTP does.
fn not_redis() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let mut open = Vec::new();
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 1]);
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            open.push(socket);
        }
    });
    format!("redis://{address}")
}

/// A start and `check-config --connect` print why the store cannot serve, in one line each.
fn is_rejected(url: &str, reason: &str) {
    let (code, output, error) = check(url);
    assert_eq!(code, 1, "{url}: {output}{error}");
    assert!(output.starts_with("the settings are valid\n"), "{output}");
    let (code, log, printed) = run(&mut limited(&on(server(&[]), url)));
    assert_eq!((code, &*log), (1, ""), "{url}: {printed}");
    let is_warning = |line: &&str| line.contains("buckets.master_keys");
    let printed: Vec<_> = printed.lines().filter(|line| !is_warning(line)).collect();
    assert_eq!(printed, [error.trim_end()], "the library logs nothing");
    let start = "sessiond: store.redis: ";
    assert!(
        error.starts_with(start) && error.contains(reason),
        "{url}: {error}"
    );
    let has_address = error.contains("127.0.0.1:");
    assert!(has_address && !error.contains("h1dd3n"), "{url}: {error}");
}

#[test]
fn a_store_that_does_not_fit_the_settings_ends_the_start() {
    let node = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let master = RedisServer::start();
    let port = master.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    let closed = RedisServer::start_with(&["--requirepass", "right"]);
    let with_password = format!("redis://:h1dd3n@{}", closed.address());
    let as_cluster = format!("redis-cluster://127.0.0.1:{port}");
    let no_node = "is not a node of a cluster; use redis://";
    for (url, reason) in [
        (node.url(), "is a node of a cluster; use redis-cluster://"),
        (replica.url(), "is a replica; use its master"),
        (not_redis(), "is not redis"),
        (closed.url(), "the credentials; check user and password"),
        (with_password, "the session store rejected the credentials"),
        (format!("{}99", master.url()), "has no such database"),
        (as_cluster, no_node),
    ] {
        is_rejected(&url, reason);
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_an_outage_with_one_line() {
    let mut redis = RedisServer::start();
    let url = redis.url();
    redis.kill();
    let hanging = RedisServer::start();
    hanging.pause();
    for (url, reason) in [
        (&url, "cannot be reached"),
        (&hanging.url(), "did not answer in time"),
        (&"unix:///no/such/socket".to_owned(), "no such socket"),
    ] {
        let (code, _, error) = check(url);
        assert_eq!(code, 1);
        assert!(error.contains(reason), "{error}");
        let program = Program::start(&mut on(server(&[]), url));
        let log = program.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(reason)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        let expected =
            "the session store does not answer yet; until it does, requests are answered 503";
        assert!(
            lines[0].contains("WARN") && lines[0].contains(expected),
            "{log}"
        );
        assert!(lines[0].contains("store=\"redis\" address="), "{log}");
        let ready = reqwest::get(format!("http://{}/readyz", program.address())).await;
        assert_eq!(ready.expect("a response").status(), 503);
    }
    let program = Program::start(&mut on(server(&[]), &url));
    redis.restart();
    let ready = reqwest::get(format!("http://{}/readyz", program.address())).await;
    assert_eq!(ready.expect("a response").status(), 200);
    hanging.resume();
}

#[test]
fn a_store_that_answers_is_named_with_its_version() {
    let one = RedisServer::start_with(&["--requirepass", "h1dd3n"]);
    let cluster = RedisCluster::start();
    let sentinels = RedisSentinels::start();
    let with_password = format!("redis://:h1dd3n@{}/2", one.address());
    for (url, address) in [
        (with_password, one.address().to_string()),
        (cluster.url(), "127.0.0.1:".to_owned()),
        (
            sentinels.url(),
            "master mymaster of sentinels 127.0.0.1:".to_owned(),
        ),
    ] {
        let (code, output, error) = check(&url);
        let printed = format!("store: redis at {address}");
        assert_eq!((code, &*error), (0, ""), "{output}");
        assert!(output.contains(&printed), "{output}");
        let last = output.lines().next_back().expect("lines");
        assert!(
            last.starts_with("the session store answers, version "),
            "{output}"
        );
        let program = Program::start(&mut on(server(&[]), &url));
        let log = program.log();
        let mut lines = log
            .lines()
            .filter(|line| line.contains("the session store answers"));
        let line = lines.next().expect("a line");
        assert!(line.contains(" INFO ") && line.contains(&address), "{log}");
        assert!(line.contains("version=\""), "{log}");
        assert!(lines.next().is_none() && !log.contains("h1dd3n"), "{log}");
    }
    let (code, output, _) = run(&mut sessiond(&["check-config", "--connect"]));
    assert!(
        code == 0 && output.ends_with("the session store answers\n"),
        "{output}"
    );
}

#[tokio::test]
async fn an_evicting_redis_is_warned_of_everywhere() {
    const WARNING: &str = "redis ends sessions when its memory is full: maxmemory-policy is \
                           allkeys-lru, set it to noeviction";
    let redis = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let (code, output, _) = check(&redis.url());
    assert!(
        code == 0 && output.ends_with(&format!("\nwarning: {WARNING}\n")),
        "{output}"
    );
    let program = Program::start(&mut on(server(&[]), &redis.url()));
    program.wait_for("redis evicts keys when its memory is full");
    let get = |path: &str| reqwest::get(format!("http://{}{path}", program.address()));
    let metrics = async || {
        get("/metrics")
            .await
            .expect("a response")
            .text()
            .await
            .expect("text")
    };
    assert!(
        metrics().await.contains("\nsessiond_store_evicts 1\n"),
        "since the start"
    );

    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let (status, body) = fetch(service.get("/readyz")).await;
    assert_eq!((status, &body["warning"]), (200, &WARNING.into()), "{body}");
    redis.run(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let text = send(service.get("/readyz"))
        .await
        .text()
        .await
        .expect("text");
    assert_eq!(text, r#"{"status":"ok"}"#);
    assert_eq!(get("/readyz").await.expect("a response").status(), 200);
    assert!(metrics().await.contains("\nsessiond_store_evicts 0\n"));
}
