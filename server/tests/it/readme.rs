//! The README's calls, in their order, as a newcomer makes them.

use std::process::Command;

use crate::program::{Program, sessiond};
use crate::support::redis_server::RedisServer;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const MASTER_KEY: &str = "a-master-key-of-at-least-32-characters";

/// Notes the status of each answer; what is asked and answered stays as it is.
const CURL: &str = r#"
set -eu -o pipefail
curl() { command curl --noproxy '*' -sS -w '%{stderr}%{http_code}\n' "$@" 2>>"$STATUSES"; }
"#;

/// The blocks of shell that call the service.
fn calls() -> Vec<String> {
    let readme = std::fs::read_to_string(README).expect("the README");
    let blocks = readme.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let calls = blocks.filter(|block| block.contains("curl $URL") || block.contains("rpc() {"));
    calls.map(str::to_owned).collect()
}

/// The statuses that stand below the calls: `# 201 …`.
fn promised(calls: &[String]) -> Vec<String> {
    let lines = calls.iter().flat_map(|block| block.lines());
    let status = |line: &str| {
        let status: String = line.strip_prefix("# ")?.chars().take(3).collect();
        status.parse::<u16>().ok().map(|_| status)
    };
    lines.filter_map(status).collect()
}

fn run_against(program: &Program) {
    let calls = calls();
    let promised = promised(&calls);
    assert!(calls.len() >= 6 && promised.len() >= 35, "{promised:?}");
    let statuses = tempfile::NamedTempFile::new().expect("a temporary file");
    let script = calls.concat().replace("127.0.0.1:8385", &program.address());
    let output = Command::new("bash")
        .args(["-c", &format!("{CURL}{script}")])
        .env("MASTER_KEY", MASTER_KEY)
        .env("STATUSES", statuses.path())
        .output()
        .expect("bash");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let statuses = std::fs::read_to_string(statuses.path()).expect("the statuses");
    let statuses: Vec<_> = statuses.lines().collect();
    assert_eq!(statuses, promised, "{told}\n{complaint}");
    assert!(output.status.success(), "{told}\n{complaint}");
}

fn service(args: &[&str]) -> Program {
    let mut command = sessiond(&["--listen", "127.0.0.1:0"]);
    Program::start(command.args(args).envs([
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__TOKENS__SECRET", crate::service::SECRET),
    ]))
}

#[test]
fn every_call_of_the_readme_is_answered_as_it_says_with_memory() {
    run_against(&service(&[]));
}

#[test]
fn every_call_of_the_readme_is_answered_as_it_says_with_redis() {
    let redis = RedisServer::start();
    run_against(&service(&["--redis", &redis.url()]));
}

/// The first block: what a newcomer types before anything runs.
#[test]
fn the_readme_tells_how_to_start_it() {
    let readme = std::fs::read_to_string(README).expect("the README");
    let (_, block) = readme.split_once("```sh\n").expect("a block");
    let block = block.split("```").next().expect("its end");
    assert!(block.contains("cargo run -p jwt-redis-session-server &"));
    let variables = ["BUCKETS__MASTER_KEYS", "USERS__ENABLED"];
    assert!(
        variables
            .iter()
            .all(|name| block.contains(&format!("SESSIOND__{name}=")))
    );
}
