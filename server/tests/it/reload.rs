//! SIGHUP replaces keys, secrets and certificates of the running program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, sessiond};
use crate::service::{MASTER_KEY, SECRET};
use crate::support::certificates::Certificates;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

const NEXT: &str = "the next signing secret of at least 32 characters";

/// The program with a configuration file that tests change.
struct Configured {
    folder: TempDir,
    program: Program,
    client: Client,
}

impl Configured {
    /// Starts the program on `redis`, or in memory.
    fn start(redis: Option<&str>, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/keys");
        for (name, key) in [("old", "ed25519"), ("new", "ed25519.other")] {
            let private = format!("{keys}/{key}.pem");
            let public = folder.path().join(format!("{name}.pub.pem"));
            let mut openssl = Command::new("openssl");
            openssl.args(["pkey", "-pubout", "-in", &private, "-out"]);
            assert!(openssl.arg(public).status().expect("openssl").success());
            let copy = folder.path().join(format!("{name}.pem"));
            std::fs::copy(private, copy).expect("a copy");
        }
        write(folder.path(), settings);
        let config = folder.path().join("config.yml");
        let mut command = sessiond(&["--config", config.to_str().expect("UTF-8")]);
        if let Some(url) = redis {
            command.args(["--redis", url]);
        }
        let program = Program::start(command.current_dir(folder.path()));
        let client = Client::builder().no_proxy().build().expect("a client");
        Self {
            folder,
            program,
            client,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.program.address())
    }

