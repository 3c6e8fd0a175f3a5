//! The imports between the files of a crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The sources of a crate by module: `a/one` for `src/a/one.rs`, `a` for `src/a/mod.rs`.
pub(crate) type Sources = BTreeMap<String, Source>;

pub(crate) struct Source {
    pub file: String,
    /// The paths that it names, except in comments and unit tests.
    pub paths: BTreeSet<String>,
    /// It has more than `mod` and `use` declarations.
    pub has_code: bool,
}

/// Reads the files below `folder` except unit tests.
pub(crate) fn read(folder: &Path, prefix: &str, sources: &mut Sources) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            read(&path, &format!("{prefix}{name}/"), sources);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            sources.extend([Source::new(&format!("{prefix}{name}"), &text)]);
        }
    }
}

impl Source {
    /// Returns the module of a file, and what its text contains.
    pub(crate) fn new(file: &str, text: &str) -> (String, Self) {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = text.lines().filter_map(|line| line.split("//").next());
        let text = lines.collect::<Vec<_>>().join("\n");
        let (mut paths, mut has_code) = (BTreeSet::new(), false);
        for statement in text.split(';') {
            let mut words = statement.split_whitespace();
            has_code |= words.clone().any(|_| true) && !words.any(|it| it == "mod" || it == "use");
            // Only links in comments need the imports of documentation.
            let statement = statement.split("#[cfg(doc)]").next().unwrap();
            let (code, tree) = statement.rsplit_once("use ").unwrap_or((statement, ""));
            add_paths("", tree, &mut paths);
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let named = words.filter(|word| word.contains("::"));
            paths.extend(named.map(|path| path.trim_matches(':').to_owned()));
        }
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = if module == "lib" { "" } else { module };
        let file = file.to_owned();
        (
            module.to_owned(),
            Self {
                file,
                paths,
                has_code,
            },
        )
    }

    pub(crate) fn is_mod(&self) -> bool {
        self.file.ends_with("mod.rs") || self.file == "lib.rs"
    }
}

/// Adds the paths that a tree of `use` declares.
fn add_paths(prefix: &str, tree: &str, paths: &mut BTreeSet<String>) {
    let tree = tree.trim();
    if let Some((start, list)) = tree.split_once('{') {
        let mut depth = 0;
        let is_end = |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        };
        let list = list.strip_suffix('}').unwrap_or(list);
        let trees = list.split(is_end);
        trees.for_each(|tree| add_paths(&format!("{prefix}{start}"), tree, paths));
    } else if !tree.is_empty() {
        let path = tree.split(" as ").next().unwrap();
        let path = format!("{prefix}{path}");
        paths.insert(path.trim_end_matches("::self").to_owned());
    }
}

/// Returns which entries of a folder import which other ones.
pub(crate) fn edges(sources: &Sources) -> BTreeSet<(String, String)> {
    // What a `mod.rs` re-exports counts for those who name it there. The root may name everything.
    let files = sources.iter().filter(|(_, source)| !source.is_mod());
    let paths =
        files.flat_map(|(module, source)| source.paths.iter().map(move |path| (module, path)));
    let targets = paths.filter_map(|(module, path)| Some((module, target(sources, module, path)?)));
    targets
        .map(|(module, target)| entries(module, &target))
        .collect()
}

/// Returns the module with the item that `path` means in the module `from`, if any.
fn target(sources: &Sources, from: &str, path: &str) -> Option<String> {
    let mut at: Vec<_> = from.split('/').filter(|part| !part.is_empty()).collect();
    for (index, name) in path.split("::").enumerate() {
        match name {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            _ if sources.contains_key(&[&at[..], &[name]].concat().join("/")) => at.push(name),
            _ if index == 0 => return None,
            _ => {
                let (module, end) = (at.join("/"), format!("::{name}"));
                let source = sources.get(&module).filter(|source| source.is_mod());
                let mut reexported = source.iter().flat_map(|source| &source.paths);
                let reexported = reexported.find(|path| path.ends_with(&end));
                return match reexported {
                    Some(path) => target(sources, &module, path),
                    None => Some(module),
                };
            }
        }
    }
    Some(at.join("/"))
}

/// Returns the entries, with a slash at the end, of the deepest folder that has both modules. A
/// file and the folder of its submodules are one entry. A cycle of files is one of such entries.
fn entries(from: &str, to: &str) -> (String, String) {
    let parts = from.split('/').zip(to.split('/'));
    let common = parts.take_while(|(one, other)| one == other).count();
    let entry = |module: &str| {
        let parts = module.split('/').take(common + 1);
        parts.map(|part| format!("{part}/")).collect()
    };
    (entry(from), entry(to))
}

pub(crate) fn reaches(edges: &BTreeSet<(String, String)>, from: &str, to: &str) -> bool {
    let (mut reached, mut todo) = (BTreeSet::from([from]), vec![from]);
    while let Some(node) = todo.pop() {
        let next = edges
            .iter()
            .filter(|(from, to)| from == node && reached.insert(to));
        todo.extend(next.map(|(_, to)| to.as_str()));
    }
    reached.contains(to)
}
