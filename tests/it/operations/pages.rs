//! Pages of an owner's sessions.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use jwt_redis_session::SessionEntry;
use jwt_redis_session::session::{ListCursor, ListSessions};

use super::*;

on_every_store!(
    pages_make_up_the_list,
    a_session_that_is_used_between_pages_is_listed,
    a_page_continues_where_a_session_has_ended,
    ended_sessions_are_on_no_page,
    sessions_of_others_are_on_no_page,
    a_stream_reads_every_page,
);

/// Creates sessions of `jo`, two per second, and returns their ids.
async fn create_many(sessions: &Sessions, clock: &ManualClock, count: usize) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(id(&created(sessions, Some("jo")).await.0));
        clock.advance(Duration::from_secs(number as u64 % 2));
    }
    ids
}

fn with_clock(store: impl Store) -> (Sessions, ManualClock) {
    let clock = ManualClock::at(1_700_000_000);
    let sessions = builder(store).clock(clock.clone()).build().unwrap();
    (sessions, clock)
}

/// Reads all pages behind `after`.
async fn walk(list: &ListSessions, mut after: Option<ListCursor>, limit: usize) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for _ in 0..1_000 {
        let page = list.page(after.as_ref(), limit).await.unwrap();
        assert!(page.entries.len() <= limit);
        assert!(page.entries.iter().all(|entry| entry.data().is_none()));
        ids.extend(page.entries.iter().map(|entry| entry.id().clone()));
        // As text, because a client may keep it.
        let Some(next) = page.next else { return ids };
        after = Some(next.to_string().parse().unwrap());
    }
    panic!("the pages never end");
}

async fn pages_make_up_the_list(store: impl Store + Clone) {
    let (sessions, clock) = with_clock(store);
    let none = sessions.list("jo").page(None, 10).await.unwrap();
    assert!(none.entries.is_empty() && none.next.is_none());
    let ids = create_many(&sessions, &clock, 40).await;
    let oldest_first = sessions.list("jo");
    let newest_first = sessions.list("jo").newest_first();
    let ordered = walk(&oldest_first, None, 100).await;
    for limit in [1, 7, 39, 40, 41] {
        assert_eq!(walk(&oldest_first, None, limit).await, ordered, "{limit}");
        let mut reversed = walk(&newest_first, None, limit).await;
        reversed.reverse();
        assert_eq!(reversed, ordered, "{limit}");
    }
    // Those of one second are in any order.
    for (found, created) in ordered.chunks(2).zip(ids.chunks(2)) {
        assert_eq!(BTreeSet::from_iter(found), BTreeSet::from_iter(created));
    }
    let page = oldest_first.with_data().page(None, 3).await.unwrap();
    for entry in &page.entries {
        assert_eq!(entry.data().unwrap().get("a"), Ok(Some(1)));
        assert!(entry.created_at().is_some() && entry.expires_at().is_some());
    }
}

async fn a_session_that_is_used_between_pages_is_listed(store: impl Store + Clone) {
    let (sessions, clock) = with_clock(store);
    let ids = create_many(&sessions, &clock, 30).await;
    let list = sessions.list("jo");
    let page = list.page(None, 10).await.unwrap();
    for used in [&ids[1], &ids[15], &ids[29]] {
        let session = sessions.get_without_touch(used).await.unwrap();
        session.touch().await.unwrap();
    }
    let mut found: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.id().clone())
        .collect();
    found.extend(walk(&list, page.next, 10).await);
    assert_eq!(BTreeSet::from_iter(&found), BTreeSet::from_iter(&ids));
    assert_eq!(found.len(), 31, "the second one is listed twice");
}

async fn a_page_continues_where_a_session_has_ended(store: impl Store + Clone) {
    for newest_first in [false, true] {
        // All in one second: only the ids differ.
        let (sessions, _) = with_clock(store.clone());
        for _ in 0..40 {
            created(&sessions, Some("jo")).await;
        }
        let list = match newest_first {
            false => sessions.list("jo"),
            true => sessions.list("jo").newest_first(),
        };
        let ordered = walk(&list, None, 100).await;
        let page = list.page(None, 20).await.unwrap();
        for ended in [0, 5, 18, 19, 20, 21, 39] {
            assert_eq!(sessions.destroy(&ordered[ended]).await, Ok(true));
        }
        let rest = walk(&list, page.next, 4).await;
        assert_eq!(rest, ordered[22..39], "{newest_first}");
        assert_eq!(sessions.destroy_all("jo").await, Ok(33));
    }
}

async fn ended_sessions_are_on_no_page(store: impl Store + Clone) {
    let (sessions, clock) = with_clock(store.clone());
    let ids = create_many(&sessions, &clock, 40).await;
    let ordered = walk(&sessions.list("jo"), None, 100).await;
    for id in &ordered[..25] {
        // As if their time to live had ended: the index is not changed.
        let key = format!("sess:{}", id.as_str());
        assert_eq!(store.delete(&key).await, Ok(true));
    }
    assert_eq!(entries(&store, INDEX).await.len(), ids.len());
    let page = sessions.list("jo").page(None, 10).await.unwrap();
    let found: Vec<_> = page.entries.iter().map(|entry| entry.id()).collect();
    assert_eq!(found, Vec::from_iter(&ordered[25..35]), "a full page");
    let rest = walk(&sessions.list("jo"), page.next, 10).await;
    assert_eq!(rest, ordered[35..]);
}

