//! The walls of the house: which room may name which foreign crate, and which way imports run.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/`, lowest first. A file may name only rooms below its own.
const RANKS: &[&[&str]] = &[
    &["clock", "crypto", "owner", "rejection"],
    &["id"],
    &["keyspace", "record", "store", "token"],
    &["conformance", "error", "source", "stepping", "telemetry"],
    &["data"],
    &["engine"],
    &["session"],
    &["sessions"],
    &["builder", "middleware"],
    &["extract"],
];

/// Foreign crates that have one door each; everything else is free to all rooms.
const DOORS: &[(&str, &[&str])] = &[
    ("arc_swap", &["store/redis/"]),
    ("aws_lc_rs", &["crypto.rs"]),
    ("axum_core", &["extract.rs"]),
    ("deadpool_redis", &["store/redis/"]),
    ("form_urlencoded", &["source/"]),
    ("getrandom", &["crypto.rs"]),
    ("http", &["source/", "middleware/", "extract.rs"]),
    ("http_body", &["middleware/"]),
    ("indexmap", &["record.rs", "store/memory/"]),
    ("jsonwebtoken", &["token/"]),
    ("metrics", &["telemetry.rs"]),
    ("redis", &["store/redis/"]),
    ("rustls", &["store/redis/"]),
    ("tower_layer", &["middleware/"]),
    ("tower_service", &["middleware/"]),
];

struct Source {
    /// The path below `src/`.
    path: String,
    /// The lines without comments and without what stands below `mod tests`.
    code: Vec<String>,
}

impl Source {
    /// The room: the file's or the folder's name at the top of `src/`.
    fn room(&self) -> &str {
        let top = self.path.split('/').next().unwrap_or_default();
        top.trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests") || self.path.ends_with("/script.rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(&root).unwrap().to_str().unwrap();
                sources.push(Source {
                    path: below.to_owned(),
                    code: code(&fs::read_to_string(&path).unwrap()),
                });
            }
        }
    }
    assert!(sources.len() > 50, "the walk found only {}", sources.len());
    sources
}

fn code(text: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| !line.starts_with("mod tests {"))
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// The names that stand before `::` in `line`, unless something stands before them.
fn roots(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("::").filter_map(move |(at, _)| {
        let before = &line[..at];
        let start = before.rfind(|c| !is_name(c)).map_or(0, |found| found + 1);
        (!before[..start].ends_with(':')).then_some(&before[start..])
    })
}

fn rank(room: &str) -> usize {
    let rank = RANKS.iter().position(|rooms| rooms.contains(&room));
    rank.unwrap_or_else(|| panic!("the room `{room}` has no rank: give it one"))
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path != "lib.rs") {
        let own = rank(source.room());
        for line in &source.code {
            for (at, _) in line.match_indices("crate::") {
                let named = &line[at + "crate::".len()..];
                let named = named.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let named = named.into_iter().next().unwrap_or_default();
                let is_room = named.starts_with(|c: char| c.is_ascii_lowercase());
                if is_room && named != source.room() && rank(named) >= own {
                    wrong.push(format!("{}: {}", source.path, line.trim()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports that run upward:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_foreign_crate_has_one_door() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for line in source
            .code
            .iter()
            .filter(|line| !line.contains("mod redis;"))
        {
            for (name, doors) in DOORS {
                let through_a_door = doors.iter().any(|door| source.path.starts_with(door));
                let reexport = line.starts_with("pub use");
                if !through_a_door && !reexport && roots(line).any(|root| root == *name) {
                    wrong.push(format!("{}: {}", source.path, line.trim()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "crates named outside their room:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_folder_is_a_table_of_contents() {
    for source in sources()
        .iter()
        .filter(|source| source.path.ends_with("mod.rs"))
    {
        let logic = source.code.iter().find(|line| {
            let line = line.trim_start();
            [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "impl ",
                "struct ",
                "enum ",
            ]
            .iter()
            .any(|word| line.starts_with(word))
        });
        assert_eq!(logic, None, "{} holds code", source.path);
    }
}

#[test]
fn the_walls_would_be_missed() {
    let names: Vec<_> = roots("use redis::{Cmd}; let a = crate::redis::b(http::X)").collect();
    assert_eq!(names, ["redis", "crate", "http"]);
    assert_eq!(code("a\n  // b\nmod tests {\nc"), ["a"]);
    assert!(rank("engine") < rank("middleware"));
}
