//! The order of the commands in a pipeline.
//!
//! No test of the results can see it, because other callers rarely run in between. So this
//! compares what Redis receives from each compound method with what it receives from its steps.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use jwt_redis_session::testing::Hooked;

use super::*;

/// What a server receives.
struct Monitor(BufReader<TcpStream>);

impl Monitor {
    fn of(server: &RedisServer) -> Self {
        let mut stream = TcpStream::connect(server.address()).expect("connect");
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).expect("a time-out");
        stream.write_all(b"MONITOR\r\n").expect("redis listens");
        let mut monitor = Self(BufReader::new(stream));
        assert_eq!(monitor.line(), "+OK");
        monitor
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("redis goes on");
        line.trim_end().to_owned()
    }

    /// Returns the commands received since the last time.
    fn commands(&mut self, server: &RedisServer) -> Vec<String> {
        server.run(&["ECHO", "end of commands"]);
        let mut commands = Vec::new();
        loop {
            // `+1700000000.000000 [0 127.0.0.1:50000] "GET" "key"`; what a script runs has `lua`.
            let line = self.line();
            let (source, command) = line.split_once("] ").expect("a command");
            match command {
                _ if command.starts_with("\"ECHO\"") => return commands,
                _ if command.starts_with("\"INFO\"") || source.ends_with("lua") => {}
                _ => commands.push(command.to_owned()),
            }
        }
    }
}

/// Calls the compound method of this number; false if there is none.
async fn call(store: &dyn Store, number: usize) -> bool {
    let (keys, index) = (["jrs:a", "jrs:b", "jrs:c"], "jrs:i");
    let entries = [entry(index, "old", 7), entry("jrs:j", "new", 8)];
    let new = record("jrs:d", b"new");
    let due = Some(Due { by: 9, limit: 16 });
    match number {
        0 => assert!(store.load_many(&keys).await.is_ok()),
        1 => assert!(store.load_and_set_ttl("jrs:a", 2 * TTL).await.is_ok()),
        2 => assert!(store.insert_indexed(&entries, new, due).await.is_ok()),
        3 => assert!(store.insert_indexed(&entries, new, None).await.is_ok()),
        4 => assert!(store.insert_indexed(&[], new, due).await.is_ok()),
        5 => {
            let set = store.compare_and_set_indexed(entries[0], b"v", record("jrs:a", b"w"));
            assert_eq!(set.await, Ok(CompareOutcome::Applied));
        }
        6 => {
            let set = store.set_ttl_indexed(entries[0], "jrs:a", 2 * TTL);
            assert_eq!(set.await, Ok(true));
        }
        7 => {
            let deleted = store.delete_indexed(&keys, index, &["a", "b", "c"]);
            assert_eq!(deleted.await, Ok(2));
        }
        8 => {
            let refreshed = store.index_refresh(index, &entries, &["a", "b"], 9);
            refreshed.await.expect("redis answers");
        }
        _ => return false,
    }
    true
}

/// Returns what the server receives from compound method `number`, or `None` if there is none.
async fn received(server: &RedisServer, store: &dyn Store, number: usize) -> Option<Vec<String>> {
    server.run(&["FLUSHALL"]);
    for key in ["jrs:a", "jrs:b"] {
        assert_eq!(store.insert(record(key, b"v")).await, Ok(true));
    }
    let put = store.index_put(entry("jrs:i", "a", 5), KEEP).await;
    assert_eq!(put, Ok(()));
    let mut monitor = Monitor::of(server);
    let exists = call(store, number).await;
    exists.then(|| monitor.commands(server))
}

#[tokio::test]
async fn a_compound_method_sends_the_commands_of_its_steps_in_their_order() {
    let (server, store) = connected().await;
    // Runs the steps of the compound methods one by one.
    let steps = Hooked::new(store.clone(), ());
    let mut number = 0;
    while let Some(pipelined) = received(&server, &store, number).await {
        let one_by_one = received(&server, &steps, number).await.expect("as before");
        assert!(one_by_one.len() >= 2 || number == 4, "{one_by_one:?}");
        assert_eq!(pipelined, one_by_one, "method {number}");
        number += 1;
    }
    assert_eq!(number, 9);
}
