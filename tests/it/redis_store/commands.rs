//! Every method against a real server.

use super::*;

#[tokio::test]
async fn every_method_does_what_the_contract_says() {
    let (store, _, _server) = store().await;
    walk(&store).await;
}

#[tokio::test]
async fn resp3_answers_are_understood() {
    let server = RedisServer::start();
    let url = format!("{}?protocol=resp3", server.url());
    let store = RedisStore::connect(&url).await.expect("connect");
    walk(&store).await;
    walk_compound(&store).await;
}

#[tokio::test]
async fn compound_methods_do_what_the_contract_says() {
    let (store, _, _server) = store().await;
    walk_compound(&store).await;
}

async fn walk_compound(store: &RedisStore) {
    let index = &*unique("jrs:index");
    let keys: Vec<String> = (0..3).map(|_| unique("jrs:k")).collect();
    let [a, b, c] = [&*keys[0], &*keys[1], &*keys[2]];
    let entries = [entry(index, "a", 5), entry(index, "b", 9)];
    let due = Due { by: 5, limit: 9 };
    let inserted = store.insert_indexed(&entries, record(a, b"1"), Some(due));
    let InsertOutcome::Inserted { due: found, .. } = inserted.await.expect("redis answers") else {
        panic!("not inserted");
    };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].member, "a");
    let taken = store.insert_indexed(&entries, record(a, b"2"), None).await;
    assert_eq!(taken, Ok(InsertOutcome::KeyTaken));
    let plain = store.insert_indexed(&[], record(b, b"2"), Some(due)).await;
    assert_eq!(plain, Ok(InsertOutcome::inserted(Vec::new())));
    let _ = store.index_tombstone_all(index, Some("a"), NOW).await;
    let lost = store.insert_indexed(&entries, record(c, b"3"), None).await;
    assert_eq!(lost, Ok(InsertOutcome::EntryLost));

    let many = store.load_many(&[a, "jrs:none", c, b]).await;
    let many = many.expect("redis answers").into_iter();
    let many: Vec<_> = many
        .map(|record| record.map(|record| record.value))
        .collect();
    let values = [Some("1"), None, Some("3"), Some("2")];
    assert_eq!(many, values.map(|value| value.map(Into::into)));
    assert_eq!(store.load_many(&[]).await, Ok(vec![]));

    let loaded = store
        .load_and_set_ttl(a, MINUTES)
        .await
        .expect("redis answers");
    let loaded = loaded.expect("stored");
    assert_eq!(loaded.value, "1");
    assert!(loaded.ttl.is_some_and(|ttl| ttl <= TTL), "the TTL before");
    assert!(value(store, a).await.expect("stored").1 > Some(TTL));
    assert_eq!(store.load_and_set_ttl("jrs:none", TTL).await, Ok(None));

    walk_compound_writes(store, index, [a, b, c]).await;
}

async fn walk_compound_writes(store: &RedisStore, index: &str, [a, b, c]: [&str; 3]) {
    let written = store.compare_and_set_indexed(entry(index, "a", 6), b"1", record(a, b"4"));
    assert_eq!(written.await, Ok(CompareOutcome::Applied));
    assert_eq!(store.index_get(index, "a").await, Ok(Some(active(6))));
    let raised = store
        .set_ttl_indexed(entry(index, "a", 7), a, MINUTES)
        .await;
    assert_eq!(raised, Ok(true));
    assert_eq!(store.index_get(index, "a").await, Ok(Some(active(7))));

    let live = [entry(index, "a", 8), entry(index, "d", 8)];
    put(store, index, "x", 1).await;
    put(store, index, "y", 2).await;
    let refreshed = store.index_refresh(index, &live, &["x", "y"], 1).await;
    assert_eq!(refreshed, Ok(()));
    let expected = [("a", 8), ("b", -NOW), ("d", 8), ("y", 2)];
    assert_eq!(list(store, index, ALL).await, set(expected));
    assert_eq!(store.index_refresh(index, &[], &[], 1).await, Ok(()));

    let keys = [a, b, c, "jrs:none"];
    let deleted = store.delete_indexed(&keys, index, &["a", "b"]).await;
    assert_eq!(deleted, Ok(3));
    assert_eq!(list(store, index, ALL).await, set([("d", 8), ("y", 2)]));
    assert_eq!(store.delete_indexed(&[], index, &["d", "y"]).await, Ok(0));
    assert_eq!(store.delete_indexed(&[], index, &[]).await, Ok(0));
}

