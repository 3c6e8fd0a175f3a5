//! The layering of the library, the service and this crate: imports have no cycles, and each
//! foreign crate is named in one module.

use std::collections::BTreeMap;
use std::path::Path;

use test_support::layering::Crate;

/// Where foreign crates may be named: the crate, and files and folders. Others are free.
type Foreign = &'static [(&'static str, &'static [&'static str])];

const LIBRARY: Foreign = &[
    ("arc_swap", &["store/redis/"]),
    ("aws_lc_rs", &["crypto/"]),
    ("axum_core", &["axum.rs"]),
    ("base64", &["encoding.rs"]),
    ("deadpool_redis", &["store/redis/", "reexports.rs"]),
    ("form_urlencoded", &["source/"]),
    ("getrandom", &["crypto/"]),
    (
        "http",
        &["source/", "middleware/", "axum.rs", "reexports.rs"],
    ),
    ("http_body", &["middleware/"]),
    ("http_body_util", &["middleware/", "axum.rs"]),
    ("indexmap", &["record/", "store/memory/"]),
    ("metrics", &["telemetry.rs"]),
    ("redis", &["store/redis/", "reexports.rs"]),
    ("rustls", &["store/redis/"]),
    ("rustls_native_certs", &["store/redis/"]),
    ("tokio_rustls", &["store/redis/"]),
    ("tower_layer", &["middleware/"]),
    ("tower_service", &["middleware/"]),
];

/// Redis and JWTs are reached through the library only.
const SERVICE: Foreign = &[
    ("aws_lc_rs", &["crypto.rs"]),
    ("base62", &["crypto.rs"]),
    ("clap", &["cli.rs"]),
    ("config", &["settings/"]),
    ("crc32fast", &["buckets/"]),
    ("governor", &["http/"]),
    ("hyper", &["serve.rs"]),
    ("hyper_util", &["serve.rs"]),
    ("jsonwebtoken", &[]),
    ("maud", &["admin/"]),
    ("metrics_exporter_prometheus", &["operators/"]),
    ("redis", &[]),
    ("tower_http", &["observe/"]),
    ("tracing_appender", &["log_writer.rs", "telemetry.rs"]),
    ("tracing_subscriber", &["telemetry.rs"]),
    ("utoipa_swagger_ui", &["operators/"]),
    ("zeroize", &["secret.rs"]),
];

#[test]
fn sources_are_layered() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (folder, foreign) in [
        ("", LIBRARY),
        ("server", SERVICE),
        ("test-support", &[][..]),
    ] {
        let src = Path::new(root).join(folder).join("src");
        let found = Crate::read(|name| std::fs::read_to_string(src.join(name)).ok());
        let mut wrong = found.cycles();
        wrong.extend(found.misplaced_crates(foreign));
        wrong.extend(found.mod_files_with_code());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// `a/one.rs` names `a/two.rs` through the private import of `a/mod.rs`, which names it through
/// the re-export of the root.
#[test]
fn a_cycle_through_reexports_is_found() {
    let files = BTreeMap::from([
        ("lib.rs", "mod a; pub use a::One;"),
        (
            "a/mod.rs",
            "mod one; mod two; pub use one::One; use two::Two; fn f() {}",
        ),
        (
            "a/one.rs",
            "use super::Two; pub struct One(Two); // crate::b",
        ),
        ("a/two.rs", "pub struct Two(Box<redis::Cmd>, crate::One);"),
    ]);
    let found = Crate::read(|name| files.get(name).map(|text| (*text).to_owned()));
    assert_eq!(
        found.cycles(),
        [
            "cycle in files: a/one.rs -> a/two.rs",
            "cycle in files: a/two.rs -> a/one.rs",
            "cycle in src/a/: one -> two",
            "cycle in src/a/: two -> one"
        ]
    );
    assert_eq!(
        found.misplaced_crates(LIBRARY),
        ["a/two.rs names redis::Cmd"]
    );
    assert_eq!(found.mod_files_with_code(), ["a/mod.rs holds code"]);
}
