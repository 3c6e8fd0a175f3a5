//! Every command of the store contract against a real Redis.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_redis_session::store::{
    Command, Compared, IndexEntry, Reply, Standing, Store, StoreErrorKind, Superseded,
};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::support::redis_server::{self, RedisServer, admin};
use crate::support::unique;

const TTL: Duration = Duration::from_secs(60);
const MINUTES: Duration = Duration::from_secs(600);

async fn one(store: &RedisStore, command: Command<'_>) -> Reply {
    let mut replies = store.run(&[command]).await.expect("redis answers");
    assert_eq!(replies.len(), 1);
    replies.remove(0)
}

fn insert<'a>(key: &'a str, value: &'a [u8]) -> Command<'a> {
    Command::Insert {
        key,
        value,
        ttl: TTL,
    }
}

/// When the marks of these tests are set, in Unix seconds.
const NOW: i64 = 1_700_000_000;

fn put<'a>(index: &'a str, member: &'a str, score: i64) -> Command<'a> {
    Command::IndexPut {
        index,
        member,
        score,
        ttl: TTL,
    }
}

fn record(reply: Reply) -> Option<(Vec<u8>, Option<Duration>)> {
    match reply {
        Reply::Record(stored) => stored.map(|stored| (stored.value.to_vec(), stored.ttl)),
        other => panic!("not a record: {other:?}"),
    }
}

fn members(reply: Reply) -> BTreeSet<String> {
    match reply {
        Reply::Members(members) => members.into_iter().collect(),
        other => panic!("not members: {other:?}"),
    }
}

fn score_of(standing: Standing) -> Option<i64> {
    match standing {
        Standing::Live { score } => Some(score),
        Standing::Dying { since } => {
            assert_eq!(since, NOW, "a mark keeps its time");
            None
        }
    }
}

fn entries(reply: Reply) -> BTreeSet<(String, Option<i64>)> {
    match reply {
        Reply::Entries(entries) => {
            let pair = |entry: IndexEntry| (entry.member, score_of(entry.standing));
            entries.into_iter().map(pair).collect()
        }
        other => panic!("not entries: {other:?}"),
    }
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

async fn store() -> (RedisStore, String, Option<RedisServer>) {
    let (url, server) = redis_server::any();
    (
        RedisStore::connect(&url).await.expect("connect"),
        url,
        server,
    )
}

/// Walks through every command; used again over other roads to Redis.
async fn walk(store: &RedisStore) {
    let (key, index) = (&*unique("jrs:walk"), &*unique("jrs:walk:index"));
    assert_eq!(record(one(store, Command::Load { key }).await), None);
    assert_eq!(one(store, insert(key, b"one")).await, Reply::Applied(true));
    assert_eq!(one(store, insert(key, b"two")).await, Reply::Applied(false));
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"one");
    assert!(ttl.is_some_and(|ttl| ttl <= TTL && ttl > TTL - Duration::from_secs(20)));

    let cas = |expected: &'static [u8]| Command::CompareAndSet {
        key,
        expected,
        value: b"\0\xff1",
        ttl: MINUTES,
    };
    let held = Compared::Different(b"one".as_slice().into());
    assert_eq!(one(store, cas(b"other")).await, Reply::Compared(held));
    assert_eq!(
        one(store, cas(b"one")).await,
        Reply::Compared(Compared::Equal)
    );
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"\0\xff1");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));

    let cad = |expected: &'static [u8]| Command::CompareAndDelete { key, expected };
    let held = Compared::Different(b"\0\xff1".as_slice().into());
    assert_eq!(one(store, cad(b"one")).await, Reply::Compared(held));
    assert_eq!(
        one(store, cad(b"\0\xff1")).await,
        Reply::Compared(Compared::Equal)
    );
    assert_eq!(
        one(store, cad(b"\0\xff1")).await,
        Reply::Compared(Compared::Gone)
    );
    assert_eq!(
        one(store, cas(b"one")).await,
        Reply::Compared(Compared::Gone)
    );

    let replace = Command::Replace {
        key,
        value: b"1",
        ttl: TTL,
    };
    assert_eq!(one(store, replace).await, Reply::Applied(false));
    let expire = Command::Expire { key, ttl: MINUTES };
    assert_eq!(one(store, expire).await, Reply::Applied(false));
    assert_eq!(one(store, insert(key, b"0")).await, Reply::Applied(true));
    assert_eq!(one(store, replace).await, Reply::Applied(true));
    assert_eq!(one(store, expire).await, Reply::Applied(true));
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"1");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));
    assert_eq!(
        one(store, Command::Delete { key }).await,
        Reply::Applied(true)
    );
    assert_eq!(
        one(store, Command::Delete { key }).await,
        Reply::Applied(false)
    );

    walk_index(store, index).await;
    assert_eq!(store.run(&[]).await, Ok(vec![]));
}

