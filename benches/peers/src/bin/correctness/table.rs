//! Tables in Markdown.

use peers::Peer;

use crate::finding::{Finding, Promise};

/// A library, and what was found.
pub(crate) struct Column {
    pub peer: Peer,
    pub findings: Vec<Finding>,
}

const PROMISES: [(Promise, &str); 9] = [
    (Promise::KeepsWrites, "acknowledged writes lost"),
    (
        Promise::KeepsAdditions,
        "acknowledged additions lost: both requests write the same field",
    ),
    (
        Promise::EndsSessions,
        "logouts and new ids undone: a token works that must not",
    ),
    (Promise::RotatesOnce, "two winners of a rotation"),
    (
        Promise::AnswersInOutage,
        "in an outage: requests that hang, or are answered 200 for what was not stored",
    ),
    (
        Promise::ServesInOutage,
        "in an outage, or while Redis stops for 1.5 s: reads and writes of a live session not answered 200",
    ),
    (
        Promise::KeepsLogins,
        "in an outage: reads of a live session answered 401",
    ),
    (
        Promise::KeepsSessions,
        "sessions lost: requests meet, Redis refuses a write, or a client disconnects",
    ),
    (
        Promise::KeepsRecords,
        "sessions lost in an outage, or damaged records overwritten",
    ),
];

/// Returns a table with a row per finding and a column per configuration.
pub(crate) fn full(columns: &[Column]) -> String {
    let head = columns.iter().map(|column| column.peer.name.to_owned());
    let mut table = vec![row("case", head), rule(columns.len())];
    let rows = columns.first().map(|column| &column.findings[..]);
    for Finding { row: name, .. } in rows.unwrap_or_default() {
        table.push(row(name, columns.iter().map(|column| column.text(name))));
    }
    table.join("\n")
}

/// Returns a table with few rows and a column per library.
pub(crate) fn short(columns: &[Column]) -> String {
    let libraries: Vec<_> = columns
        .chunk_by(|one, other| one.library() == other.library())
        .collect();
    let head = libraries
        .iter()
        .map(|columns| columns[0].library().to_owned());
    let mut table = vec![row("", head), rule(libraries.len())];
    for (promise, name) in PROMISES {
        let cell = |columns: &&[Column]| summed_up(columns, promise);
        table.push(row(name, libraries.iter().map(cell)));
    }
    table.join("\n")
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn rule(columns: usize) -> String {
    format!("|---|{}", "---|".repeat(columns))
}

/// Returns the counts of all variants of a library; only once if they are the same.
fn summed_up(columns: &[Column], promise: Promise) -> String {
    let mut texts: Vec<(String, Vec<&str>)> = Vec::new();
    for column in columns {
        let text = column.sum(promise);
        match texts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, variants)) => variants.push(column.peer.variant),
            None => texts.push((text, vec![column.peer.variant])),
        }
    }
    if let [(text, _)] = &texts[..] {
        return text.clone();
    }
    let texts = texts
        .iter()
        .map(|(text, variants)| format!("{}: {text}", variants.join(", ")));
    texts.collect::<Vec<_>>().join("; ")
}

impl Column {
    fn library(&self) -> &'static str {
        let name = self.peer.name;
        let suffix = ["-lazy", "-cached", "-best"]
            .into_iter()
            .find_map(|it| name.strip_suffix(it));
        suffix.unwrap_or(name)
    }

    fn text(&self, row: &str) -> String {
        let finding = self.findings.iter().find(|finding| finding.row == row);
        finding
            .expect("all libraries run the same cases")
            .text
            .clone()
    }

    fn sum(&self, promise: Promise) -> String {
        let promises = self.findings.iter().flat_map(|finding| &finding.promises);
        let (mut violations, mut of) = (0, 0);
        for (_, more, all) in promises.filter(|(other, ..)| *other == promise) {
            violations += more;
            of += all;
        }
        match of {
            0 => "no such operation".to_owned(),
            of => format!("{violations} of {of}"),
        }
    }
}
