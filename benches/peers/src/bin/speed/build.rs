//! Builds the programs that are not this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds `sessiond` and returns its path.
pub(crate) fn sessiond() -> PathBuf {
    cargo("../../Cargo.toml", "jwt-redis-session-server", "sessiond")
}

/// Builds the program that counts allocations and returns its path.
pub(crate) fn in_process() -> PathBuf {
    cargo("Cargo.toml", env!("CARGO_PKG_NAME"), "in_process")
}

fn cargo(manifest: &str, package: &str, program: &str) -> PathBuf {
    eprintln!("building {program}");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--release",
        "--message-format=json-render-diagnostics",
    ]);
    cargo.args(["--package", package, "--bin", program, "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest));
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.expect("cargo starts");
    assert!(output.status.success(), "{program} does not build");
    let messages = String::from_utf8(output.stdout).expect("UTF-8");
    let messages = messages.lines().map(serde_json::from_str::<Value>);
    let mut paths = messages.filter_map(|message| {
        let path = message.expect("JSON")["executable"].as_str()?.to_owned();
        path.ends_with(program).then(|| path.into())
    });
    paths.next().expect("the path of the program")
}
