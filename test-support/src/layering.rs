//! The modules of a crate, read from its source, and which of them name which.
//!
//! Works on tokens, so that comments and strings do not count. Re-exports are followed to the file
//! that holds the item: `crate::Session` is a use of `session/handle.rs`. Two things are not seen:
//! methods of a type that another file adds, and names that a glob import brings in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The segments of a path: `crate::store::Store`, or those of a module from the root.
type Segments = Vec<String>;

/// A crate without what is `#[cfg(test)]` or `#[cfg(doc)]`.
#[derive(Debug)]
pub struct Crate {
    modules: BTreeMap<Segments, Module>,
}

#[derive(Debug, Default)]
struct Module {
    /// Its file, below `src/`.
    file: String,
    /// What `use` declares: the name in this module, and the path. Globs have the name `*`.
    uses: Vec<(String, Segments)>,
    /// The other paths of at least two segments.
    paths: Vec<Segments>,
    /// The modules that it declares in other files.
    children: Vec<String>,
    /// Whether there is anything but attributes, `mod` and `use`.
    holds_code: bool,
}

impl Crate {
    /// Reads the crate in `folder`.
    pub fn read(folder: &str) -> Self {
        let mut files = BTreeMap::new();
        let src = Path::new(folder).join("src");
        let mut folders = vec![src.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
                    files.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
                }
            }
        }
        Self::from_files(&files)
    }

    /// Reads the crate whose root is `lib.rs` in `files`.
    pub fn from_files(files: &BTreeMap<String, String>) -> Self {
        let mut found = Self {
            modules: BTreeMap::new(),
        };
        let mut waiting = vec![(Segments::new(), "lib.rs".to_owned())];
        while let Some((module, file)) = waiting.pop() {
            let tokens: TokenStream = files[&file].parse().expect("valid Rust");
            found.add(&module, &file, tokens);
            for child in &found.modules[&module].children {
                let path = [&module[..], std::slice::from_ref(child)].concat();
                let stem = path.join("/");
                let names = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
                let file = names.into_iter().find(|name| files.contains_key(name));
                waiting.push((path, file.expect("a module has a file")));
            }
        }
        found
    }

    /// Returns the groups of files that import each other, directly or through others.
    pub fn cycles_between_files(&self) -> Vec<String> {
        cycles(&self.imports())
    }

    /// Returns the groups of files and folders in one folder that import each other. A file and
    /// the folder of its submodules count as one.
    pub fn cycles_between_folders(&self) -> Vec<String> {
        let mut levels: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
        let imports = self.imports();
        for (from, to) in &imports {
            let parts = from.split('/').zip(to.split('/'));
            let common: usize = parts
                .take_while(|(one, other)| one == other)
                .map(|(part, _)| part.len() + 1)
                .sum();
            let ends = (entry(&from[common..]), entry(&to[common..]));
            if ends.0 != ends.1 {
                levels.entry(&from[..common]).or_default().insert(ends);
            }
        }
        let found = levels.into_iter().flat_map(|(folder, imports)| {
            let found = cycles(&imports).into_iter();
            found.map(move |cycle| format!("in src/{folder}: {cycle}"))
        });
        found.collect()
    }

    /// Returns the uses of a crate outside the files and folders that may name it.
    pub fn foreign_crates_elsewhere(&self, allowed: &[(&str, &[&str])]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, module) in self.below_root() {
            for path in module.all_paths() {
                let own = self.child(at, &path[0]);
                let rule = allowed.iter().find(|(name, _)| *name == path[0] && !own);
                let is_allowed = |files: &[&str]| files.iter().any(|f| module.file.starts_with(f));
                if rule.is_some_and(|(_, files)| !is_allowed(files)) {
                    found.push(format!("{} names {}", module.file, path.join("::")));
                }
            }
        }
        found
    }

    /// Returns the files named `mod.rs` that hold more than `mod` and `use`.
    pub fn mod_files_with_code(&self) -> Vec<&str> {
        let modules = self.modules.values();
        let found = modules.filter(|each| each.file.ends_with("mod.rs") && each.holds_code);
        found.map(|module| module.file.as_str()).collect()
    }

    /// The pairs of files of which the first names something in the second.
    fn imports(&self) -> BTreeSet<(&str, &str)> {
        let mut found = BTreeSet::new();
        for (at, module) in self.below_root() {
            let paths = module.all_paths();
            let targets = paths.filter_map(|path| self.resolve(at, path, 0));
            for target in targets.map(|target| self.modules[&target].file.as_str()) {
                if target != module.file && target != "lib.rs" {
                    found.insert((module.file.as_str(), target));
                }
            }
        }
        // What a `mod.rs` re-exports is followed, so it is no step between two files itself.
        found.retain(|(from, _)| !from.ends_with("mod.rs"));
        found
    }

    fn below_root(&self) -> impl Iterator<Item = (&Segments, &Module)> {
        self.modules
            .iter()
            .filter(|(_, each)| each.file != "lib.rs")
    }

    fn child(&self, module: &[String], name: &str) -> bool {
        let path = [module, &[name.to_owned()]].concat();
        self.modules.contains_key(&path)
    }

    /// Returns the module that holds the item which `path` means in the module `from`, or nothing
    /// if the path leads to another crate or to a module.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Segments> {
        let mut at = from.to_vec();
        for (index, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name if self.child(&at, name) => at.push(name.to_owned()),
                name => {
                    let uses = &self.modules[&at].uses;
                    let used = uses.iter().find(|(declared, _)| declared == name);
                    if let (Some((_, used)), true) = (used, depth < 9) {
                        let path = [&used[..], &path[index + 1..]].concat();
                        // A crate that has the name of what it declares.
                        let itself = used.len() == 1 && used[0] == name;
                        return if itself {
                            None
                        } else {
                            self.resolve(&at, &path, depth + 1)
                        };
                    }
                    return (index > 0).then_some(at);
                }
            }
        }
        None
    }

    fn add(&mut self, at: &[String], file: &str, tokens: TokenStream) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let mut inline = Vec::new();
        module.holds_code = module.scan(tokens, &mut inline);
        self.modules.insert(at.to_vec(), module);
        for (name, tokens) in inline {
            self.add(&[at, &[name]].concat(), file, tokens);
        }
    }
}