async fn sessions_of_others_are_on_no_page(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions, Some("jo")).await;
    created(&sessions, Some("al")).await;
    session.set_owner("al").unwrap();
    session.update().await.unwrap();
    for (owner, count) in [("jo", 0), ("al", 2), ("sam", 0)] {
        let page = sessions.list(owner).page(None, 10).await.unwrap();
        assert_eq!(page.entries.len(), count, "{owner}");
    }
    let own = session.list().newest_first().page(None, 10).await.unwrap();
    assert_eq!(own.entries.len(), 2);
    let invalid = sessions.list("").page(None, 10).await;
    assert_eq!(invalid.err(), Some(SessionError::InvalidOwner));
}

async fn a_stream_reads_every_page(store: impl Store + Clone) {
    let (sessions, clock) = with_clock(store);
    create_many(&sessions, &clock, 300).await;
    created(&sessions, Some("al")).await;
    assert_eq!(sessions.count("jo").await, Ok(300));
    for newest_first in [false, true] {
        let list = match newest_first {
            false => sessions.list("jo").with_data(),
            true => sessions.list("jo").with_data().newest_first(),
        };
        let found: Vec<_> = list.clone().stream().try_collect().await.unwrap();
        let found = found.iter().map(|entry: &SessionEntry| {
            assert_eq!(entry.data().unwrap().get("a"), Ok(Some(1)));
            entry.id().clone()
        });
        let ids = match newest_first {
            false => walk(&sessions.list("jo"), None, 100).await,
            true => walk(&sessions.list("jo").newest_first(), None, 100).await,
        };
        assert_eq!(found.collect::<Vec<_>>(), ids);
    }
    assert!(sessions.list("sam").stream().next().await.is_none());
    assert_eq!(sessions.count("sam").await, Ok(0));
    assert_eq!(sessions.count("").await, Err(SessionError::InvalidOwner));
    let mut invalid = sessions.list("").stream();
    let first = invalid.next().await.map(|entry| entry.unwrap_err());
    assert_eq!(first, Some(SessionError::InvalidOwner));
    assert!(invalid.next().await.is_none(), "it ends after an error");
}

#[tokio::test]
async fn a_stream_reads_a_page_when_it_is_polled() {
    let store = Counting::new(MemoryStore::new());
    let sessions = sessions(store.clone());
    for _ in 0..300 {
        created(&sessions, Some("jo")).await;
    }
    let before = store.calls();
    let mut stream = sessions.list("jo").stream();
    assert_eq!(store.calls(), before);
    for entry in 0..300_usize {
        assert!(stream.next().await.unwrap().is_ok());
        // One call for the entries of a page, and one for each 16 records.
        let (pages, records) = (entry / 128 + 1, (entry / 128 + 1) * 128);
        assert_eq!(
            store.calls() - before,
            pages + records.min(300).div_ceil(16)
        );
    }
    assert!(stream.next().await.is_none());
}

/// 50,000 sessions of one owner: a page reads only its own part.
#[tokio::test]
async fn a_page_of_a_long_list_is_read_alone() {
    let store = MemoryStore::new();
    let count = 50_000;
    for number in 0..count {
        let member = format!("{number:022}");
        let entry = NewEntry::new(INDEX, &member, number + 1, Duration::from_secs(600));
        store
            .index_put(entry, PutMode::KeepTombstone)
            .await
            .unwrap();
        let key = format!("sess:{member}");
        let record = NewRecord::new(
            &key,
            br#"{"_jrs":[1,"jo"],"a":1}"#,
            Duration::from_secs(600),
        );
        store.insert(record).await.unwrap();
    }
    let counting = Counting::new(store);
    let clock = ManualClock::at(0);
    let sessions = builder(counting.clone()).clock(clock).build().unwrap();
    let page = sessions.list("jo").page(None, 100).await.unwrap();
    assert_eq!(page.entries.len(), 100);
    assert_eq!(page.entries[99].id().as_str(), format!("{:022}", 99));
    assert_eq!(counting.calls(), 1 + 100_usize.div_ceil(16));
    let page = sessions
        .list("jo")
        .newest_first()
        .page(None, 100)
        .await
        .unwrap();
    assert_eq!(page.entries[0].id().as_str(), format!("{:022}", count - 1));
}

#[tokio::test]
async fn a_page_fails_with_the_store() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    created(&sessions, Some("jo")).await;
    for step in [Step::IndexList, Step::Load] {
        faults.on(step).fail_next(StoreErrorKind::Connection, 1);
        let page = sessions.list("jo").page(None, 10).await;
        assert_unavailable(page, StoreErrorKind::Connection);
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_page_of_a_long_list_is_fast_on_redis() {
    const FILL: &str = "for i = 1, 50000 do
      local id = string.format('%022d', i)
      redis.call('ZADD', KEYS[1], 4000000000 + i, id)
      redis.call('SET', 'sess:' .. id, '{\"_jrs\":[1,\"jo\"],\"a\":1}', 'EX', 600)
    end";
    let server = crate::support::redis_server::RedisServer::start();
    server.run(&["EVAL", FILL, "1", INDEX]);
    let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
    let sessions = sessions(store.expect("connect"));
    let list = sessions.list("jo");
    let mut times = Vec::new();
    let mut after = None;
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let page = list.page(after.as_ref(), 100).await.unwrap();
        times.push(start.elapsed());
        assert_eq!(page.entries.len(), 100);
        after = page.next;
    }
    println!("pages of 100 of 50,000 sessions: {times:?}");
    let start = std::time::Instant::now();
    assert_eq!(sessions.destroy_all("jo").await, Ok(50_000));
    println!("destroy_all of 50,000 sessions: {:?}", start.elapsed());
    assert_eq!(server.run(&["DBSIZE"]), redis::Value::Int(0));
    // About 5 ms; all 50,000 take more than a second.
    let fastest = times.into_iter().min().unwrap();
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
}
