//! The walls of a house: which room may name which foreign crate, and which way imports run.

use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug)]
/// A crate whose `src/` is divided into rooms.
pub struct House {
    /// The folder that holds `src/`.
    pub root: &'static str,
    /// The rooms, lowest first. A file may name only rooms below its own.
    pub ranks: &'static [&'static [&'static str]],
    /// Files that have no room: they see everything.
    pub outside: &'static [&'static str],
    /// Foreign crates that have doors; everything else is free to all rooms.
    pub doors: &'static [(&'static str, &'static [&'static str])],
}

#[derive(Debug)]
/// A file of `src/`.
pub struct Source {
    /// The path below `src/`.
    pub path: String,
    /// The lines without comments and without what stands below `mod tests`.
    pub code: Vec<String>,
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

impl House {
    /// Returns the rank of a folder.
    pub fn rank(&self, room: &str) -> usize {
        let rank = self.ranks.iter().position(|rooms| rooms.contains(&room));
        rank.unwrap_or_else(|| panic!("the room `{room}` has no rank: give it one"))
    }

    /// Returns the files of `src/`.
    pub fn sources(&self) -> Vec<Source> {
        let root = Path::new(self.root).join("src");
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
        assert!(sources.len() > 40, "the walk found only {}", sources.len());
        sources
    }

    /// Lines that name a room which is not below their own.
    pub fn imports_that_run_upward(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let sources = self.sources();
        let inside = |source: &&Source| !self.outside.contains(&source.path.as_str());
        for source in sources.iter().filter(inside) {
            let own = self.rank(source.room());
            for line in &source.code {
                let mut rooms = rooms(line).filter(|named| *named != source.room());
                if rooms.any(|named| self.rank(named) >= own) {
                    wrong.push(format!("{}: {}", source.path, line.trim()));
                }
            }
        }
        wrong
    }

    /// Lines that name a foreign crate which has its door elsewhere.
    pub fn crates_outside_their_room(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for source in self.sources().iter().filter(|source| !source.is_test()) {
            let may_name = |doors: &[&str]| doors.iter().any(|door| source.path.starts_with(door));
            let lines = source
                .code
                .iter()
                .filter(|line| !line.contains("mod redis;"));
            for line in lines.filter(|line| !line.starts_with("pub use")) {
                let shut = self.doors.iter().filter(|(_, doors)| !may_name(doors));
                let mut shut = shut.map(|(name, _)| *name);
                if shut.any(|name| roots(line).any(|root| root == name)) {
                    wrong.push(format!("{}: {}", source.path, line.trim()));
                }
            }
        }
        wrong
    }
}

/// The lines without comments and without what stands below `mod tests`.
pub fn code(text: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| !line.starts_with("mod tests {"))
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// The names that stand before `::` in `line`, unless something stands before them.
pub fn roots(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("::").filter_map(move |(at, _)| {
        let before = &line[..at];
        let start = before.rfind(|c| !is_name(c)).map_or(0, |found| found + 1);
        (!before[..start].ends_with(':')).then_some(&before[start..])
    })
}

/// The rooms that `line` names, as `crate::room` or in the braces of `use crate::{…}`.
fn rooms(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("crate::").flat_map(move |(at, prefix)| {
        let named = &line[at + prefix.len()..];
        let inner = named.strip_prefix('{');
        let inner = inner.map(|inner| inner.trim_end_matches([';', '}']));
        inner
            .map_or_else(|| vec![named], |inner| inner.split(", ").collect())
            .into_iter()
            .map(move |named| &named[..named.find(|c| !is_name(c)).unwrap_or(named.len())])
            .filter(|named| named.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}