impl Module {
    fn all_paths(&self) -> impl Iterator<Item = &Segments> {
        self.uses.iter().map(|(_, path)| path).chain(&self.paths)
    }

    /// Collects declarations and paths; returns whether there is anything but `mod` and `use`.
    fn scan(&mut self, tokens: TokenStream, inline: &mut Vec<(String, TokenStream)>) -> bool {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut code = false;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => at += attribute(rest),
                TokenTree::Ident(word) if word == "pub" => at += visibility(rest),
                TokenTree::Ident(word) if word == "mod" => at += self.submodule(rest, inline),
                TokenTree::Ident(word) if word == "use" && !is(rest, 0, '<') => {
                    let end = rest.iter().position(|token| is_punct(token, ';'));
                    let end = end.expect("`use` has an end");
                    tree(&Segments::new(), &rest[..end], &mut self.uses);
                    at += end + 1;
                }
                TokenTree::Ident(_) => {
                    code = true;
                    let (path, length) = path(&tokens[at - 1..]);
                    let field = at > 1 && is_punct(&tokens[at - 2], '.');
                    if path.len() > 1 && !field {
                        self.paths.push(path);
                    }
                    at += length - 1;
                }
                TokenTree::Group(group) => {
                    self.scan(group.stream(), inline);
                    code = true;
                }
                _ => code = true,
            }
        }
        code
    }

    /// Notes the module that `mod` declares; returns the length of what follows `mod`.
    fn submodule(&mut self, rest: &[TokenTree], inline: &mut Vec<(String, TokenStream)>) -> usize {
        match rest {
            [TokenTree::Ident(name), TokenTree::Group(body), ..] => {
                inline.push((name.to_string(), body.stream()));
            }
            [TokenTree::Ident(name), ..] => self.children.push(name.to_string()),
            _ => return 0,
        }
        2
    }
}

