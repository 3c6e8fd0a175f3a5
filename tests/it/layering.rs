//! The layering of the library: imports run one way, and each foreign crate is named in one module.

use std::collections::BTreeMap;

use crate::support::layering::Crate;

/// Foreign crates and the modules that may name them. The others may be named anywhere.
const FOREIGN: &[(&str, &[&str])] = &[
    ("arc_swap", &["store/redis/"]),
    ("aws_lc_rs", &["crypto/"]),
    ("base64", &["encoding.rs"]),
    ("axum_core", &["axum.rs"]),
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
    ("tower_layer", &["middleware/"]),
    ("tower_service", &["middleware/"]),
];

fn library() -> Crate {
    Crate::read(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_import_cycle_between_files() {
    let found = library().cycles_between_files();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_import_cycle_between_folders() {
    let found = library().cycles_between_folders();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_foreign_crate_is_named_in_one_module() {
    let found = library().foreign_crates_elsewhere(FOREIGN);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn mod_files_hold_no_code() {
    assert_eq!(library().mod_files_with_code(), [""; 0]);
}

/// `a/one.rs` names `a/two.rs` through the re-export of `a/mod.rs`, which names it by `super`.
#[test]
fn a_cycle_through_a_reexport_is_found() {
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
    let foreign = found.foreign_crates_elsewhere(FOREIGN);
    assert_eq!(foreign, ["a/two.rs names redis::Cmd"]);
}