async fn walk_index(store: &RedisStore, index: &str) {
    let check = |member: &'static str| Command::IndexCheck { index, member };
    assert_eq!(one(store, check("a")).await, Reply::Applied(false));
    assert_eq!(
        one(store, Command::IndexEntries { index }).await,
        Reply::Entries(vec![])
    );
    assert_eq!(one(store, put(index, "a", 100)).await, Reply::Done);
    assert_eq!(one(store, put(index, "b", 300)).await, Reply::Done);
    assert_eq!(one(store, put(index, "b", 200)).await, Reply::Done);
    assert_eq!(one(store, put(index, "c", i64::MAX)).await, Reply::Done);
    assert_eq!(one(store, check("a")).await, Reply::Applied(true));
    let listed = entries(one(store, Command::IndexEntries { index }).await);
    let expected = [("a", Some(100)), ("b", Some(300)), ("c", Some(i64::MAX))];
    assert_eq!(
        listed,
        expected
            .map(|(name, score)| (name.to_owned(), score))
            .into()
    );

    let due = |score, limit| Command::IndexDue {
        index,
        score,
        limit,
    };
    assert_eq!(members(one(store, due(99, 9)).await), set([]));
    assert_eq!(members(one(store, due(300, 9)).await), set(["a", "b"]));
    assert_eq!(members(one(store, due(300, 1)).await), set(["a"]));
    assert_eq!(members(one(store, due(300, 0)).await), set([]));

    let supersede = |old, new| Command::IndexSupersede {
        index,
        old,
        new,
        now: NOW,
    };
    let came = |superseded| Reply::Superseded(superseded);
    assert_eq!(
        one(store, supersede("x", "b")).await,
        came(Superseded::OldGone)
    );
    assert_eq!(
        one(store, supersede("a", "x")).await,
        came(Superseded::NewGone)
    );
    assert_eq!(
        one(store, supersede("a", "b")).await,
        came(Superseded::Marked)
    );
    assert_eq!(
        one(store, supersede("a", "b")).await,
        came(Superseded::OldGone)
    );
    assert_eq!(
        one(store, supersede("b", "a")).await,
        came(Superseded::NewGone)
    );
    assert_eq!(one(store, check("a")).await, Reply::Applied(false));
    assert_eq!(one(store, put(index, "a", 500)).await, Reply::Done);
    assert_eq!(
        one(store, check("a")).await,
        Reply::Applied(false),
        "a mark stays"
    );

    let mark = |keep| Command::IndexMarkAll {
        index,
        keep,
        now: NOW,
    };
    assert_eq!(members(one(store, mark(Some("b"))).await), set(["a", "c"]));
    assert_eq!(one(store, check("b")).await, Reply::Applied(true));
    assert_eq!(members(one(store, due(i64::MAX, 9)).await), set(["b"]));
    assert_eq!(members(one(store, mark(None)).await), set(["a", "b", "c"]));
    let listed = entries(one(store, Command::IndexEntries { index }).await);
    assert!(
        listed.iter().all(|(_, score)| score.is_none()),
        "{listed:?}"
    );

    let remove = |members| Command::IndexRemove { index, members };
    assert_eq!(one(store, remove(&[])).await, Reply::Done);
    assert_eq!(one(store, remove(&["a", "b", "none"])).await, Reply::Done);
    assert_eq!(members(one(store, mark(None)).await), set(["c"]));
    assert_eq!(one(store, remove(&["c"])).await, Reply::Done);
    assert_eq!(members(one(store, mark(None)).await), set([]));
}

