//! `compose.yaml` and the systemd unit: their settings, variables and files start the program.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use reqwest::Client;
use serde_json::json;

use crate::program::{Program, run, server, sessiond};
use crate::support::redis_server::RedisServer;

const COMPOSE: &str = include_str!("../../../compose.yaml");
const UNIT: &str = include_str!("../../contrib/sessiond.service");

fn bash(script: &str, directory: &Path) {
    let bash = Command::new("bash")
        .args(["-ec", script])
        .current_dir(directory)
        .output();
    let output = bash.expect("bash");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Returns the lines below `start` that are indented further, without comments.
fn block<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let (_, rest) = text.split_once(&format!("{start}\n")).expect(start);
    let start = start.trim_start_matches('\n');
    let indent = start.len() - start.trim_start().len();
    let lines = rest
        .lines()
        .take_while(|line| line.len() - line.trim_start().len() > indent);
    let lines = lines.map(str::trim);
    lines.filter(|line| !line.starts_with('#')).collect()
}

/// Returns the variables of the service in `compose.yaml`.
fn compose_variables() -> HashMap<&'static str, &'static str> {
    let service = COMPOSE
        .split_once("\n  sessiond:\n")
        .expect("the service")
        .1;
    let variables = block(service, "    environment:");
    let variables = variables
        .into_iter()
        .map(|line| line.split_once(": ").expect("a value"));
    variables.collect()
}

/// Starts the program with variables and creates an API key and a session of the RPC API with the
/// secrets in a directory.
async fn serves(command: &mut Command, secrets: &Path) {
    let program = Program::start(command);
    let secret = |name: &str| {
        let text = std::fs::read_to_string(secrets.join(name)).expect(name);
        text.trim_end().to_owned()
    };
    let client = Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}", program.address());
    let key = client.put(format!("{url}/api-key/shop"));
    let key = key
        .header("x-session-key", secret("master-key"))
        .send()
        .await;
    assert_eq!(key.expect("a response").status(), 201);
    for (sent, expected) in [(secret("rpc"), 200), (secret("tokens"), 401)] {
        let call = client
            .post(format!("{url}/rpc/create"))
            .header("x-sessiond-secret", sent);
        let args = json!({ "args": r#"{"session":{},"userId":"jo"}"# });
        let response = call.json(&args).send().await.expect("a response");
        assert_eq!(response.status(), expected);
    }
}

/// Runs the commands in the head of `compose.yaml`, which create its files of secrets.
fn create_compose_secrets(directory: &Path) {
    let head = COMPOSE.lines().take_while(|line| line.starts_with('#'));
    let commands: Vec<_> = head.filter_map(|line| line.strip_prefix("#   ")).collect();
    let (up, commands) = commands.split_last().expect("commands");
    assert_eq!(*up, "docker compose up -d");
    bash(&commands.join("\n"), directory);
    for line in block(COMPOSE, "\nsecrets:") {
        let file = line.strip_prefix("file: ./");
        let exists = file.is_none_or(|file| directory.join(file).is_file());
        assert!(exists, "{line}");
    }
}

#[tokio::test]
async fn compose_starts_with_the_secrets_that_its_head_creates() {
    let directory = tempfile::tempdir().expect("a directory");
    create_compose_secrets(directory.path());
    let secrets = directory.path().join("secrets");
    let mut variables = compose_variables();
    assert_eq!(variables.remove("RUST_LOG"), Some("${RUST_LOG:-info}"));
    let url = variables.remove("SESSIOND__STORE__REDIS");
    assert_eq!(url, Some("redis://redis:6379/"));
    let path = secrets.to_str().expect("UTF-8");
    let variables = variables.into_iter().map(|(name, file)| {
        assert!(file.starts_with("/run/secrets/"), "{name}");
        (name, file.replace("/run/secrets", path))
    });
    let variables: HashMap<_, _> = variables.collect();
    let redis = RedisServer::start();
    // As in the image: reachable from other machines.
    let exposed = ["check-config", "--listen", "0.0.0.0:8385"];
    let mut check = sessiond(&[&exposed[..], &["--redis", &redis.url()]].concat());
    let (code, output, error) = run(check.envs(&variables));
    assert_eq!((code, &*error), (0, ""), "{output}");
    assert!(!output.contains("warning"), "{output}");
    let mut command = server(&["--json-logs", "--redis", &redis.url()]);
    serves(command.envs(&variables), &secrets).await;
}

#[tokio::test]
async fn the_systemd_unit_starts_with_the_credentials_that_its_head_creates() {
    let directory = tempfile::tempdir().expect("a directory");
    let head = UNIT.lines().take_while(|line| line.starts_with('#'));
    let mut commands = head.filter_map(|line| line.strip_prefix("#   "));
    let commands = commands
        .by_ref()
        .skip_while(|line| !line.starts_with("for "))
        .take(3);
    let script = commands.collect::<Vec<_>>().join("\n");
    let path = directory.path().to_str().expect("UTF-8");
    let script = script.replace("/etc/sessiond", path);
    let script = script.replace(
        "sessiond generate-secret",
        concat!(env!("CARGO_BIN_EXE_sessiond"), " generate-secret"),
    );
    bash(&script, directory.path());
    let lines = UNIT.lines().filter_map(|line| line.split_once('='));
    let credentials = lines.clone().filter(|(name, _)| *name == "LoadCredential");
    for (_, credential) in credentials {
        let (name, file) = credential.split_once(':').expect("a file");
        assert_eq!(file, format!("/etc/sessiond/{name}"));
        assert!(directory.path().join(name).is_file(), "{name}");
    }
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config.yml");
    let mut command = server(&["--config", config]);
    let variables = lines.filter(|(name, _)| *name == "Environment");
    let variables = variables.filter_map(|(_, variable)| variable.split_once('='));
    command.envs(variables.map(|(name, value)| (name, value.replace("%d", path))));
    serves(&mut command, directory.path()).await;
}
