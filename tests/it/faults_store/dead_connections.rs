//! Connections that died while no call used them.

use StoreErrorKind::{Connection, Timeout};

use super::*;

/// A write is sent over a new connection only if it was not written to the old one, which was
/// closed a while ago. Right after the close it may have been; a read is sent again even then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_sent_over_a_new_connection_if_the_old_one_was_closed() {
    let server = RedisServer::start();
    let stores = [
        connected(&server.url()).await,
        #[cfg(feature = "pool")]
        RedisStore::from_pool(pool(&server)),
    ];
    for store in stores {
        for pause in [50, 0, 200, 950, 20, 1200] {
            write(&store).await.expect("redis answers");
            server.run(&KILL_CLIENTS);
            read(&store).await.expect("sent again");
            server.run(&KILL_CLIENTS);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let deleted = delete(&store).await;
            match pause {
                0 => assert!(matches!(kind(deleted), None | Some(Connection))),
                _ => assert_eq!(deleted, Ok(true), "{pause} ms after the kill"),
            }
            let _ = delete(&store).await;
        }
    }
}

/// The request reaches Redis, and the connection breaks before its reply arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_reply_is_lost_is_sent_only_once() {
    let (server, proxy, store) = behind_proxy().await;
    write(&store).await.expect("redis answers");
    let (value, new) = (MARKER.as_bytes(), NewRecord::new("new", b"{}", TTL));
    let other = NewRecord::new("k", b"{}", TTL);
    for command in ["set", "eval", "del"] {
        server.run(&["CONFIG", "RESETSTAT"]);
        // The reply of the open connection is cut, but not the first one of a new connection: the
        // store could send the call again.
        proxy.cut_replies_after(Some("+PONG\r\n".len()));
        let kind = match command {
            "set" => kind(timed(store.insert(new)).await),
            "eval" => kind(timed(store.compare_and_set(value, other)).await),
            _ => kind(delete(&store).await),
        };
        assert_eq!(kind, Some(Connection), "{command}");
        proxy.cut_replies_after(None);
        back(&store, command).await;
        let calls = text(&server, &["INFO", "commandstats"]);
        let once = format!("cmdstat_{command}:calls=1,");
        assert!(calls.contains(&once), "{command}: {calls}");
    }
}

/// The thread was busy, so the task of the connection has not seen the close yet.
#[tokio::test]
async fn a_write_on_one_thread_uses_no_closed_connection() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    for pause in [2, 20, 300] {
        assert_eq!(write(&store).await, Ok(true));
        server.run(&KILL_CLIENTS);
        std::thread::sleep(Duration::from_millis(pause));
        assert_eq!(delete(&store).await, Ok(true), "{pause} ms after the kill");
    }
}

#[test]
fn a_store_outlives_the_runtime_that_connected_it() {
    let server = RedisServer::start();
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    for pause in [0, 200, 900, 1200] {
        let store = runtime().block_on(connected(&server.url()));
        std::thread::sleep(Duration::from_millis(pause));
        let written = runtime().block_on(write(&store));
        assert_eq!(written, Ok(true), "{pause} ms later");
        runtime().block_on(read(&store)).expect("sent again");
        assert_eq!(runtime().block_on(delete(&store)), Ok(true));
    }
}

/// A network that forgot the connection: nothing arrives any more, and no error either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_on_a_silent_idle_connection_gets_a_new_one_in_time() {
    let (_server, proxy, store) = behind_proxy().await;
    for (idle, writes) in [(1100, true), (3000, true), (1100, false)] {
        let _ = write(&store).await;
        tokio::time::sleep(Duration::from_millis(idle)).await;
        proxy.freeze_open();
        let start = Instant::now();
        match writes {
            true => assert_eq!(delete(&store).await, Ok(true), "after {idle} ms"),
            false => assert!(read(&store).await.is_ok()),
        }
        let took = start.elapsed();
        assert!(took < Duration::from_millis(900), "{took:?}");
        read(&store).await.expect("the new one is in use");
    }
}

/// The peer stops answering between two calls. The first writes fail, because they may have
/// arrived; the next one does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_falls_silent_is_replaced_by_one_other() {
    let (_server, proxy, store) = behind_proxy().await;
    assert_eq!(write(&store).await, Ok(true));
    proxy.freeze_open();
    let calls = (0..8).map(|_| delete(&store));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(kind(result), Some(Timeout));
    }
    assert_eq!(delete(&store).await, Ok(true));
    assert_eq!(proxy.accepted(), 2);
}

/// A server that is slow for a moment is not dead: the old connection wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_answer_on_an_idle_connection_is_still_taken() {
    let server = RedisServer::start();
    let store = connected(&server.url()).await;
    assert_eq!(write(&store).await, Ok(true));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.pause();
    let (result, ()) = tokio::join!(read(&store), async {
        tokio::time::sleep(Duration::from_millis(350)).await;
        server.resume();
    });
    assert!(result.expect("in time").is_some());
}
