//! Sessions in a file: crashes, a full disk, a second process.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, run, server, sessiond};
use crate::service::{MASTER_KEY, SECRET, json};

/// Returns the command line of a server whose sessions are in `folder`.
fn on_file(folder: &TempDir) -> Command {
    with_file(server(&[]), folder)
}

fn with_file(mut command: Command, folder: &TempDir) -> Command {
    command
        .arg("--store-file")
        .arg(folder.path().join("sessions.redb"))
        .env("SESSIOND__TOKENS__SECRET", SECRET)
        .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY);
    command
}

/// A client of the bucket `shop`.
#[derive(Clone)]
struct Shop {
    client: Client,
    address: SocketAddr,
    key: String,
}

impl Shop {
    async fn new(address: SocketAddr) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client");
        let mut shop = Self {
            client,
            address,
            key: MASTER_KEY.to_owned(),
        };
        let (status, body) = json(shop.put("/api-key/shop", "").await.expect("a key")).await;
        assert_eq!(status, 201, "{body}");
        shop.key = body["api_key"].as_str().expect("a key").to_owned();
        shop
    }

    async fn put(&self, path: &str, body: &str) -> reqwest::Result<Response> {
        let request = self.client.put(format!("http://{}{path}", self.address));
        let request = request.header("X-SESSION-KEY", &self.key);
        request.body(body.to_owned()).send().await
    }

    async fn get(&self, id: &str) -> (u16, Value) {
        let url = format!("http://{}/session/shop/{id}", self.address);
        let request = self.client.get(url).header("X-SESSION-KEY", &self.key);
        json(request.send().await.expect("an answer")).await
    }
}

#[tokio::test]
async fn a_killed_service_loses_no_acknowledged_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::start(&mut on_file(&folder));
    let mut shop = Shop::new(program.address()).await;
    let is_killed = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..16)
        .map(|writer| tokio::spawn(create_until_killed(shop.clone(), writer, is_killed.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    program.signal("KILL");
    is_killed.store(true, Ordering::Relaxed);
    program.wait();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer"));
    }
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());

    let program = Program::start(&mut on_file(&folder));
    shop.address = program.address();
    for (id, data) in &acknowledged {
        let (status, body) = shop.get(id).await;
        assert_eq!((status, &body["data"]), (200, &Value::from(&**data)));
    }
}

/// Creates sessions until the service is killed; returns those that were acknowledged.
async fn create_until_killed(
    shop: Shop,
    writer: usize,
    is_killed: Arc<AtomicBool>,
) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    while !is_killed.load(Ordering::Relaxed) {
        let data = format!("{writer}-{}", acknowledged.len());
        let Ok(response) = shop.put("/session/shop", &data).await else {
            break;
        };
        let Ok(body) = response
            .error_for_status()
            .expect("created")
            .json::<Value>()
            .await
        else {
            break;
        };
        acknowledged.push((body["id"].as_str().expect("an id").to_owned(), data));
    }
    acknowledged
}

#[test]
fn a_second_process_and_a_damaged_file_are_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.redb");
    let program = Program::start(&mut on_file(&folder));
    let assert_rejected = |message: &str| {
        let (code, _, error) = run(&mut on_file(&folder));
        assert!(code == 1 && error.contains(message), "{code}: {error}");
    };
    assert_rejected("store.file: the session store is not configured right");
    assert_rejected("sessions.redb: is in use; one process at a time can open it");
    drop(program);
    let whole = std::fs::read(&file).expect("the file");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("damage");
    assert_rejected("store.file: the file of the session store is damaged");
    std::fs::write(&file, "a text").expect("another file");
    assert_rejected("sessions.redb: is not a file of sessions");
}

/// Runs `check-config`; returns its exit code, its last line and its error.
fn check(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let check = [&["check-config"][..], arguments].concat();
    let (code, output, error) = run(&mut with_file(sessiond(&check), folder));
    let store = format!("\nstore: file at {}/s", folder.path().display());
    assert!(output.contains(&store), "{output}");
    assert!(!output.contains("warning"), "{output}");
    let last = output.lines().next_back().unwrap_or_default().to_owned();
    (code, last, error)
}

#[test]
fn check_config_does_not_create_the_file_and_opens_it_only_with_connect() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.redb");
    assert_eq!(check(&folder, &[]).0, 0);
    let (code, last, _) = check(&folder, &["--connect"]);
    let absent = "the file of the session store does not exist; a start creates it";
    assert_eq!((code, &*last), (0, absent));
    assert!(!file.exists());

    let mut program = Program::start(&mut on_file(&folder));
    program.wait_for(&format!("keeps sessions in the file {}", file.display()));
    assert!(!program.log().contains("kept in memory"));
    assert_eq!(check(&folder, &[]).0, 0);
    let (code, _, error) = check(&folder, &["--connect"]);
    assert_eq!(code, 1);
    assert!(error.contains("sessions.redb: is in use"), "{error}");
    program.signal("TERM");
    program.wait();

    let (code, last, error) = check(&folder, &["--connect"]);
    assert_eq!((code, &*error), (0, ""));
    assert_eq!(last, "the session store answers");
    std::fs::write(&file, "a text").expect("another file");
    assert_eq!(check(&folder, &[]).0, 0);
    assert_eq!(check(&folder, &["--connect"]).0, 1);
    assert_eq!(std::fs::read(&file).expect("the file"), b"a text");
}

#[tokio::test]
async fn a_full_disk_fails_writes_until_there_is_space() {
    let folder = tempfile::tempdir().expect("a folder");
    // The size of the file is limited in place of the disk. The limit is not a signal.
    let command = on_file(&folder);
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let program = Program::start(&mut limited);
    let shop = Shop::new(program.address()).await;
    let (_, first) = json(shop.put("/session/shop", "first").await.expect("an answer")).await;
    let first = first["id"].as_str().expect("an id");

    let size = folder
        .path()
        .join("sessions.redb")
        .metadata()
        .expect("the file")
        .len();
    limit_file_size(&program, &size.to_string());
    let large = "x".repeat(200_000);
    let fails = async || !is_created(&shop, &large).await;
    // The file is opened again after a failure, which can take longer than the deadline.
    let reads = async || shop.get(first).await.0 == 200;
    assert!(soon(fails).await, "the file grew");
    assert!(soon(reads).await, "reads go on");
    limit_file_size(&program, "unlimited");
    assert!(soon(async || is_created(&shop, &large).await).await);
    assert!(soon(reads).await);
}

async fn is_created(shop: &Shop, data: &str) -> bool {
    let response = shop.put("/session/shop", data).await.expect("an answer");
    let status = response.status().as_u16();
    assert!(matches!(status, 201 | 503 | 507), "{status}");
    status == 201
}

/// Tries `attempt` for at most ten seconds.
async fn soon(attempt: impl AsyncFn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if attempt().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Sets the soft limit, which may be raised again.
fn limit_file_size(program: &Program, bytes: &str) {
    let mut command = Command::new("prlimit");
    command.args([
        "--pid",
        &program.id().to_string(),
        &format!("--fsize={bytes}:"),
    ]);
    assert!(command.status().expect("run prlimit").success());
}
