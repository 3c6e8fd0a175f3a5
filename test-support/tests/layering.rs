//! The layering of the library, the service and this crate: imports have no cycles, each foreign
//! crate is named in one module, and `mod.rs` files hold no code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Foreign crates, and the only files and folders that may name them. Others are free.
const LIBRARY: &str = "
    arc_swap rustls rustls_native_certs tokio_rustls: store/redis/
    aws_lc_rs getrandom: crypto/
    axum_core: axum.rs
    base64: encoding.rs
    deadpool_redis redis: store/redis/ reexports.rs
    form_urlencoded: source/
    futures_core: session/
    http: source/ middleware/ axum.rs reexports.rs
    http_body tower_layer tower_service: middleware/
    http_body_util: middleware/ axum.rs
    indexmap: record/ store/memory/
    metrics: telemetry.rs
";

/// Redis and JWTs are reached through the library only.
const SERVICE: &str = "
    aws_lc_rs base62: crypto.rs
    clap: cli.rs
    config: settings/
    crc32fast: buckets/
    governor: http/
    hyper hyper_util: serve.rs
    jsonwebtoken redis:
    maud: admin/
    metrics_exporter_prometheus utoipa_swagger_ui: operators/
    tower_http: observe/
    tracing_appender: log_writer.rs telemetry.rs
    tracing_subscriber: telemetry.rs
    zeroize: secret.rs
";

#[test]
fn sources_are_layered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (folder, allowed) in [
        ("src", LIBRARY),
        ("server/src", SERVICE),
        ("test-support/src", ""),
    ] {
        let mut sources = Sources::new();
        read(&root.join(folder), "", &mut sources);
        let found = violations(&sources, allowed);
        assert!(
            sources.len() > 5 && found.is_empty(),
            "{folder}: {found:#?}"
        );
    }
}

/// `a/one.rs` names `a/two.rs` through `a/mod.rs`, which names it through the root.
#[test]
fn violations_are_found_through_reexports() {
    let mut sources = Sources::new();
    for (file, text) in [
        ("lib.rs", "mod a;\npub use a::One;"),
        ("a/mod.rs", "pub use one::One;\nuse two::Two;\nfn f() {}"),
        ("a/one.rs", "use super::Two;\nstruct One(Two); // crate::b"),
        ("a/two.rs", "pub(crate) struct Two(redis::Cmd, crate::One);"),
        (
            "b.rs",
            "use redis::{\n    self, Cmd};\n#[cfg(test)]\nmod tests {\n    use http::Uri;",
        ),
    ] {
        add(file, text, &mut sources);
    }
    let expected = [
        "a/mod.rs holds code",
        "a/two.rs names redis::Cmd",
        "b.rs names redis",
        "b.rs names redis::Cmd",
        "cycle: a/one -> a/two",
        "cycle: a/one/ -> a/two/",
        "cycle: a/two -> a/one",
        "cycle: a/two/ -> a/one/",
    ];
    let found = violations(&sources, LIBRARY);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

/// The sources of a crate by module: `a/one` for `src/a/one.rs`, `a` for `src/a/mod.rs`.
type Sources = BTreeMap<String, Source>;

#[derive(Default)]
struct Source {
    file: String,
    /// The names of the items that it defines, and `impl` if it has implementations.
    defines: BTreeSet<String>,
    /// The paths that it names, except in comments and unit tests.
    paths: BTreeSet<String>,
    /// What its `use` declarations bring into scope: the paths by name.
    uses: BTreeMap<String, String>,
}

/// Reads the files below `folder` except unit tests.
fn read(folder: &Path, prefix: &str, sources: &mut Sources) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            read(&path, &format!("{prefix}{name}/"), sources);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            add(&format!("{prefix}{name}"), &text, sources);
        }
    }
}

fn add(file: &str, text: &str, sources: &mut Sources) {
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let module = if module == "lib" { "" } else { module };
    let mut source = Source::default();
    file.clone_into(&mut source.file);
    source.scan(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
    sources.insert(module.to_owned(), source);
}

impl Source {
    fn scan(&mut self, text: &str) {
        let mut paths = BTreeSet::new();
        let text = text.replace("#[cfg(doc)]\nuse ", "//");
        let mut lines = text.lines().map(without_comment);
        while let Some(line) = lines.next() {
            let uses = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
            let mut trees = uses
                .iter()
                .filter_map(|start| line.trim().strip_prefix(start));
            if let Some(tree) = trees.next() {
                let mut tree = tree.to_owned();
                while !tree.ends_with(';') {
                    tree += lines.next().expect("the end of `use`").trim();
                }
                self.declare("", tree.trim_end_matches(';'));
                continue;
            }
            self.defines.extend(defined(line).map(str::to_owned));
            let words = line.split(|c| !is_word(c) && c != ':');
            paths.extend(words.filter(|word| word.contains("::")));
        }
        for path in paths {
            let path = path.trim_matches(':');
            let first = path.split("::").next().unwrap_or_default();
            let used = self.uses.get(first).map_or(first, String::as_str);
            self.paths.insert(path.replacen(first, used, 1));
        }
        self.paths.extend(self.uses.values().cloned());
    }

    /// Adds what a tree of `use` declares.
    fn declare(&mut self, prefix: &str, tree: &str) {
        if let Some((start, list)) = tree.split_once('{') {
            let mut depth = 0;
            let is_end = |c: char| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ',' && depth == 0
            };
            let list = list.strip_suffix('}').expect("the end of a list");
            for tree in list.split(is_end) {
                self.declare(&format!("{prefix}{start}"), tree.trim());
            }
        } else if !tree.is_empty() {
            let path = format!("{prefix}{tree}");
            let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
            let path = path.trim_end_matches("::self");
            let last = path.rsplit("::").next().unwrap_or(path);
            let name = match alias {
                "" if last != "*" => last,
                // Globs and `_` do not replace each other.
                "" | "_" => path,
                alias => alias,
            };
            self.uses.insert(name.to_owned(), path.to_owned());
        }
    }
}

