//! The layering of the library, the service and this crate: imports have no cycles, and each
//! foreign crate is named in one module.

use std::collections::BTreeMap;

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
fn the_library_is_layered() {
    check(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), LIBRARY);
}

#[test]
fn the_service_is_layered() {
    check(concat!(env!("CARGO_MANIFEST_DIR"), "/../server"), SERVICE);
}

#[test]
fn the_test_support_is_layered() {
    check(env!("CARGO_MANIFEST_DIR"), &[]);
}

fn check(folder: &str, foreign: Foreign) {
    let found = Crate::read(folder);
    let mut wrong = found.cycles_between_files();
    wrong.extend(found.cycles_between_folders());
    wrong.extend(found.foreign_crates_elsewhere(foreign));
    let code = found.mod_files_with_code().into_iter();
    wrong.extend(code.map(|file| format!("{file} holds code")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `a/one.rs` names `a/two.rs` through the private import of `a/mod.rs`, which names it through
/// the re-export of the root.
#[test]
fn a_cycle_through_reexports_is_found() {
    let files = [
        ("lib.rs", "mod a; pub use a::One;"),
        (
            "a/mod.rs",
            "mod one; mod two; pub use one::One; use two::Two;",
        ),
        (
            "a/one.rs",
            "use super::Two; pub struct One(Two); // crate::b",
        ),
        ("a/two.rs", "pub struct Two(Box<redis::Cmd>, crate::One);"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let found = Crate::from_files(&BTreeMap::from(files));
    let cycle = "a/one.rs -> a/two.rs, a/two.rs -> a/one.rs";
    assert_eq!(found.cycles_between_files(), [cycle]);
    let cycle = "in src/a/: one -> two, two -> one";
    assert_eq!(found.cycles_between_folders(), [cycle]);
    let foreign = found.foreign_crates_elsewhere(LIBRARY);
    assert_eq!(foreign, ["a/two.rs names redis::Cmd"]);
}

#[test]
fn code_in_a_mod_file_is_found() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a/mod.rs",
            "//! Doc.\n#![allow(dead_code)]\npub(crate) mod c { pub struct D; }",
        ),
        (
            "b/mod.rs",
            "#[cfg(test)] mod tests; pub(crate) use crate::a::c::D; fn f() {}",
        ),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let found = Crate::from_files(&BTreeMap::from(files));
    assert_eq!(found.mod_files_with_code(), ["a/mod.rs", "b/mod.rs"]);
}
