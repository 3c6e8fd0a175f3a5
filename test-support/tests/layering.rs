//! The layering of the library, the service and this crate: imports have no cycles, each foreign
//! crate is named in one module, and `mod.rs` files hold no code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Foreign crates, and the only files and folders that may name them. Others are free.
const LIBRARY: &str = "
    arc_swap: token/keyring.rs store/redis/
    aws_lc_rs getrandom: crypto/
    axum_core: axum.rs typed.rs
    base64: encoding.rs
    cookie: middleware/cookie/
    crc16: store/redis/cluster/
    deadpool_redis redis: store/redis/ reexports.rs
    form_urlencoded: source/
    futures_core: session/
    http: source/ middleware/ endpoints/ axum.rs typed.rs testing/test_session.rs reexports.rs
    http_body tower_service: middleware/ endpoints/
    tower_layer: middleware/
    http_body_util: middleware/ axum.rs
    indexmap: record/ store/memory/ store/redis/cache/
    metrics: counters.rs
    redb: store/embedded/
    rustls rustls_native_certs tokio_rustls: store/redis/tls.rs
";

/// Redis and JWTs are reached through the library only.
const SERVICE: &str = "
    aws_lc_rs base62: crypto.rs
    clap: cli.rs
    config: settings/
    crc32fast: buckets/
    flate2: http/
    governor: http/
    hyper hyper_util: serve/ users/verify.rs
    hyper_rustls rustls: users/verify.rs
    listenfd tokio_io_timeout: serve/
    jsonwebtoken redis:
    maud: admin/
    metrics_exporter_prometheus metrics_process utoipa_swagger_ui: operators/
    rlimit: open_files.rs
    tracing_appender: log_writer.rs telemetry.rs
    tracing_subscriber: access_format.rs telemetry.rs
    zeroize: secret.rs
";

#[test]
fn sources_are_layered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates = [("src", LIBRARY), ("server/src", SERVICE)];
    for (folder, allowed) in crates.into_iter().chain([("test-support/src", "")]) {
        let mut sources = Sources::new();
        read(&root.join(folder), "", &mut sources);
        let found = violations(&sources, allowed);
        let is_layered = sources.len() > 5 && found.is_empty();
        assert!(is_layered, "{folder}: {found:#?}");
    }
}

/// `a/one.rs` names `a/two.rs` through `a/mod.rs`, which names it through the root.
#[test]
fn violations_are_found_through_reexports() {
    let b = "use redis::{\n    self, Cmd};\n#[cfg(test)]\nmod tests {\n    use http::Uri;";
    let sources = [
        ("lib.rs", "mod a;\npub use a::One;"),
        ("a/mod.rs", "pub use one::One;\nuse two::Two;\nfn f() {}"),
        ("a/one.rs", "use super::Two;\nstruct One(Two); // crate::b"),
        ("a/two.rs", "pub(crate) struct Two(redis::Cmd, crate::One);"),
        ("b.rs", b),
    ];
    let sources = sources.map(|(file, text)| Source::new(file, text)).into();
    let expected = [
        "a/mod.rs holds code",
        "a/two.rs names redis::Cmd",
        "b.rs names redis",
        "b.rs names redis::Cmd",
        "cycle: a/one/ -> a/two/",
        "cycle: a/two/ -> a/one/",
    ];
    let found = violations(&sources, LIBRARY);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

/// The sources of a crate by module: `a/one` for `src/a/one.rs`, `a` for `src/a/mod.rs`.
type Sources = BTreeMap<String, Source>;

struct Source {
    file: String,
    /// The paths that it names, except in comments and unit tests.
    paths: BTreeSet<String>,
    /// It has more than `mod` and `use` declarations.
    has_code: bool,
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
            sources.extend([Source::new(&format!("{prefix}{name}"), &text)]);
        }
    }
}

impl Source {
    /// Returns the module of a file, and what its text contains.
    fn new(file: &str, text: &str) -> (String, Self) {
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

    fn is_mod(&self) -> bool {
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

fn violations(sources: &Sources, allowed: &str) -> BTreeSet<String> {
    let (mut found, mut edges) = (BTreeSet::new(), BTreeSet::new());
    // The root may name everything.
    for (module, source) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        let file = &source.file;
        if source.is_mod() && source.has_code {
            found.insert(format!("{file} holds code"));
        }
        for path in &source.paths {
            if is_misplaced(sources, module, path, allowed) {
                found.insert(format!("{file} names {path}"));
            }
            // What a `mod.rs` re-exports counts for those who name it there.
            if let Some(target) = target(sources, module, path).filter(|_| !source.is_mod()) {
                edges.insert(entries(module, &target));
            }
        }
    }
    let in_cycle = |(from, to): &&(String, String)| from != to && reaches(&edges, to, from);
    let cycles = edges.iter().filter(in_cycle);
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