#[tokio::test]
async fn a_key_of_another_type_is_left_alone() {
    let (store, url, _server) = store().await;
    let (list, key) = (&*unique("jrs:list"), &*unique("jrs:plain"));
    admin(&url, &["RPUSH", list, "x"]).expect("rpush");
    let kind = |error: Option<jwt_redis_session::store::StoreError>| error.map(|e| e.kind());
    let wrong = Some(StoreErrorKind::WrongType);
    assert_eq!(kind(store.load(list).await.err()), wrong);
    let set = store.compare_and_set(b"x", record(list, b"y")).await;
    assert_eq!(kind(set.err()), wrong);
    let delete = store.compare_and_delete(list, b"x").await;
    assert_eq!(kind(delete.err()), wrong);
    assert_eq!(store.insert(record(list, b"y")).await, Ok(false));
    assert_eq!(store.insert(record(key, b"v")).await, Ok(true));
    assert_eq!(kind(store.load_many(&[key, list]).await.err()), wrong);
    assert_eq!(
        kind(store.index_put(entry(list, "a", 1), KEEP).await.err()),
        wrong
    );
    let length = admin(&url, &["LLEN", list]);
    assert_eq!(length, Ok(redis::Value::Int(1)), "left alone");
}

#[tokio::test]
async fn times_to_live_of_every_size_are_taken() {
    let (store, url, _server) = store().await;
    let key = &*unique("jrs:ttl");
    let tiny = NewRecord::new(key, b"v", Duration::from_nanos(1));
    assert_eq!(store.insert(tiny).await, Ok(true));
    let expired = || async { value(&store, key).await.is_none().then_some(()) };
    crate::support::eventually("expired", expired).await;
    let huge = NewRecord::new(key, b"v", Duration::MAX);
    assert_eq!(store.insert(huge).await, Ok(true));
    assert_eq!(store.set_ttl(key, Duration::MAX).await, Ok(true));
    let set = store.compare_and_set(b"v", huge).await;
    assert_eq!(set, Ok(CompareOutcome::Applied));
    let (_, ttl) = value(&store, key).await.expect("stored");
    assert!(ttl.is_some_and(|ttl| ttl > 1000 * 365 * Duration::from_secs(86_400)));
    admin(&url, &["PERSIST", key]).expect("persist");
    let (_, ttl) = value(&store, key).await.expect("stored");
    assert_eq!(ttl, None, "a record without expiry");
}

#[tokio::test]
async fn the_ttl_of_an_index_is_never_shortened() {
    let (store, url, _server) = store().await;
    let index = &*unique("jrs:index");
    let ttl = || match admin(&url, &["PTTL", index]) {
        Ok(redis::Value::Int(millis)) => millis,
        other => panic!("no ttl: {other:?}"),
    };
    let put = async |ttl, mode| {
        let put = store.index_put(NewEntry::new(index, "a", 1, ttl), mode);
        put.await.expect("redis answers");
    };
    put(MINUTES, KEEP).await;
    assert!(ttl() > 500_000);
    put(TTL, KEEP).await;
    put(TTL, PutMode::Reactivate).await;
    assert!(ttl() > 500_000);
    put(2 * MINUTES, KEEP).await;
    assert!(ttl() > 1_100_000);
    put(Duration::MAX, KEEP).await;
    assert!(ttl() > 1 << 50);
}

#[tokio::test]
async fn a_big_index_gets_all_its_tombstones() {
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
    for _ in 0..2 {
        let all = store.index_tombstone_all(index, Some("member7"), NOW).await;
        assert_eq!(all.map(|all| all.len()), Ok(9_999));
    }
    let left = list(&store, index, due(i64::MAX, usize::MAX)).await;
    assert_eq!(left, set([("member7", 1)]));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(store.index_remove(index, &all, None).await, Ok(()));
    assert_eq!(list(&store, index, ALL).await, set([]));
}

#[tokio::test]
async fn f14_scripts_that_the_server_forgot_are_sent_again() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    for round in 0..3 {
        server.run(&["SCRIPT", "FLUSH"]);
        put(&store, "index", "a", 1).await;
        server.run(&["SCRIPT", "FLUSH"]);
        let key = format!("k{round}");
        let indexed = [entry("index", "b", 1)];
        let inserted = store
            .insert_indexed(&indexed, record(&key, b"v"), None)
            .await;
        assert_eq!(inserted, Ok(InsertOutcome::inserted(Vec::new())));
        put(&store, "index", "a", 1).await;
    }
}