#[tokio::test]
async fn every_command_does_what_the_contract_says() {
    let (store, _, _server) = store().await;
    walk(&store).await;
}

#[tokio::test]
async fn resp3_answers_are_understood() {
    let server = RedisServer::start();
    let url = format!("{}?protocol=resp3", server.url());
    walk(&RedisStore::connect(&url).await.expect("connect")).await;
}

#[tokio::test]
async fn a_batch_is_answered_in_order() {
    let (store, _, _server) = store().await;
    let (key, index) = (&*unique("jrs:batch"), &*unique("jrs:batch:index"));
    let replies = store
        .run(&[
            put(index, "a", 1),
            insert(key, b"v"),
            Command::IndexCheck { index, member: "a" },
            Command::IndexRemove {
                index,
                members: &[],
            },
            Command::Load { key },
            Command::CompareAndDelete {
                key,
                expected: b"v",
            },
            Command::Load { key },
        ])
        .await
        .expect("redis answers");
    assert_eq!(replies.len(), 7);
    assert_eq!(replies[..2], [Reply::Done, Reply::Applied(true)]);
    assert_eq!(replies[2..4], [Reply::Applied(true), Reply::Done]);
    assert!(record(replies[4].clone()).is_some());
    assert_eq!(
        replies[5..],
        [Reply::Compared(Compared::Equal), Reply::Record(None)]
    );
}

#[tokio::test]
async fn a_record_of_another_kind_is_foreign_and_the_rest_is_answered() {
    let (store, url, _server) = store().await;
    let (list, key) = (&*unique("jrs:list"), &*unique("jrs:plain"));
    admin(&url, &["RPUSH", list, "x"]).expect("rpush");
    let cas = Command::CompareAndSet {
        key: list,
        expected: b"x",
        value: b"y",
        ttl: TTL,
    };
    let cad = Command::CompareAndDelete {
        key: list,
        expected: b"x",
    };
    let replies = store
        .run(&[
            Command::Load { key: list },
            insert(key, b"v"),
            cas,
            cad,
            Command::Load { key },
        ])
        .await
        .expect("redis answers");
    assert_eq!(replies[0], Reply::Foreign);
    assert_eq!(replies[1], Reply::Applied(true));
    assert_eq!(replies[2..4], [Reply::Foreign, Reply::Foreign]);
    assert!(record(replies[4].clone()).is_some());
    for command in [Command::Load { key: list }, cas, cad] {
        assert_eq!(one(&store, command).await, Reply::Foreign, "{command:?}");
    }
    assert_eq!(
        admin(&url, &["LLEN", list]),
        Ok(redis::Value::Int(1)),
        "left alone"
    );
    let error = store.run(&[put(list, "a", 1)]).await.expect_err("no index");
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("WRONGTYPE"), "{error}");
}

#[tokio::test]
async fn times_to_live_of_every_size_are_taken() {
    let (store, url, _server) = store().await;
    let key = &*unique("jrs:ttl");
    let tiny = Command::Insert {
        key,
        value: b"v",
        ttl: Duration::from_nanos(1),
    };
    assert_eq!(one(&store, tiny).await, Reply::Applied(true));
    crate::support::eventually("expired", || async {
        record(one(&store, Command::Load { key }).await)
            .is_none()
            .then_some(())
    })
    .await;
    let huge = Command::Insert {
        key,
        value: b"v",
        ttl: Duration::MAX,
    };
    assert_eq!(one(&store, huge).await, Reply::Applied(true));
    let expire = Command::Expire {
        key,
        ttl: Duration::MAX,
    };
    assert_eq!(one(&store, expire).await, Reply::Applied(true));
    let cas = Command::CompareAndSet {
        key,
        expected: b"v",
        value: b"w",
        ttl: Duration::MAX,
    };
    assert_eq!(one(&store, cas).await, Reply::Compared(Compared::Equal));
    let (_, ttl) = record(one(&store, Command::Load { key }).await).expect("stored");
    assert!(ttl.is_some_and(|ttl| ttl > 1000 * 365 * Duration::from_secs(86_400)));
    admin(&url, &["PERSIST", key]).expect("persist");
    let (_, ttl) = record(one(&store, Command::Load { key }).await).expect("stored");
    assert_eq!(ttl, None, "a record without expiry");
}

