//! The walls of the service: which room may name which foreign crate, and which way imports run.

use crate::support::walls::House;

const HOUSE: House = House {
    root: env!("CARGO_MANIFEST_DIR"),
    ranks: &[
        &[
            "crypto",
            "json_response",
            "log_writer",
            "request_scope",
            "unix_time",
        ],
        &["secret"],
        &["settings"],
        &["optional", "start_error", "store_failure", "telemetry"],
        &["error"],
        &["retry"],
        &["http"],
        &["app_state"],
        &["master_keys"],
        &["operators"],
        &["buckets", "rpc", "users"],
        &["admin"],
        &["observe"],
        &["app"],
        &["serve"],
        &["workers"],
        &["cli"],
    ],
    outside: &["lib.rs", "main.rs"],
    doors: &[
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
        ("tracing_subscriber", &["log_writer.rs", "telemetry.rs"]),
        ("utoipa_swagger_ui", &["operators/"]),
        ("zeroize", &["admin/", "secret.rs"]),
    ],
};

#[test]
fn imports_run_one_way() {
    let wrong = HOUSE.imports_that_run_upward();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The service knows of Redis and of JWTs through the library only.
#[test]
fn each_foreign_crate_has_one_door() {
    let wrong = HOUSE.crates_outside_their_room();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