/// Returns the length of an attribute, behind its `#`. For `cfg(test)` and `cfg(doc)` the length
/// includes the item.
fn attribute(rest: &[TokenTree]) -> usize {
    let outer = usize::from(is(rest, 0, '!'));
    let Some(TokenTree::Group(group)) = rest.get(outer) else {
        return 0;
    };
    let length = outer + 1;
    let text = group.stream().to_string().replace(' ', "");
    if !["cfg(test)", "cfg(doc)"].contains(&&*text) {
        return length;
    }
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(other, ';'),
    };
    let item = rest[length..].iter().position(is_end);
    length + item.map_or(0, |item| item + 1)
}

/// Returns the length of `(crate)` and the like behind `pub`.
fn visibility(rest: &[TokenTree]) -> usize {
    let scope = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
    usize::from(rest.first().is_some_and(scope))
}

/// Reads the path at the start of `tokens`, and returns it with the number of its tokens.
fn path(tokens: &[TokenTree]) -> (Segments, usize) {
    let mut path = vec![tokens[0].to_string()];
    let mut at = 1;
    while is(tokens, at, ':') && is(tokens, at + 1, ':') {
        let Some(TokenTree::Ident(segment)) = tokens.get(at + 2) else {
            break;
        };
        path.push(segment.to_string());
        at += 3;
    }
    (path, at)
}

/// Reads the text between `use` and `;`, or between two commas of a list in it.
fn tree(prefix: &Segments, tokens: &[TokenTree], uses: &mut Vec<(String, Segments)>) {
    let mut found = prefix.clone();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                uses.push((tokens[at + 1].to_string(), found));
                return;
            }
            TokenTree::Ident(word) => found.push(word.to_string()),
            TokenTree::Group(list) => {
                let list: Vec<_> = list.stream().into_iter().collect();
                let parts = list.split(|token| is_punct(token, ','));
                let parts = parts.filter(|part| !part.is_empty());
                parts.for_each(|part| tree(&found, part, uses));
                return;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => found.push("*".to_owned()),
            _ => {}
        }
    }
    // `use a::{self}` declares `a`.
    if found.len() > 1 && found.last().is_some_and(|last| last == "self") {
        found.pop();
    }
    uses.push((found.last().cloned().unwrap_or_default(), found));
}

fn is(tokens: &[TokenTree], at: usize, character: char) -> bool {
    tokens
        .get(at)
        .is_some_and(|token| is_punct(token, character))
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The first part of a path of files, without its ending.
fn entry(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Returns the strongly connected components of more than one node, with the edges inside.
fn cycles(edges: &BTreeSet<(&str, &str)>) -> Vec<String> {
    let nodes: BTreeSet<&str> = edges.iter().map(|(from, _)| *from).collect();
    let reached: BTreeMap<_, _> = nodes
        .iter()
        .map(|node| (*node, reach(node, edges)))
        .collect();
    let mutual = |one: &str, other: &str| {
        let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|all| all.contains(to));
        reaches(one, other) && reaches(other, one)
    };
    let mut found = BTreeMap::new();
    for (from, to) in edges.iter().filter(|(from, to)| mutual(from, to)) {
        let first = nodes
            .iter()
            .find(|node| **node == *from || mutual(node, from));
        let edges: &mut Vec<_> = found.entry(first).or_default();
        edges.push(format!("{from} -> {to}"));
    }
    found.into_values().map(|edges| edges.join(", ")).collect()
}

/// Returns the nodes that can be reached from `start` over at least one edge.
fn reach<'a>(start: &'a str, edges: &BTreeSet<(&'a str, &'a str)>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        let next = edges.iter().filter(|(from, _)| *from == node);
        waiting.extend(next.map(|(_, to)| *to).filter(|to| reached.insert(*to)));
    }
    reached
}