#[tokio::test]
async fn an_index_never_lives_shorter_than_it_was_to() {
    let (store, url, _server) = store().await;
    let index = &*unique("jrs:index");
    let ttl = || match admin(&url, &["PTTL", index]) {
        Ok(redis::Value::Int(millis)) => millis,
        other => panic!("no ttl: {other:?}"),
    };
    let for_so_long = |ttl| Command::IndexPut {
        index,
        member: "a",
        score: 1,
        ttl,
    };
    one(&store, for_so_long(MINUTES)).await;
    assert!(ttl() > 500_000);
    one(&store, for_so_long(TTL)).await;
    assert!(ttl() > 500_000);
    one(&store, for_so_long(2 * MINUTES)).await;
    assert!(ttl() > 1_100_000);
    one(&store, for_so_long(Duration::MAX)).await;
    assert!(ttl() > 1 << 50);
}

#[tokio::test]
async fn a_big_index_is_marked_whole() {
    let (url, _server) = redis_server::any();
    let patience = Duration::from_secs(10);
    let config = RedisConfig::new(&url)
        .deadline(patience)
        .response_timeout(patience);
    let store = config.connect().await.expect("connect");
    let index = &*unique("jrs:big");
    let names: Vec<String> = (0..10_000)
        .map(|number| format!("member{number}"))
        .collect();
    for chunk in names.chunks(5_000) {
        let mut words = vec!["ZADD", index];
        words.extend(chunk.iter().flat_map(|name| ["1", name.as_str()]));
        admin(&url, &words).expect("zadd");
    }
    let mark = Command::IndexMarkAll {
        index,
        keep: Some("member7"),
        now: NOW,
    };
    assert_eq!(members(one(&store, mark).await).len(), 9_999);
    assert_eq!(members(one(&store, mark).await).len(), 9_999);
    let due = Command::IndexDue {
        index,
        score: i64::MAX,
        limit: usize::MAX,
    };
    assert_eq!(members(one(&store, due).await), set(["member7"]));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let remove = Command::IndexRemove {
        index,
        members: &all,
    };
    assert_eq!(one(&store, remove).await, Reply::Done);
    assert_eq!(
        one(&store, Command::IndexEntries { index }).await,
        Reply::Entries(vec![])
    );
}

#[tokio::test]
async fn f14_scripts_that_the_server_forgot_are_sent_again() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    for _ in 0..3 {
        server.run(&["SCRIPT", "FLUSH"]);
        assert_eq!(one(&store, put("index", "a", 1)).await, Reply::Done);
        server.run(&["SCRIPT", "FLUSH"]);
        let replies = store.run(&[insert("k", b"v"), put("index", "b", 1)]).await;
        assert_eq!(replies.expect("redis answers")[1], Reply::Done);
        assert_eq!(
            one(&store, put("index", "a", 1)).await,
            Reply::Done,
            "by its name"
        );
    }
}

