//! What is said in the log.

use super::*;

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the log").clone()).expect("text")
    }
}

/// R37: a server that evicts is warned of at the start.
#[tokio::test]
async fn r37_an_evicting_server_is_warned_of() {
    for (policy, warned) in [("noeviction", false), ("volatile-lru", true)] {
        let (log, _guard) = listen();
        let server = RedisServer::start_with(&["--maxmemory-policy", policy]);
        connected(&server.url()).await;
        assert_eq!(
            log.text().contains("volatile-lru"),
            warned,
            "{}",
            log.text()
        );
    }
}

/// R45: names, values and credentials are in no error and no log line, whatever went wrong; and
/// a thousand failures are not a thousand lines.
#[tokio::test]
async fn r45_no_error_and_no_log_line_says_a_secret() {
    let (log, _guard) = listen();

    let server = RedisServer::start();
    server.run(&[
        "ACL",
        "SETUSER",
        MARKER,
        "on",
        &format!(">{MARKER}"),
        "~hush*",
        "+@all",
    ]);
    let proxy = Proxy::to(server.address()).await;
    let url = proxy
        .url()
        .replace("redis://", &format!("redis://{MARKER}:{MARKER}@"));
    let store = connected(&url).await;
    let (key, value) = (MARKER, MARKER.as_bytes());
    let batches = [
        vec![Command::Load { key }],
        vec![Command::Insert {
            key,
            value,
            ttl: TTL,
        }],
        vec![Command::CompareAndSet {
            key,
            expected: value,
            value: b"hush-hush!",
            ttl: TTL,
        }],
        vec![Command::IndexPut {
            index: key,
            member: MARKER,
            score: 1,
            ttl: TTL,
        }],
        vec![
            Command::IndexCheck {
                index: key,
                member: MARKER,
            },
            Command::IndexMarkAll {
                index: key,
                keep: Some(MARKER),
                now: 1,
            },
            Command::IndexSupersede {
                index: key,
                old: MARKER,
                new: MARKER,
                now: 1,
            },
        ],
        vec![Command::Load { key: "not-hush" }],
    ];
    let mut kinds = std::collections::HashSet::new();
    let mut all = async |what: &str| {
        let start = kinds.len();
        for batch in &batches {
            if let Err(error) = tell_nothing(timed(store.run(batch)).await) {
                kinds.insert(error.kind());
            }
        }
        eprintln!("r45 {what}: {} new kinds", kinds.len() - start);
    };
    all("wrong types and names").await;
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    all("full").await;
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    all("read-only").await;
    server.run(&["REPLICAOF", "NO", "ONE"]);
    server.run(&["ACL", "SETUSER", MARKER, "-eval", "-get", "-evalsha"]);
    all("forbidden").await;
    server.run(&["ACL", "SETUSER", MARKER, "nopass", "resetpass"]);
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    all("wrong password").await;
    for garbage in [
        &b"+hush-hush\r\n"[..],
        b"!hush-hush",
        b"-HUSH hush-hush\r\n",
    ] {
        proxy.garbage(Some(garbage));
        proxy.reset_open();
        tokio::time::sleep(Duration::from_millis(160)).await;
        all("garbage").await;
    }
    for _ in 0..1000 {
        let _ = tell_nothing(store.run(&batches[0]).await);
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let text = format!("{store:?} {:?}", batches[1]);
    assert!(!text.contains(MARKER), "{text}");
    let log = log.text();
    let own = log
        .lines()
        .filter(|line| line.contains("jwt_redis_session"))
        .count();
    assert!((3..30).contains(&own), "{own} lines:\n{log}");
    assert!(!log.contains(MARKER), "{log}");
}
