//! The calls in the README, run in order.

use std::process::Command;

use crate::program::{Program, server};
use crate::support::redis_server::RedisServer;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const MASTER_KEY: &str = "a-master-key-of-at-least-32-characters";

/// Records the status of each response without changing what the calls print.
const CURL: &str = r#"
set -eu -o pipefail
curl() { command curl --noproxy '*' -sS -w '%{stderr}%{http_code}\n' "$@" 2>>"$STATUSES"; }
"#;

/// Returns the blocks of shell that call the service.
fn calls() -> Vec<String> {
    let readme = std::fs::read_to_string(README).expect("the README");
    let blocks = readme.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let calls = blocks.filter(|block| block.contains("curl $URL") || block.contains("rpc() {"));
    calls.map(str::to_owned).collect()
}

/// Returns the statuses in the comments below the calls: `# 201 …`.
fn expected(calls: &[String]) -> Vec<String> {
    let lines = calls.iter().flat_map(|block| block.lines());
    let comments = lines.filter_map(|line| line.strip_prefix("# ")?.get(..3));
    let statuses = comments.filter(|status| status.parse::<u16>().is_ok());
    statuses.map(str::to_owned).collect()
}

fn run(args: &[&str]) {
    let program = Program::start(server(args).envs([
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__TOKENS__SECRET", crate::service::SECRET),
    ]));
    let calls = calls();
    let expected = expected(&calls);
    assert!(calls.len() >= 6 && expected.len() >= 35, "{expected:?}");
    let statuses = tempfile::NamedTempFile::new().expect("a temporary file");
    let address = program.address().to_string();
    let script = calls.concat().replace("127.0.0.1:8385", &address);
    let output = Command::new("bash")
        .args(["-c", &format!("{CURL}{script}")])
        .env("MASTER_KEY", MASTER_KEY)
        .env("STATUSES", statuses.path())
        .output()
        .expect("bash");
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let statuses = std::fs::read_to_string(statuses.path()).expect("the statuses");
    assert_eq!(statuses.lines().collect::<Vec<_>>(), expected, "{printed}");
    assert!(output.status.success(), "{printed}");
}

#[test]
fn calls_return_the_documented_statuses_in_memory_and_on_redis() {
    run(&[]);
    run(&["--redis", &RedisServer::start().url()]);
}
