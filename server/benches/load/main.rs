//! What a request costs the service, compared with a bare axum route in the same run.
//!
//! `cargo bench -p jwt-redis-session-server --bench load` starts a Redis, `sessiond` and a bare
//! axum server as separate processes, and sends them requests over the same number of
//! connections, in interleaved rounds. It prints the medians: requests per second, and the CPU
//! seconds that the server took for 100,000 requests, which is the steadier figure. Without
//! `--bench` (as `cargo test --benches` runs it) a round is short: it shows that it works.

mod client;
mod process;
mod workload;

use std::time::Duration;

use process::cpu;
use test_support::redis_server::RedisServer;
use workload::Workload;

/// The number of concurrent connections.
const CONNECTIONS: usize = 32;

fn main() {
    let has = |argument| std::env::args().any(|given| given == argument);
    if has(process::BARE) {
        return process::serve_bare();
    }
    let (rounds, span) = if has("--bench") {
        (5, Duration::from_secs(2))
    } else {
        (1, Duration::from_millis(200))
    };
    measure(rounds, span);
}

#[tokio::main(flavor = "current_thread")]
async fn measure(rounds: usize, span: Duration) {
    let redis = RedisServer::start();
    let programs = [
        process::bare(),
        process::sessiond(Some(&redis.url())),
        process::sessiond(None),
    ];
    let mut rows = vec![(&programs[0], Workload::bare())];
    for (program, note) in [(&programs[1], ""), (&programs[2], " (memory)")] {
        let workloads = Workload::of_sessiond(program.address(), note).await;
        rows.extend(workloads.into_iter().map(|workload| (program, workload)));
    }
    let mut measured = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for ((program, workload), figures) in rows.iter().zip(&mut measured) {
            let before = cpu(program);
            let (requests, took) = workload.run(program.address(), CONNECTIONS, span).await;
            let requests = requests as f64;
            let cost = (cpu(program) - before).as_secs_f64() / requests * 100_000.0;
            figures.push((requests / took.as_secs_f64(), cost));
        }
    }
    println!("{:<24} requests/s   CPU s per 100k    ratio", "");
    let bare = median(&measured[0], |(_, cost)| *cost);
    for ((_, workload), figures) in rows.iter().zip(&measured) {
        let (rate, cost) = (median(figures, |it| it.0), median(figures, |it| it.1));
        let (name, ratio) = (&workload.name, cost / bare);
        println!("{name:<24} {rate:>10.0} {cost:>16.2} {ratio:>8.2}");
    }
}

fn median(figures: &[(f64, f64)], figure: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let mut figures: Vec<_> = figures.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
