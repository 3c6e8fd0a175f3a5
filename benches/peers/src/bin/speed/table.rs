//! The output in Markdown.

use std::fmt::Write as _;

use peers::route::ROUTES;

use crate::row::{Row, Series};

const HEAD: &str = "\
| server | CPU µs | × bare (spread) | requests/s | Redis commands | instructions | allocations |
|---|--:|--:|--:|---|--:|--:|";

/// Returns a table of the servers, with the versions of their packages.
pub(crate) fn servers(rows: &[Row]) -> String {
    let mut text = "| server | versions | runtime |\n|---|---|---|\n".to_owned();
    for Row { subject, .. } in rows {
        let (name, versions, runtime) = (subject.name(), subject.versions(), subject.runtime());
        let _ = writeln!(text, "| {name} | {versions} | {runtime} |");
    }
    text
}

/// Returns a table for each route.
pub(crate) fn routes(rows: &[Row]) -> String {
    let mut text = String::new();
    for route in ROUTES {
        let _ = writeln!(text, "\n### {}\n\n{HEAD}", route.title);
        for row in rows {
            if let Some(series) = row.series(route.name) {
                text += &line(row.subject.name(), series);
            }
        }
    }
    text
}

fn line(name: &str, series: &Series) -> String {
    let (low, high) = series.spread();
    let number = |number: Option<f64>| number.map_or_else(String::new, |it| format!("{it:.0}"));
    format!(
        "| {name} | {:.1} | {:.2} ({low:.2} to {high:.2}) | {:.0} | {} | {} | {} |\n",
        series.median(|figures| figures.cost),
        series.median(|figures| figures.ratio),
        series.median(|figures| figures.rate),
        series.commands,
        number(series.steady.instructions),
        number(series.steady.allocations),
    )
}
