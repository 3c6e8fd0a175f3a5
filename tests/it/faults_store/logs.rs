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
    let mut kinds = std::collections::HashSet::new();
    let mut all = async |what: &str| {
        let start = kinds.len();
        for error in failures(&store).await {
            kinds.insert(error.kind());
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
        let _ = tell_nothing(store.load(MARKER).await);
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let record = NewRecord::new(MARKER, MARKER.as_bytes(), TTL);
    let text = format!("{store:?} {record:?}");
    assert!(!text.contains(MARKER), "{text}");
    let log = log.text();
    let own = log
        .lines()
        .filter(|line| line.contains("jwt_redis_session"))
        .count();
    assert!((3..30).contains(&own), "{own} lines:\n{log}");
    assert!(!log.contains(MARKER), "{log}");
}

/// Calls methods of every kind and returns their errors.
async fn failures(store: &RedisStore) -> Vec<StoreError> {
    let (key, value) = (MARKER, MARKER.as_bytes());
    let entry = NewEntry::new(key, MARKER, 1, TTL);
    let other = NewRecord::new(key, b"hush-hush!", TTL);
    let mut errors = Vec::new();
    errors.extend(tell_nothing(timed(store.load(key)).await).err());
    let insert = store.insert(NewRecord::new(key, value, TTL));
    errors.extend(tell_nothing(timed(insert).await).err());
    let set = store.compare_and_set(value, other);
    errors.extend(tell_nothing(timed(set).await).err());
    let put = store.index_put(entry, PutMode::KeepTombstone);
    errors.extend(tell_nothing(timed(put).await).err());
    let set = store.compare_and_set_indexed(entry, value, other);
    errors.extend(tell_nothing(timed(set).await).err());
    let all = store.index_tombstone_all(key, Some(MARKER), 1);
    errors.extend(tell_nothing(timed(all).await).err());
    let supersede = store.index_supersede(key, MARKER, MARKER, 1);
    errors.extend(tell_nothing(timed(supersede).await).err());
    errors.extend(tell_nothing(timed(store.load("not-hush")).await).err());
    errors
}
