//! The layering of the library, the service and this crate: imports have no cycles, each foreign
//! crate is named in one module, and `mod.rs` files hold no code.

mod imports;
mod map;

use std::collections::BTreeSet;
use std::path::Path;

use imports::{Source, Sources, edges, reaches, read};

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

fn violations(sources: &Sources, allowed: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
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
        }
    }
    let edges = edges(sources);
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
