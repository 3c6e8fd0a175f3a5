//! The lines of the log.

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
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

impl Log {
    fn count(&self, what: &str) -> usize {
        self.text()
            .lines()
            .filter(|line| line.contains(what))
            .count()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the log").clone()).expect("text")
    }
}

/// R37: a server that evicts is warned of, once, over the first connection.
#[tokio::test]
async fn r37_an_evicting_server_is_warned_of() {
    for (policy, warned) in [("noeviction", 0), ("volatile-lru", 1)] {
        let server = RedisServer::start_with(&["--maxmemory-policy", policy]);
        let (log, _guard) = listen();
        connected(&server.url()).await;
        assert_eq!(log.count("volatile-lru"), warned, "{}", log.text());
    }
}

#[tokio::test]
async fn r37_a_lazy_store_warns_of_an_evicting_server_once() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let (log, _guard) = listen();
    let store = RedisStore::lazy(&server.url()).expect("a good url");
    warns_once(&server, &store, &log).await;
}

#[cfg(feature = "pool")]
#[tokio::test]
async fn r37_a_store_from_a_pool_warns_of_an_evicting_server_once() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let (log, _guard) = listen();
    let pool = deadpool_redis::Config::from_url(server.url())
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .expect("a pool");
    warns_once(&server, &RedisStore::from_pool(pool), &log).await;
}

async fn warns_once(server: &RedisServer, store: &RedisStore, log: &Log) {
    assert_eq!(log.count("allkeys-lru"), 0);
    for _ in 0..3 {
        read(store).await.expect("redis answers");
        eventually("warned", || async {
            (log.count("allkeys-lru") > 0).then_some(())
        })
        .await;
        server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
    // A value that travels over the second connection.
    let large = [b'x'; 70_000];
    let inserted = store.insert(NewRecord::new("large", &large, TTL)).await;
    assert_eq!(inserted, Ok(true));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(log.count("allkeys-lru"), 1, "{}", log.text());
}

/// An outage is one line at its beginning and one at its end, with the number of failed calls,
/// however many calls fail and in whatever way.
#[tokio::test]
async fn an_outage_is_two_lines_of_the_log() {
    let mut server = RedisServer::start();
    let (log, _guard) = listen();
    let store = connected(&server.url()).await;
    server.kill();
    for _ in 0..300 {
        assert!(read(&store).await.is_err());
        assert!(write(&store).await.is_err());
        assert!(store.ping().await.is_err());
    }
    assert_eq!(log.count(" WARN "), 1, "{}", log.text());
    server.restart();
    back(&store, "restarted").await;
    read(&store).await.expect("redis answers");
    assert_eq!(log.count(" INFO "), 1, "{}", log.text());
    assert_eq!(log.count(" WARN "), 1, "{}", log.text());
    let failed = log.text();
    let failed = failed.lines().find(|line| line.contains(" INFO "));
    let failed = failed.and_then(|line| line.rsplit_once("failed=")?.1.parse::<u32>().ok());
    assert!(failed.is_some_and(|failed| failed >= 899), "{failed:?}");
}

/// A server that is too slow for some calls and not for others.
#[tokio::test]
async fn a_slow_server_does_not_fill_the_log() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let (log, _guard) = listen();
    let config = RedisConfig::new(proxy.url())
        .deadline(Duration::from_millis(40))
        .response_timeout(Duration::from_millis(20));
    let store = config.connect().await.expect("connect");
    let (mut served, mut failed) = (0, 0);
    for round in 0..40 {
        proxy.delay(Duration::from_millis(if round % 2 == 0 { 15 } else { 0 }));
        for _ in 0..5 {
            match store.load("k").await {
                Ok(_) => served += 1,
                Err(_) => failed += 1,
            }
        }
    }
    eprintln!("slow server: {served} served, {failed} failed");
    assert!(
        served > 20 && failed > 20,
        "{served} served, {failed} failed"
    );
    let lines = log.count("jwt_redis_session");
    assert!(lines <= 4, "{lines} lines: {}", log.text());
}

const GARBAGE: [&str; 3] = ["+hush-hush\r\n", "!hush-hush", "-HUSH hush-hush\r\n"];

/// R45: names, values and credentials are in no error and no log line, whatever went wrong; and
/// a thousand failures are not a thousand lines.
#[tokio::test]
async fn r45_no_error_and_no_log_line_says_a_secret() {
    let (log, _guard) = listen();

    let server = RedisServer::start();
    let user = format!("ACL SETUSER {MARKER} on >{MARKER} ~hush* +@all");
    server.run(&user.split(' ').collect::<Vec<_>>());
    let proxy = Proxy::to(server.address()).await;
    let credentials = format!("redis://{MARKER}:{MARKER}@");
    let store = connected(&proxy.url().replace("redis://", &credentials)).await;
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
    for garbage in GARBAGE {
        proxy.garbage(Some(garbage.as_bytes()));
        proxy.reset_open();
        tokio::time::sleep(Duration::from_millis(160)).await;
        all("garbage").await;
    }
    for _ in 0..1000 {
        let _ = tell_nothing(store.load(MARKER).await);
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let record = NewRecord::new(MARKER, MARKER.as_bytes(), TTL);
    assert!(!format!("{store:?} {record:?}").contains(MARKER));
    check_lines(&log.text());
}

/// Checks that the log has some lines of the library, not many, and no secret.
fn check_lines(log: &str) {
    let own = log
        .lines()
        .filter(|line| line.contains("jwt_redis_session"));
    let own = own.count();
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