/// Returns the name of the item that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    if line.starts_with("impl") {
        return Some("impl");
    }
    // Items at the top level are not indented, except types that macros define.
    let types_only = line.starts_with(' ');
    let is_keyword = |word: &str| match word {
        "struct" | "enum" | "trait" => true,
        "fn" | "type" | "const" | "static" | "macro_rules" => !types_only,
        _ => false,
    };
    let words = line.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    let mut pairs = words.clone().zip(words.skip(1));
    let item = pairs.find(|(word, name)| is_keyword(word) && *name != "fn");
    item.map(|(_, name)| name)
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn violations(sources: &Sources, allowed: &str) -> BTreeSet<String> {
    let (mut found, mut edges) = (BTreeSet::new(), BTreeSet::new());
    for (module, source) in sources {
        let (file, is_mod) = (&source.file, source.file.ends_with("mod.rs"));
        if is_mod && !source.defines.is_empty() {
            found.insert(format!("{file} holds code"));
        }
        // The root may name everything.
        for path in source.paths.iter().filter(|_| !module.is_empty()) {
            if is_misplaced(sources, module, path, allowed) {
                found.insert(format!("{file} names {path}"));
            }
            // What a `mod.rs` re-exports is looked up by its name instead.
            if let Some(target) = target(sources, module, path).filter(|_| !is_mod) {
                edges.insert(entries(module, target));
                edges.insert((module.clone(), target.to_owned()));
            }
        }
    }
    let cycles = edges
        .iter()
        .filter(|(from, to)| from != to && reaches(&edges, to, from));
    found.extend(cycles.map(|(from, to)| format!("cycle: {from} -> {to}")));
    found
}

fn is_misplaced(sources: &Sources, module: &str, path: &str, allowed: &str) -> bool {
    let first = path.split("::").next().unwrap_or_default();
    let mut rules = allowed.lines().filter_map(|line| line.split_once(':'));
    let rule = rules.find(|(crates, _)| crates.split_whitespace().any(|name| name == first));
    let is_allowed = |place| sources[module].file.starts_with(place);
    !sources.contains_key(&format!("{module}/{first}"))
        && rule.is_some_and(|(_, places)| !places.split_whitespace().any(is_allowed))
}

/// Returns the module with the item that `path` means in the module `from`, if any.
fn target<'a>(sources: &'a Sources, from: &str, path: &str) -> Option<&'a str> {
    let mut at: Vec<_> = from.split('/').collect();
    for (index, name) in path.split("::").enumerate() {
        match name {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            _ if sources.contains_key(&[&at[..], &[name]].concat().join("/")) => at.push(name),
            _ => {
                let (own, below) = (at.join("/"), [&at[..], &[""]].concat().join("/"));
                let defining = sources
                    .iter()
                    .filter(|(_, each)| each.defines.contains(name));
                let defining = defining
                    .map(|(module, _)| module.as_str())
                    .filter(|_| index > 0);
                return defining.min_by_key(|module| (*module != own, !module.starts_with(&below)));
            }
        }
    }
    None
}

/// Returns the entries, with a slash at the end, of the deepest folder that has both modules. A
/// file and the folder of its submodules are one entry.
fn entries(from: &str, to: &str) -> (String, String) {
    let parts = from.split('/').zip(to.split('/'));
    let common = parts.take_while(|(one, other)| one == other).count();
    let entry = |module: &str| {
        let parts = module.split('/').take(common + 1);
        parts.map(|part| format!("{part}/")).collect()
    };
    (entry(from), entry(to))
}

fn reaches(edges: &BTreeSet<(String, String)>, from: &str, to: &str) -> bool {
    let (mut reached, mut todo) = (BTreeSet::from([from]), vec![from]);
    while let Some(node) = todo.pop() {
        let next = edges
            .iter()
            .filter(|(from, to)| from == node && reached.insert(to));
        todo.extend(next.map(|(_, to)| to.as_str()));
    }
    reached.contains(to)
}
