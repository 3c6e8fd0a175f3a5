//! The modules of a crate, read from its source, and which of them name which.
//!
//! Works on tokens, so comments and strings do not count. Re-exports are followed to the file that
//! holds the item: `crate::Session` is a use of `session/handle.rs`. Two things are not seen:
//! methods of a type that another file adds, and names that a glob import brings in.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The segments of a path: `crate::store::Store`, or those of a module from the root.
type Segments = Vec<String>;

type Edges<'a> = BTreeSet<(&'a str, &'a str)>;

/// A crate without what is `#[cfg(test)]` or `#[cfg(doc)]`.
#[derive(Debug)]
pub struct Crate {
    modules: BTreeMap<Segments, Module>,
}

#[derive(Debug, Default)]
struct Module {
    file: String,
    /// What `use` declares: the name in this module, and the path. Globs have the name `*`.
    uses: Vec<(String, Segments)>,
    /// The other paths of at least two segments.
    paths: Vec<Segments>,
    /// The modules that it declares in other files.
    children: Vec<String>,
    /// Whether there is anything but attributes, `mod` and `use`.
    has_code: bool,
}

impl Crate {
    /// Reads a crate from its files below `src`, which `text` returns by name. Starts at `lib.rs`.
    pub fn read(text: impl Fn(&str) -> Option<String>) -> Self {
        let mut modules = BTreeMap::new();
        let mut todo = vec![Segments::new()];
        while let Some(at) = todo.pop() {
            let stem = if at.is_empty() {
                "lib".to_owned()
            } else {
                at.join("/")
            };
            let names = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            let found = names
                .into_iter()
                .find_map(|name| Some((text(&name)?, name)));
            let (text, file) = found.expect("a module has a file");
            let mut module = Module {
                file,
                ..Module::default()
            };
            module.has_code = module.scan(text.parse().expect("valid Rust"));
            let children = module.children.iter();
            todo.extend(children.map(|child| [&at[..], std::slice::from_ref(child)].concat()));
            modules.insert(at, module);
        }
        Self { modules }
    }

    /// Returns the imports that are part of a cycle: between files, and between the entries of one
    /// folder, where a file and the folder of its submodules count as one.
    pub fn cycles(&self) -> Vec<String> {
        let imports = self.imports();
        let mut levels: BTreeMap<String, Edges<'_>> = BTreeMap::new();
        for (from, to) in &imports {
            let parts = from.split('/').zip(to.split('/'));
            let common = parts.take_while(|(one, other)| one == other);
            let common: usize = common.map(|(part, _)| part.len() + 1).sum();
            let ends = (entry_of(&from[common..]), entry_of(&to[common..]));
            if ends.0 != ends.1 {
                levels
                    .entry(format!("src/{}", &from[..common]))
                    .or_default()
                    .insert(ends);
            }
        }
        levels.insert("files".to_owned(), imports);
        let found = levels.iter().flat_map(|(level, edges)| {
            let cyclic = edges.iter().filter(|(from, to)| reaches(to, from, edges));
            cyclic.map(move |(from, to)| format!("cycle in {level}: {from} -> {to}"))
        });
        found.collect()
    }

    /// Returns the uses of a crate outside the files and folders that may name it.
    pub fn misplaced_crates(&self, allowed: &[(&str, &[&str])]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, module) in self.below_root() {
            for path in module.all_paths() {
                let own = self.has_child(at, &path[0]);
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
    pub fn mod_files_with_code(&self) -> Vec<String> {
        let modules = self.modules.values();
        let found = modules.filter(|each| each.file.ends_with("mod.rs") && each.has_code);
        found
            .map(|module| format!("{} holds code", module.file))
            .collect()
    }

    /// The pairs of files of which the first names something in the second. What a `mod.rs`
    /// re-exports is followed, so it is no step between two files itself.
    fn imports(&self) -> Edges<'_> {
        let mut found = BTreeSet::new();
        for (at, module) in self
            .below_root()
            .filter(|(_, each)| !each.file.ends_with("mod.rs"))
        {
            let targets = module
                .all_paths()
                .filter_map(|path| self.target(at, path, 0));
            let files = targets.map(|target| self.modules[&target].file.as_str());
            let others = files.filter(|file| *file != module.file && *file != "lib.rs");
            found.extend(others.map(|file| (module.file.as_str(), file)));
        }
        found
    }

    fn below_root(&self) -> impl Iterator<Item = (&Segments, &Module)> {
        self.modules.iter().filter(|(at, _)| !at.is_empty())
    }

    fn has_child(&self, module: &[String], name: &str) -> bool {
        self.modules
            .contains_key(&[module, &[name.to_owned()]].concat())
    }

    /// Returns the module that holds the item which `path` means in the module `from`, or nothing
    /// if the path leads to another crate or to a module.
    fn target(&self, from: &[String], path: &[String], depth: usize) -> Option<Segments> {
        let mut at = from.to_vec();
        for (index, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name if self.has_child(&at, name) => at.push(name.to_owned()),
                name => {
                    let mut uses = self.modules[&at].uses.iter();
                    let Some((_, used)) = uses.find(|(declared, _)| declared == name) else {
                        return (index > 0).then_some(at);
                    };
                    // A crate that has the name of what it declares leads nowhere.
                    if depth > 9 || used.len() == 1 && used[0] == name {
                        return None;
                    }
                    let path = [&used[..], &path[index + 1..]].concat();
                    return self.target(&at, &path, depth + 1);
                }
            }
        }
        None
    }
}

