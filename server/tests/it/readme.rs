//! The calls in the README and in the introduction of the OpenAPI document, run in order.

use std::path::Path;
use std::process::Command;

use crate::program::{Program, server};
use crate::support::redis_server::RedisServer;

const SERVER: &str = env!("CARGO_MANIFEST_DIR");
const MASTER_KEY: &str = "a-master-key-of-at-least-32-characters";
const GATEWAY_SECRET: &str = "a-gateway-secret-of-at-least-32-characters";

/// Records the status of each response without changing what the calls print.
const CURL: &str = r#"
set -eu -o pipefail
curl() { command curl --noproxy '*' -sS -w '%{stderr}%{http_code}\n' "$@" 2>>"$STATUSES"; }
"#;

/// The calls of the introduction use the key that an earlier one has returned.
const KEEP_KEY: &str = r#"
API_KEY=
curl() {
  local body
  body=$(command curl --noproxy '*' -sS -w '%{stderr}%{http_code}\n' "$@" 2>>"$STATUSES")
  case $body in *'"api_key":"'*) API_KEY=${body#*'"api_key":"'} API_KEY=${API_KEY%%'"'*} ;; esac
}
URL=http://127.0.0.1:8385
"#;

/// Returns the blocks of shell that call the service.
fn calls(files: &[&str]) -> Vec<String> {
    let read = |file| std::fs::read_to_string(Path::new(SERVER).join(file)).expect("a file");
    let text: String = files.iter().map(read).collect();
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let calls = blocks.filter(|block| block.contains("$URL") || block.contains("rpc() {"));
    calls.map(str::to_owned).collect()
}

/// Returns the statuses in the comments below the calls: `# 201 …`.
fn expected(calls: &[String]) -> Vec<String> {
    let lines = calls.iter().flat_map(|block| block.lines());
    let comments = lines.filter_map(|line| line.strip_prefix("# ")?.get(..3));
    let statuses = comments.filter(|status| status.parse::<u16>().is_ok());
    statuses.map(str::to_owned).collect()
}

/// Runs `calls` after `prelude`, with a service that gets `args`.
fn run(args: &[&str], prelude: &str, calls: &[String]) {
    let program = Program::start(server(args).envs([
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__INTROSPECTION__ENABLED", "true"),
        ("SESSIOND__INTROSPECTION__SECRETS", GATEWAY_SECRET),
        ("SESSIOND__TOKENS__SECRET", crate::service::SECRET),
    ]));
    let expected = expected(calls);
    let statuses = tempfile::NamedTempFile::new().expect("a temporary file");
    let address = program.address().to_string();
    let script = [prelude, &calls.concat()]
        .concat()
        .replace("127.0.0.1:8385", &address);
    let output = Command::new("bash")
        .args(["-c", &format!("{CURL}{script}")])
        .env("MASTER_KEY", MASTER_KEY)
        .env("GATEWAY_SECRET", GATEWAY_SECRET)
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
    let calls = calls(&["README.md"]);
    assert!(calls.len() >= 6 && expected(&calls).len() >= 35);
    run(&[], "", &calls);
    run(&["--redis", &RedisServer::start().url()], "", &calls);
}

#[test]
fn first_calls_of_the_document_return_the_documented_statuses() {
    let calls = calls(&[
        "src/buckets/introduction.md",
        "src/rpc/introduction.md",
        "src/users/introduction.md",
        "src/introspection/introduction.md",
    ]);
    let statuses = ["201", "201", "200", "201", "200", "200", "200"];
    assert_eq!(expected(&calls), statuses);
    run(&[], KEEP_KEY, &calls);
}
