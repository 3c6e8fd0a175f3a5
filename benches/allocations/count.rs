//! Counts what requests to a router cost: allocations, and commands sent to Redis.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

use allocation_counter::measure;
use axum::Router;
use http::StatusCode;
use jwt_redis_session::Token;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::support::request;

const WARM_UP: u32 = 20;
const COUNTED: u32 = 200;
const MONITORED: u32 = 16;
const END: &str = "end of the count";

/// Returns the mean number of allocations of a request, the request itself included.
pub(crate) fn allocations(runtime: &Runtime, router: &Router, path: &str, token: &Token) -> f64 {
    runtime.block_on(send(router, path, token, WARM_UP));
    let counted = measure(|| runtime.block_on(send(router, path, token, COUNTED)));
    counted.count_total as f64 / f64::from(COUNTED)
}

/// Returns the names of the commands with the number of each per request.
///
/// `INFO commandstats` would also count what scripts run inside the server. `MONITOR` shows which
/// commands came from a client.
pub(crate) fn commands(
    redis: SocketAddr,
    runtime: &Runtime,
    router: &Router,
    path: &str,
    token: &Token,
) -> String {
    let mut monitor = TcpStream::connect(redis).unwrap();
    monitor.write_all(b"MONITOR\r\n").unwrap();
    let mut lines = BufReader::new(monitor).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("+OK"));
    runtime.block_on(send(router, path, token, MONITORED));
    let mut end = TcpStream::connect(redis).unwrap();
    write!(end, "ECHO \"{END}\"\r\n").unwrap();
    let mut counts = BTreeMap::new();
    for line in lines.take_while(|line| !line.contains(END)) {
        if let Some(command) = sent(&line) {
            *counts.entry(command).or_insert(0) += 1;
        }
    }
    let counts = counts.into_iter().map(|(command, count)| {
        let each = f64::from(count) / f64::from(MONITORED);
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

/// Sends `times` requests, one after the other.
async fn send(router: &Router, path: &str, token: &Token, times: u32) {
    for _ in 0..times {
        let request = request(path, Some(token));
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}
