//! What a request costs the service, compared with a bare axum route in the same run.
//!
//! `cargo bench -p jwt-redis-session-server --bench load` starts a Redis, `sessiond` and a bare
//! axum server as separate processes, and sends them requests over the same number of
//! connections, in interleaved rounds. It prints the medians: requests per second, the CPU
//! microseconds that the server took for a request, and their ratio to those of the bare route in
//! the same round, with its targets and whether they are met. Other arguments select the rows whose
//! names begin with one of them: `-- "bucket GET" RPC`. Without `--bench` (as `cargo test --benches`
//! runs it) a round is short: it shows that it works.

mod process;
mod workload;

use std::time::Duration;

use mimalloc::MiMalloc;
use test_support::http_load;
use test_support::program::Program;
use test_support::redis_server::RedisServer;
use workload::Workload;

/// That of `sessiond`, so that the servers differ in nothing else.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The number of concurrent connections.
const CONNECTIONS: usize = 32;

/// The largest ratios to the bare route.
const TARGETS: [(&str, f64); 4] = [
    ("bucket GET", 2.0),
    ("bucket POST", 2.8),
    ("RPC get", 2.2),
    ("bucket GET (cache)", 1.5),
];

fn main() {
    let has = |argument| std::env::args().any(|given| given == argument);
    if has(process::BARE) {
        return process::serve_bare();
    }
    if has(process::ONE_RUNTIME) {
        return process::serve_one_runtime();
    }
    let (rounds, span) = if has("--bench") {
        (9, Duration::from_millis(600))
    } else {
        (1, Duration::from_millis(200))
    };
    measure(rounds, span);
}

/// Returns whether the arguments select the row `name`, or no row at all.
fn is_selected(name: &str) -> bool {
    let rows = std::env::args().skip(1);
    let mut rows = rows
        .filter(|argument| !argument.starts_with("--"))
        .peekable();
    rows.peek().is_none() || rows.any(|row| name.starts_with(&row))
}

#[tokio::main(flavor = "current_thread")]
async fn measure(rounds: usize, span: Duration) {
    let server = RedisServer::start();
    let url = server.url();
    let redis = ("STORE__REDIS", url.as_str());
    let cache = ("STORE__CACHE_MAX_STALENESS", "250ms");
    let no_log = ("LOG__ACCESS", "false");
    let (all, gets, buckets) = (&[""][..], &["bucket GET", "RPC get"][..], &["bucket"][..]);
    let services = [
        (process::sessiond(&[redis]), "", all),
        (process::sessiond(&[redis, cache]), " (cache)", gets),
        (process::sessiond(&[]), " (memory)", all),
        (process::sessiond(&[redis, no_log]), " (no log)", buckets),
        (
            process::one_runtime(&[redis, no_log]),
            " (one runtime)",
            buckets,
        ),
    ];
    let mut rows = Vec::new();
    for (program, note, kinds) in &services {
        for workload in Workload::of_sessiond(program.address(), note).await {
            let is_measured = kinds.iter().any(|kind| workload.name.starts_with(kind));
            if is_measured && is_selected(&workload.name) {
                rows.push((program, workload, Vec::new()));
            }
        }
    }
    let (bare, baseline) = (process::bare(), Workload::bare());
    let mut all = Vec::new();
    for _ in 0..rounds {
        for (program, workload, figures) in &mut rows {
            // Beside each other, because the speed of the machine changes.
            let base = Figures::of(&bare, &baseline, span, None).await;
            figures.push(Figures::of(program, workload, span, Some(base.cost)).await);
            all.push(base);
        }
    }
    println!("{:<26} requests/s   CPU us    ratio", "");
    print(&baseline.name, &all);
    for (_, workload, figures) in &rows {
        print(&workload.name, figures);
    }
}

/// What one round of a workload has shown.
struct Figures {
    /// Requests per second.
    rate: f64,
    /// CPU time of a request, in microseconds.
    cost: f64,
    /// `cost` in relation to that of the bare route.
    ratio: f64,
}

impl Figures {
    async fn of(program: &Program, workload: &Workload, span: Duration, bare: Option<f64>) -> Self {
        let (before, address) = (program.cpu_time(), program.address());
        let sent = http_load::run(address, &workload.requests, CONNECTIONS, span).await;
        assert_eq!(sent.failed, 0, "{}", workload.name);
        let requests = sent.requests as f64;
        let cost = (program.cpu_time() - before).as_secs_f64() / requests * 1e6;
        Self {
            rate: requests / sent.took.as_secs_f64(),
            cost,
            ratio: cost / bare.unwrap_or(cost),
        }
    }
}

fn print(name: &str, figures: &[Figures]) {
    let rate = median(&sorted(figures.iter().map(|it| it.rate)));
    let cost = median(&sorted(figures.iter().map(|it| it.cost)));
    let ratios = sorted(figures.iter().map(|it| it.ratio));
    let (low, ratio, high) = (ratios[0], median(&ratios), ratios[ratios.len() - 1]);
    let target = TARGETS.iter().find(|(row, _)| *row == name);
    let target = target.map_or_else(String::new, |(_, most)| {
        let verdict = if ratio <= *most { "PASS" } else { "MISS" };
        format!(", target {most:.1}: {verdict}")
    });
    println!("{name:<26} {rate:>10.0} {cost:>8.1} {ratio:>8.2} ({low:.2} to {high:.2}){target}");
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
