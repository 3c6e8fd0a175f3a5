//! Measurements that do not count as they are: disturbed, or with requests that failed.

use crate::figures::Figures;
use crate::row::Row;

/// The share of the CPU time of the machine from which a measurement counts as disturbed.
const LIMIT: f64 = 0.05;

/// The largest number of measurements that are named.
const NAMED: usize = 20;

/// Returns a line on all measurements, and one for each that was disturbed or has failures, up to [`NAMED`].
pub(crate) fn report(rows: &[Row], load: &str) -> String {
    let (mut all, mut disturbed, mut lines) = (0, 0, Vec::new());
    let each = rows.iter();
    let each = each.flat_map(|row| row.series.iter().map(move |series| (row, series)));
    for (row, series) in each {
        for (round, figures) in (1..).zip(&series.figures) {
            all += 1;
            disturbed += usize::from(figures.others > LIMIT);
            if let Some(problem) = problem(figures) {
                let (name, route) = (row.subject.name(), series.route.name);
                lines.push(format!("- round {round}, {name}, {route}: {problem}\n"));
            }
        }
    }
    if lines.len() > NAMED {
        let more = lines.split_off(NAMED).len();
        lines.push(format!("- and {more} more\n"));
    }
    let (percent, lines) = (LIMIT * 100.0, lines.concat());
    format!(
        "The load average was {load} before the first round. In {disturbed} of {all} measurements, \
         other programs took more than {percent} % of the CPU time of the machine.\n{lines}"
    )
}

fn problem(figures: &Figures) -> Option<String> {
    let others = (figures.others > LIMIT)
        .then(|| format!("{:.0} % of the CPU time by others", figures.others * 100.0));
    let failed = (figures.failed > 0).then(|| format!("{} requests failed", figures.failed));
    match (others, failed) {
        (Some(others), Some(failed)) => Some(format!("{others}, {failed}")),
        (others, failed) => others.or(failed),
    }
}
