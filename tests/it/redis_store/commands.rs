//! Every command against a real server.

use super::*;

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