    /// Changes the settings, sends SIGHUP, and waits until the log contains `logged` once more.
    fn reload(&self, settings: &[&str], logged: &str) {
        write(self.folder.path(), settings);
        let count = || self.program.log().matches(logged).count();
        let before = count();
        self.program.signal("HUP");
        for _ in 0..1000 {
            if count() > before {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("no `{logged}` in {}", self.program.log());
    }

    fn assert_refused(&self, settings: &[&str], reason: &str) {
        self.reload(settings, REFUSED);
        let log = self.program.log();
        let line = log.lines().rfind(|line| line.contains(REFUSED));
        let is_named = line.is_some_and(|line| line.contains(reason));
        assert!(is_named && !log.contains("h1dd3n"), "{reason}: {log}");
    }

    async fn call(&self, method: &str, args: Value, secret: &str) -> (StatusCode, Value) {
        let request = self.client.post(self.url(&format!("/rpc/{method}")));
        let request = request.header("x-sessiond-secret", secret);
        let body = json!({ "args": args.to_string() });
        let response = request.json(&body).send().await.expect("a response");
        (response.status(), response.json().await.expect("JSON"))
    }

    async fn create(&self) -> String {
        let args = json!({ "session": { "a": 1 }, "userId": "jo" });
        let (_, body) = self.call("create", args, "").await;
        body["result"]["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    async fn assert_valid(&self, token: &str) {
        let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
        let answer = self.call("get", args, "").await;
        assert_eq!(answer, (StatusCode::OK, json!({ "result": { "a": 1 } })));
    }

    /// Returns the names of the published keys.
    async fn kids(&self) -> Vec<String> {
        let response = self
            .client
            .get(self.url("/.well-known/jwks.json"))
            .send()
            .await;
        let response = response.expect("a response");
        let cached = &response.headers()["cache-control"];
        assert_eq!(cached, "public, max-age=300");
        let set: Value = response.json().await.expect("JSON");
        let keys = set["keys"].as_array().expect("keys");
        let kid = |key: &Value| {
            assert!(key.get("d").is_none(), "a private key");
            key["kid"].as_str().expect("a name").to_owned()
        };
        keys.iter().map(kid).collect()
    }

    async fn wait_for_kids(&self, expected: &[&str]) {
        eventually("the keys are published", async || {
            (self.kids().await == expected).then_some(())
        })
        .await;
    }
}

/// Writes a configuration file of several lines, each `section.key: value`, with all on one thread.
fn write(folder: &Path, settings: &[&str]) {
    let mut config = json!({
        "http": { "listen": "127.0.0.1:0", "threads": 1 },
        "tokens": { "secret": SECRET },
        "store": { "deadline": "10s" },
    });
    for line in settings {
        let (name, value) = line.split_once(": ").expect("a setting");
        let (section, key) = name.split_once('.').expect("a section");
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        config[section][key] = value;
    }
    // JSON is YAML.
    std::fs::write(folder.join("config.yml"), config.to_string()).expect("write");
}

/// Returns the name of the key in the header of a token.
fn kid(token: &str) -> String {
    use jwt_redis_session::token::Key;
    use jwt_redis_session::{Algorithm, Keyring};

    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/keys");
    for name in ["ed25519", "ed25519.other"] {
        let pem = std::fs::read(format!("{keys}/{name}.pem")).expect("a key");
        let keyring = Keyring::builder(Algorithm::EdDsa).signing(Key::pem(pem));
        let keyring = keyring.thumbprint_kids().build().expect("a key ring");
        if keyring.verify(token, std::time::SystemTime::now()).is_ok() {
            let set: Value = serde_json::from_str(&keyring.jwks()).expect("JSON");
            return set["keys"][0]["kid"].as_str().expect("a name").to_owned();
        }
    }
    panic!("no key verifies the token");
}

const LOADED: &str = "were read again";
const REFUSED: &str = "cannot reload";
const EDDSA: &str = "tokens.algorithm: EdDSA";

async fn keys_rotate_in_three_steps(redis: Option<&str>) {
    let old_key = "tokens.key_file: old.pem";
    let service = Configured::start(redis, &[EDDSA, old_key]);
    let first = service.create().await;
    let old = kid(&first);
    service.wait_for_kids(&[&old]).await;

    let next = r#"tokens.previous_key_files: ["new.pub.pem"]"#;
    service.reload(&[EDDSA, old_key, next], LOADED);
    eventually("two keys", async || {
        (service.kids().await.len() == 2).then_some(())
    })
    .await;
    let both = service.kids().await;
    assert_eq!(both[0], old);
    let new = both[1].clone();
    assert_eq!(
        kid(&service.create().await),
        old,
        "the new key signs nothing yet"
    );

    let previous = r#"tokens.previous_key_files: ["old.pub.pem"]"#;
    let new_key = "tokens.key_file: new.pem";
    service.reload(&[EDDSA, new_key, previous], LOADED);
    service.wait_for_kids(&[&new, &old]).await;
    let second = service.create().await;
    assert_eq!(kid(&second), new);
    service.assert_valid(&first).await;
    service.assert_valid(&second).await;

    service.reload(&[EDDSA, new_key], LOADED);
    service.wait_for_kids(&[&new]).await;
    service.assert_valid(&second).await;
    let args = json!({ "token": first, "sessionVersion": "v1" });
    assert_eq!(
        service.call("get", args, "").await.0,
        400,
        "the key was removed"
    );
}

#[tokio::test]
async fn keys_rotate_in_memory() {
    keys_rotate_in_three_steps(None).await;
}

#[tokio::test]
async fn keys_rotate_on_redis() {
    keys_rotate_in_three_steps(Some(&RedisServer::start().url())).await;
}

#[tokio::test]
async fn a_failed_reload_keeps_the_old_keys_and_says_why() {
    const TWICE: &str = r#"tokens.previous_key_files: ["old.pub.pem"]"#;

    let settings = [EDDSA, "tokens.key_file: old.pem"];
    let service = Configured::start(None, &settings);
    let token = service.create().await;
    let old = kid(&token);
    let damaged = service.folder.path().join("damaged.pem");
    std::fs::write(&damaged, "-----BEGIN PRIVATE KEY-----\nh1dd3n\n").expect("write");
    for (settings, reason) in [
        (
            &[EDDSA, "tokens.key_file: damaged.pem"][..],
            "tokens.key_file: the key cannot be used",
        ),
        (
            &[EDDSA, "tokens.key_file: absent.pem"],
            "tokens.key_file: cannot be read",
        ),
        (
            &[EDDSA, "tokens.key_file: new.pem"],
            "would no longer be accepted",
        ),
        (&["tokens.algorithm: HS256"], "would no longer be accepted"),
        (&["tokens.algorithm: none"], "tokens.algorithm: must be"),
        (
            &[EDDSA, settings[1], "tokens.secret: short"],
            "tokens.secret: must be at least",
        ),
        (
            &[EDDSA, settings[1], TWICE],
            "tokens.previous_key_files: two keys have the same kid",
        ),
    ] {
        service.assert_refused(settings, reason);
        service.assert_valid(&token).await;
        assert_eq!(kid(&service.create().await), old);
    }
}

#[tokio::test]
async fn secrets_and_master_keys_are_replaced() {
    let masters = format!("buckets.master_keys: [\"{MASTER_KEY}\"]");
    let service = Configured::start(None, &[&masters, "rpc.session_ttl: 1h"]);
    let token = service.create().await;

    let previous = format!("tokens.previous_secrets: [\"{SECRET}\"]");
    let secret = format!("rpc.secret: {NEXT}2");
    let other = "another master key of at least 32 characters";
    let masters = format!("buckets.master_keys: [\"{other}\"]");
    let current = format!("tokens.secret: {NEXT}");
    let ttl = "rpc.session_ttl: 2h";
    service.reload(&[&current, &previous, &masters, &secret, ttl], LOADED);
    let log = service.program.log();
    assert!(log.contains("other settings have changed too"), "{log}");
    let put = async |key: &str| {
        let request = service.client.put(service.url("/api-key/shop"));
        let response = request.header("x-session-key", key).send().await;
        response.expect("a response").status()
    };
    eventually("the old master key is rejected", async || {
        (put(MASTER_KEY).await == 401).then_some(())
    })
    .await;
    assert_eq!(put(other).await, 201);
    let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
    assert_eq!(service.call("get", args.clone(), "").await.0, 401);
    let answer = service.call("get", args, &format!("{NEXT}2")).await;
    assert_eq!(
        answer.1,
        json!({ "result": { "a": 1 } }),
        "the token is valid"
    );
}

/// Sends a login of an operator on an open connection, and returns the status.
fn log_in(connection: &mut BufReader<UnixStream>, key: &str) -> u16 {
    let body = format!("key={}", key.replace(' ', "+"));
    let length = body.len();
    let request = format!(
        "POST /admin/login HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    );
    let sent = connection.get_mut().write_all(request.as_bytes());
    sent.expect("send");
    let lines = connection.by_ref().lines().map(|line| line.expect("read"));
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("a length").parse().expect("a number");
    connection
        .read_exact(&mut vec![0; length])
        .expect("the body");
    let status = head[0].split(" ").nth(1);
    status.expect("a status").parse().expect("a number")
}

#[tokio::test]
async fn open_connections_of_operators_use_new_keys() {
    const ADMIN: &str = "admin.enabled: true";
    const OTHER: &str = "another master key of at least 32 characters";
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("operators.sock");
    let listen = format!("operators.listen: unix:{}", socket.display());
    let [old, new] = [MASTER_KEY, OTHER].map(|key| format!("buckets.master_keys: [\"{key}\"]"));
    let service = Configured::start(None, &[&listen, &old, ADMIN]);
    let connection = UnixStream::connect(&socket).expect("connect");
    let mut connection = BufReader::new(connection);
    assert_eq!(log_in(&mut connection, MASTER_KEY), 303);
    service.reload(&[&listen, &new, ADMIN], LOADED);
    let is_rejected = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        log_in(&mut connection, MASTER_KEY) == 401
    });
    assert!(is_rejected, "the old key");
    assert_eq!(log_in(&mut connection, OTHER), 303);
}

#[tokio::test]
async fn new_keys_must_fit_the_settings_that_stay() {
    let masters = format!("buckets.master_keys: [\"{MASTER_KEY}\"]");
    let service = Configured::start(None, &["admin.enabled: true", &masters]);
    service.reload(&["admin.enabled: false"], REFUSED);
    let log = service.program.log();
    assert!(
        log.contains("buckets.master_keys: is required with `admin.enabled`"),
        "{log}"
    );
}

#[tokio::test]
async fn certificates_are_replaced_only_if_redis_accepts_them() {
    let certificates = Certificates::make();
    let arguments = certificates.server_arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let redis = RedisServer::start_with(&arguments);
    let url = format!("rediss://127.0.0.1:{}", redis.tls_port().expect("TLS"));
    let other = Certificates::make();
    let files = |of: &Certificates| {
        [
            ("ca_file", of.ca()),
            ("certificate_file", of.certificate()),
            ("key_file", of.key()),
        ]
        .map(|(name, file)| format!("store.{name}: {}", file.display()))
    };
    let [right, wrong] = [files(&certificates), files(&other)];
    let [right, wrong] = [&right, &wrong].map(|lines| lines.each_ref().map(String::as_str));
    let service = Configured::start(Some(&url), &right);
    let token = service.create().await;
    service.reload(&wrong, REFUSED);
    let log = service.program.log();
    assert!(
        log.contains("the store does not answer with the new passwords"),
        "{log}"
    );
    service.assert_valid(&token).await;
    service.reload(&right, LOADED);
    service.assert_valid(&token).await;
}