#[tokio::test]
async fn the_url_chooses_user_password_and_database() {
    let server = RedisServer::start();
    server.run(&["ACL", "SETUSER", "app", "on", ">p@ss/word", "~*", "+@all"]);
    let url = format!("redis://app:p%40ss%2Fword@127.0.0.1:{}/3", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    one(&store, insert("k", b"v")).await;
    let size = admin(&format!("{}3", server.url()), &["DBSIZE"]);
    assert_eq!(size, Ok(redis::Value::Int(1)));
    let debug = format!("{store:?} {:?}", RedisConfig::new(url.clone()));
    assert!(!debug.contains("p@") && !debug.contains("word"), "{debug}");

    let beyond = format!("redis://127.0.0.1:{}/999", server.port());
    let error = RedisStore::connect(&beyond)
        .await
        .expect_err("no such database");
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
}

#[tokio::test]
async fn times_without_end_are_taken() {
    let server = RedisServer::start();
    let store = RedisConfig::new(server.url())
        .deadline(Duration::MAX)
        .response_timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .renewal_budget(Duration::MAX)
        .connect()
        .await
        .expect("connect");
    let key = &*unique("jrs:endless");
    assert_eq!(one(&store, insert(key, b"v")).await, Reply::Applied(true));
    admin(&server.url(), &["CLIENT", "KILL", "TYPE", "normal"]).expect("kill");
    // A read is repeated over the next connection, which waits for the renewal.
    assert!(record(one(&store, Command::Load { key }).await).is_some());
    store.connection().await.expect("a connection");
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let server = RedisServer::start_with(&["--unixsocket", "{dir}/redis.sock"]);
    for scheme in ["unix", "redis+unix"] {
        let url = format!("{scheme}://{}/redis.sock?db=2", server.dir().display());
        walk(&RedisStore::connect(&url).await.expect("connect")).await;
    }
    let missing = format!("unix://{}/none.sock", server.dir().display());
    let error = RedisStore::connect(&missing).await.expect_err("no socket");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
}

#[tokio::test]
async fn the_connection_is_there_for_commands_of_ones_own() {
    let (store, _, _server) = store().await;
    let key = &*unique("jrs:own");
    one(&store, insert(key, b"v")).await;
    let mut connection = store.connection().await.expect("a connection");
    let value: String = redis::cmd("GET")
        .arg(key)
        .query_async(&mut connection)
        .await
        .expect("redis answers");
    assert_eq!(value, "v");
}

#[cfg(feature = "pool")]
#[tokio::test]
async fn a_pool_that_is_already_there_serves_as_well() {
    let server = RedisServer::start();
    let pool = deadpool_redis::Config::from_url(server.url())
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .expect("a pool");
    let store = RedisStore::from_pool(pool.clone());
    walk(&store).await;
    assert_eq!(pool.status().size, 0, "the one connection was taken out");
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    one(&store, Command::Load { key: "k" }).await;
}

/// R36: the account needs the listed commands, and what it may not is not fatal.
#[tokio::test]
async fn r36_the_least_privileged_account_is_enough() {
    let server = RedisServer::start();
    let mut words = vec![
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">pw",
        "~jrs:*",
        "resetchannels",
        "-@all",
    ];
    words.extend(RedisStore::ACL_RULES.split(' '));
    server.run(&words);
    let url = format!("redis://app:pw@127.0.0.1:{}/", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    walk(&store).await;
    server.run(&["SCRIPT", "FLUSH"]);
    walk(&store).await;

    let mut connection = store.connection().await.expect("a connection");
    for refused in [
        "KEYS *",
        "SCAN 0",
        "CONFIG GET *",
        "FLUSHALL",
        "INFO",
        "SCRIPT FLUSH",
    ] {
        let mut words = refused.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            command.arg(word);
        }
        let answer: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
        assert_eq!(
            answer.expect_err(refused).code(),
            Some("NOPERM"),
            "{refused}"
        );
    }
    let outside = store.run(&[Command::Load { key: "other:k" }]).await;
    assert_eq!(
        outside.expect_err("not ours").kind(),
        StoreErrorKind::Permission
    );
    let outside = store.run(&[put("other:i", "a", 1)]).await;
    assert_eq!(
        outside.expect_err("not ours").kind(),
        StoreErrorKind::Permission
    );
    one(&store, Command::Load { key: "jrs:k" }).await;
}

/// R36, the other way round: nothing in the list is there for nothing.
#[tokio::test]
async fn r36_every_rule_is_needed() {
    let server = RedisServer::start();
    let rules: Vec<&str> = RedisStore::ACL_RULES.split(' ').collect();
    let (key, index) = ("k", "i");
    let everything = [
        vec![Command::Load { key }],
        vec![insert(key, b"v")],
        vec![Command::Expire { key, ttl: TTL }],
        vec![Command::Delete { key }],
        vec![put(index, "a", 1)],
        vec![
            put(index, "a", 1),
            Command::IndexCheck { index, member: "a" },
        ],
        vec![Command::IndexEntries { index }],
        vec![Command::IndexDue {
            index,
            score: 1,
            limit: 1,
        }],
        vec![Command::IndexRemove {
            index,
            members: &["a"],
        }],
    ];
    for (number, missing) in rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| **rule != "+ping")
    {
        let user = format!("app{number}");
        let mut words = vec!["ACL", "SETUSER", &user, "on", ">pw", "~*", "-@all"];
        words.extend(rules.iter().filter(|rule| *rule != missing));
        server.run(&words);
        server.run(&["SCRIPT", "FLUSH"]);
        let url = format!("redis://{user}:pw@127.0.0.1:{}/", server.port());
        let store = RedisStore::connect(&url).await.expect("connect");
        let mut refused = false;
        for batch in &everything {
            refused |= store.run(batch).await.is_err();
        }
        assert!(refused, "{missing} is not needed");
    }
}

