//! The goals of this project, and whether they are met.

use crate::figures::median;
use crate::row::{Row, Series};

/// Prints a line for each goal whose servers were measured.
pub(crate) fn print(rows: &[Row]) {
    println!("\n### Goals\n\nRatios of CPU time in the same round, the median.\n");
    at_most(rows, 0.9, ["ours", "by-hand"], "read");
    at_most(rows, 0.9, ["ours", "by-hand"], "update");
    at_most(rows, 1.05, ["ours-lazy", "bare"], "none");
    at_most(rows, 1.25, ["ours-cached", "bare"], "read");
    for row in rows.iter().filter(|row| is_other_library_on_axum(row)) {
        // Those that read from memory are compared with the variant that does, too.
        let uses_redis = row.series("read").is_some_and(Series::uses_redis);
        let ours = if uses_redis { "ours" } else { "ours-cached" };
        at_most(rows, 1.0, [ours, row.subject.name()], "read");
    }
}

fn is_other_library_on_axum(row: &Row) -> bool {
    let peer = row.subject.on_axum();
    peer.is_some_and(|peer| !peer.is_ours() && peers::PEERS.contains(&peer))
}

fn at_most(rows: &[Row], limit: f64, [ours, other]: [&str; 2], route: &str) {
    let find = |name| rows.iter().find(|row| row.subject.name() == name);
    let find = |name| find(name).and_then(|row| row.series(route));
    let (Some(one), Some(two)) = (find(ours), find(other)) else {
        return;
    };
    let rounds = one.figures.iter().zip(&two.figures);
    let ratio = median(rounds.map(|(one, two)| one.cost / two.cost).collect());
    let result = if ratio <= limit { "met" } else { "MISSED" };
    let steady = one.steady.instructions.zip(two.steady.instructions);
    let steady = steady.map(|(one, two)| format!("; instructions {:.2}", one / two));
    let steady = steady.unwrap_or_default();
    println!("- {route}: {ours} at most {limit} of {other}: {ratio:.2}, {result}{steady}");
}
