//! The walls of the house: which room may name which foreign crate, and which way imports run.

use crate::support::walls::{self, House};

const HOUSE: House = House {
    root: env!("CARGO_MANIFEST_DIR"),
    ranks: &[
        &["clock", "crypto", "token_rejection"],
        &["id"],
        &["store", "token"],
        &["error", "source", "stepping", "telemetry", "testing"],
        &["record"],
        &["lifecycle"],
        &["session"],
        &["sessions"],
        &["builder", "middleware"],
        &["axum"],
    ],
    outside: &["lib.rs", "config.rs", "reexports.rs"],
    doors: &[
        ("arc_swap", &["store/redis/"]),
        ("aws_lc_rs", &["crypto.rs"]),
        ("axum_core", &["axum.rs"]),
        ("deadpool_redis", &["store/redis/", "reexports.rs"]),
        ("form_urlencoded", &["source/"]),
        ("getrandom", &["crypto.rs"]),
        (
            "http",
            &["source/", "middleware/", "axum.rs", "reexports.rs"],
        ),
        ("http_body", &["middleware/"]),
        ("indexmap", &["record/", "store/memory/"]),
        ("jsonwebtoken", &["token/"]),
        ("metrics", &["telemetry.rs"]),
        ("redis", &["store/redis/", "reexports.rs"]),
        ("rustls", &["store/redis/"]),
        ("tower_layer", &["middleware/"]),
        ("tower_service", &["middleware/"]),
    ],
};

#[test]
fn imports_run_one_way() {
    let wrong = HOUSE.imports_that_run_upward();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_foreign_crate_has_one_door() {
    let wrong = HOUSE.crates_outside_their_room();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_folder_is_a_table_of_contents() {
    for source in HOUSE
        .sources()
        .iter()
        .filter(|source| source.path.ends_with("mod.rs"))
    {
        let logic = source.code.iter().find(|line| {
            let line = line.trim_start();
            [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "impl ",
                "struct ",
                "enum ",
            ]
            .iter()
            .any(|word| line.starts_with(word))
        });
        assert_eq!(logic, None, "{} holds code", source.path);
    }
}

#[test]
fn the_walls_would_be_missed() {
    let names: Vec<_> =
        walls::roots("use redis::{Cmd}; let a = crate::redis::b(http::X)").collect();
    assert_eq!(names, ["redis", "crate", "http"]);
    assert_eq!(walls::code("a\n  // b\nmod tests {\nc"), ["a"]);
    assert!(HOUSE.rank("lifecycle") < HOUSE.rank("middleware"));
}