#[cfg(feature = "tls")]
mod tls {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use jwt_redis_session::RedisConfig;
    use jwt_redis_session::store::StoreErrorKind;

    use super::walk;
    use crate::support::redis_server::RedisServer;

    const MAKE_CERTIFICATES: &str = "
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
            -subj /CN=test-ca -addext basicConstraints=critical,CA:TRUE &&
        openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost &&
        echo subjectAltName=IP:127.0.0.1 > ext &&
        openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out s.pem \
            -days 2 -extfile ext";

    fn make_certificates(dir: &Path) -> bool {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", MAKE_CERTIFICATES]).current_dir(dir);
        let status = shell.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    #[tokio::test]
    async fn rediss_verifies_the_certificate_and_works() {
        let dir = std::env::temp_dir().join(crate::support::unique("jrs-tls").replace(':', "-"));
        std::fs::create_dir_all(&dir).expect("a directory");
        if !make_certificates(&dir) {
            eprintln!("skipped: no openssl to make certificates with");
            return;
        }
        let file = |name: &str| dir.join(name).display().to_string();
        let tls_port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = tls_port.local_addr().expect("a port").port();
        drop(tls_port);
        let _server = RedisServer::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &file("s.pem"),
            "--tls-key-file",
            &file("s.key"),
            "--tls-ca-cert-file",
            &file("ca.pem"),
            "--tls-auth-clients",
            "optional",
        ]);
        let ca = std::fs::read(file("ca.pem")).expect("the certificate");
        let url = format!("rediss://127.0.0.1:{port}/");
        // Handshakes in a debug build on a busy machine take their time.
        let patience = super::Duration::from_secs(5);
        let patient = RedisConfig::new(&url)
            .deadline(patience)
            .connect_timeout(patience)
            .response_timeout(patience);
        let trusting = patient.clone().root_certificate(ca.clone());
        walk(&trusting.connect().await.expect("connect")).await;

        let with_key = patient.root_certificate(ca.clone()).client_certificate(
            std::fs::read(file("s.pem")).expect("the certificate"),
            std::fs::read(file("s.key")).expect("the key"),
        );
        walk(&with_key.connect().await.expect("connect")).await;

        let error = RedisConfig::new(&url)
            .connect()
            .await
            .expect_err("not trusted");
        assert_eq!(error.kind(), StoreErrorKind::Connection, "{error}");
        assert!(
            error.to_string().contains("tls handshake failed"),
            "{error}"
        );
        let other_name = RedisConfig::new(format!("rediss://localhost:{port}/"));
        let error = other_name
            .root_certificate(ca)
            .connect()
            .await
            .expect_err("another name");
        assert!(
            error.to_string().contains("tls handshake failed"),
            "{error}"
        );
        let plain = RedisConfig::new(url.replace("rediss", "redis")).root_certificate(*b"any");
        let error = plain.lazy().expect_err("certificates without tls");
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        let _ = std::fs::remove_dir_all(&dir);
    }
}
