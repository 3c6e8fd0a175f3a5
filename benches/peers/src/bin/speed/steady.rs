//! Figures that do not change from run to run: heap allocations and instructions of a request, in
//! one process and one thread, with the client of Redis and without HTTP.

use std::path::Path;
use std::process::Command;

use peers::Peer;
use peers::route::{ROUTES, Route};
use test_support::program::run;

use crate::build;
use crate::row::Row;

/// Numbers of requests. The start of the program is in the counts of both.
const FEW: u32 = 100;
const MANY: u32 = 400;

/// The figures of one route of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steady {
    pub(crate) allocations: Option<f64>,
    /// In user space; none without valgrind.
    pub(crate) instructions: Option<f64>,
}

/// Measures the servers on axum.
pub(crate) fn measure(rows: &mut [Row], redis_url: &str) {
    let counter = build::in_process();
    let has_valgrind = Command::new("valgrind").arg("--version").output().is_ok();
    if !has_valgrind {
        eprintln!("instructions are not counted; install valgrind: apt-get install valgrind");
    }
    for row in rows {
        let Some(peer) = row.subject.on_axum() else {
            continue;
        };
        eprintln!("counting {}", row.subject.name());
        let allocations = allocations(&counter, peer, redis_url);
        for (series, allocations) in row.series.iter_mut().zip(allocations) {
            let instructions = || instructions(peer, series.route, redis_url);
            series.steady = Steady {
                instructions: has_valgrind.then(instructions),
                allocations: Some(allocations),
            };
        }
    }
}

/// Returns the allocations of a request to each of [`ROUTES`].
fn allocations(counter: &Path, peer: Peer, redis_url: &str) -> Vec<f64> {
    let mut counter = Command::new(counter);
    let output = output(counter.arg(peer.program()), peer, redis_url).0;
    let counts = output.lines().map(|count| count.parse().expect("a number"));
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts.len(), ROUTES.len());
    counts
}

fn instructions(peer: Peer, route: Route, redis_url: &str) -> f64 {
    let [few, many] = [FEW, MANY].map(|count| instructions_of(peer, route, count, redis_url));
    (many - few) / f64::from(MANY - FEW)
}

/// Returns the instructions of a process that sends `count` requests.
fn instructions_of(peer: Peer, route: Route, count: u32, redis_url: &str) -> f64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(std::env::current_exe().expect("this program"));
    valgrind.args(["requests", peer.program(), route.name, &count.to_string()]);
    let errors = output(&mut valgrind, peer, redis_url).1;
    let (_, collected) = errors.rsplit_once("Collected : ").expect("a count");
    let count = collected.lines().next().unwrap_or_default();
    count.trim().parse().expect("a number")
}

/// Runs a command with the settings of a server; returns its standard output and standard error.
fn output(command: &mut Command, peer: Peer, redis_url: &str) -> (String, String) {
    command.env("REDIS_URL", redis_url);
    let (code, output, errors) = run(command.env("VARIANT", peer.variant));
    assert_eq!(code, 0, "{errors}");
    (output, errors)
}
