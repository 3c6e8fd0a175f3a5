//! Counts the commands that a request sends to Redis.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use axum::Router;
use jwt_redis_session::Token;
use tokio::runtime::Runtime;

use crate::count::{Route, send};
use test_support::redis_server::RedisServer;

const REQUESTS: u32 = 16;
const END: &str = "end of the count";

/// Returns the names of the commands with the number of each per request.
///
/// `INFO commandstats` would also count what scripts run inside the server; `MONITOR` says which
/// commands came from a client.
pub(crate) fn commands(
    redis: &RedisServer,
    runtime: &Runtime,
    router: &Router,
    route: Route,
    token: &Token,
) -> String {
    let mut monitor = TcpStream::connect(redis.address()).unwrap();
    monitor.write_all(b"MONITOR\r\n").unwrap();
    let mut lines = BufReader::new(monitor).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("+OK"));
    runtime.block_on(send(router, route, token, REQUESTS));
    let mut end = TcpStream::connect(redis.address()).unwrap();
    write!(end, "ECHO \"{END}\"\r\n").unwrap();
    let mut counts = BTreeMap::new();
    for line in lines.take_while(|line| !line.contains(END)) {
        if let Some(command) = sent(&line) {
            *counts.entry(command).or_insert(0) += 1;
        }
    }
    let counts = counts.into_iter().map(|(command, count)| {
        let each = f64::from(count) / f64::from(REQUESTS);
        format!("{command} {each}")
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Returns the name of the command in a line like `+1700000000.5 [0 127.0.0.1:4000] "GET" "key"`,
/// unless a script ran it.
fn sent(line: &str) -> Option<String> {
    let (source, command) = line.split_once("] \"")?;
    let name = command.split('"').next()?;
    (!source.ends_with(" lua")).then(|| name.to_uppercase())
}
