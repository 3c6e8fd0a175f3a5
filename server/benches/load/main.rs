//! What a request costs the service, beside a bare axum route in the same run.
//!
//! `cargo bench -p jwt-redis-session-server --bench load` starts a Redis, `sessiond` and a bare
//! axum server, each a process of its own, and sends them the same number of requests over the
//! same number of connections, in interleaved rounds. It prints the medians: requests a second,
//! and the CPU seconds that the server took for 100,000 requests, which is the steadier figure.
//! Without `--bench` (as `cargo test --benches` runs it) a round is short: it shows that it works.

mod bare;
mod client;
mod process;
mod report;
mod workload;

use std::time::Duration;

use process::Process;
use report::{Report, Round};
use test_support::redis_server::RedisServer;
use workload::Workload;

/// How many connections send requests at once.
const CONNECTIONS: usize = 32;

fn main() {
    if std::env::args().any(|argument| argument == bare::ARGUMENT) {
        return bare::run();
    }
    let thorough = std::env::args().any(|argument| argument == "--bench");
    let (rounds, span) = if thorough {
        (5, Duration::from_secs(2))
    } else {
        (1, Duration::from_millis(200))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let report = runtime.expect("a runtime").block_on(measure(rounds, span));
    report.print();
}

async fn measure(rounds: usize, span: Duration) -> Report {
    let redis = RedisServer::start();
    let bare = Process::bare();
    let sessiond = Process::sessiond(&redis.url());
    let memory = Process::sessiond_in_memory();
    let mut workloads = vec![Workload::bare(bare.address())];
    workloads.extend(Workload::doors("", sessiond.address()).await);
    workloads.extend(Workload::doors(" (memory)", memory.address()).await);
    let mut report = Report::default();
    for _ in 0..rounds {
        for workload in &workloads {
            let process = [&bare, &sessiond, &memory]
                .into_iter()
                .find(|process| process.address() == workload.address());
            let process = process.expect("each workload has its process");
            let before = process.cpu();
            let sent = workload.run(CONNECTIONS, span).await;
            let round = Round {
                requests: sent.requests,
                took: sent.took,
                cpu: process.cpu() - before,
            };
            report.add(workload.name(), round);
        }
    }
    report
}
