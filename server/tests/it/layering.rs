//! The layering of the service: imports run one way, and each foreign crate is named in one module.

use crate::support::layering::Crate;

/// Foreign crates and the modules that may name them. The others may be named anywhere.
///
/// Redis and JWTs are reached through the library only.
const FOREIGN: &[(&str, &[&str])] = &[
    ("aws_lc_rs", &["crypto.rs"]),
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
    (
        "tracing_subscriber",
        &["log_lines.rs", "log_writer.rs", "telemetry.rs"],
    ),
    ("utoipa_swagger_ui", &["operators/"]),
    ("zeroize", &["admin/", "secret.rs"]),
];

fn service() -> Crate {
    Crate::read(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_import_cycle_between_files() {
    let found = service().cycles_between_files();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_import_cycle_between_folders() {
    let found = service().cycles_between_folders();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_foreign_crate_is_named_in_one_module() {
    let found = service().foreign_crates_elsewhere(FOREIGN);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn mod_files_hold_no_code() {
    assert_eq!(service().mod_files_with_code(), [""; 0]);
}