impl Module {
    fn all_paths(&self) -> impl Iterator<Item = &Segments> {
        self.uses.iter().map(|(_, path)| path).chain(&self.paths)
    }

    /// Collects declarations and paths; returns whether there is anything but `mod` and `use`.
    fn scan(&mut self, tokens: TokenStream) -> bool {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let (mut code, mut at) = (false, 0);
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => at += attribute(rest),
                TokenTree::Ident(word) if word == "pub" => {
                    let scope = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
                    at += usize::from(rest.first().is_some_and(scope));
                }
                TokenTree::Ident(word) if word == "mod" && is(rest, 1, ';') => {
                    self.children.push(rest[0].to_string());
                    at += 2;
                }
                TokenTree::Ident(word) if word == "use" && !is(rest, 0, '<') => {
                    let end = (0..rest.len()).find(|at| is(rest, *at, ';'));
                    let end = end.expect("`use` has an end");
                    use_tree(&[], &rest[..end], &mut self.uses);
                    at += end + 1;
                }
                TokenTree::Ident(_) => {
                    code = true;
                    let (path, length) = path(&tokens[at - 1..]);
                    let field = at > 1 && is(&tokens, at - 2, '.');
                    self.paths
                        .extend((path.len() > 1 && !field).then_some(path));
                    at += length - 1;
                }
                TokenTree::Group(group) => {
                    self.scan(group.stream());
                    code = true;
                }
                _ => code = true,
            }
        }
        code
    }
}

/// Returns the length of an attribute, behind its `#`. For `cfg(test)` and `cfg(doc)` the length
/// includes the item.
fn attribute(rest: &[TokenTree]) -> usize {
    let length = 1 + usize::from(is(rest, 0, '!'));
    let text = rest[length - 1].to_string().replace(' ', "");
    if !["[cfg(test)]", "[cfg(doc)]"].contains(&&*text) {
        return length;
    }
    let is_end = |at: &usize| match &rest[*at] {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => is(rest, *at, ';'),
    };
    (length..rest.len())
        .find(is_end)
        .map_or(length, |end| end + 1)
}

/// Reads the path at the start of `tokens` and returns it with the number of its tokens.
fn path(tokens: &[TokenTree]) -> (Segments, usize) {
    let (mut path, mut at) = (vec![tokens[0].to_string()], 1);
    while let (true, true, Some(TokenTree::Ident(segment))) = (
        is(tokens, at, ':'),
        is(tokens, at + 1, ':'),
        tokens.get(at + 2),
    ) {
        path.push(segment.to_string());
        at += 3;
    }
    (path, at)
}

/// Reads the text between `use` and `;`, or between two commas of a list in it.
fn use_tree(prefix: &[String], tokens: &[TokenTree], uses: &mut Vec<(String, Segments)>) {
    let mut found = prefix.to_vec();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                return uses.push((tokens[at + 1].to_string(), found));
            }
            TokenTree::Group(list) => {
                let list: Vec<_> = list.stream().into_iter().collect();
                let parts = list.split(|token| is(std::slice::from_ref(token), 0, ','));
                let parts = parts.filter(|part| !part.is_empty());
                return parts.for_each(|part| use_tree(&found, part, uses));
            }
            _ if is(tokens, at, ':') => {}
            token => found.push(token.to_string()),
        }
    }
    // `use a::{self}` declares `a`.
    if found.len() > 1 && found.last().is_some_and(|last| last == "self") {
        found.pop();
    }
    uses.push((found.last().cloned().unwrap_or_default(), found));
}

fn is(tokens: &[TokenTree], at: usize, character: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Returns the first part of a path of files, without its ending.
fn entry_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn reaches(from: &str, to: &str, edges: &Edges<'_>) -> bool {
    let (mut reached, mut todo) = (BTreeSet::from([from]), vec![from]);
    while let Some(node) = todo.pop() {
        let next = edges.iter().filter(|(from, _)| *from == node);
        todo.extend(next.map(|(_, to)| *to).filter(|to| reached.insert(*to)));
    }
    reached.contains(to)
}
