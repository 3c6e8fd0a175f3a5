//! The service on a cluster and behind sentinels, with passwords and certificates in files.

use std::path::PathBuf;
use std::time::Duration;

use jwt_redis_session_server::App;
use jwt_redis_session_server::settings::StoreSettings;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::buckets::bucket::Bucket;
use crate::program::{Program, server};
use crate::request::status;
use crate::rpc::client::{active, create, get_all, of_user, ok, result, update};
use crate::service::{self, SECRET, Service};
use crate::support::certificates::Certificates;
use crate::support::eventually;
use crate::support::redis_cluster::RedisCluster;
use crate::support::redis_sentinels::RedisSentinels;
use crate::support::redis_server::RedisServer;

async fn start(url: &str, change: impl FnOnce(&mut StoreSettings)) -> Service {
    Service::redis_at(url, |settings| change(&mut settings.store)).await
}

async fn is_ready(service: &Service) -> bool {
    status(service.get("/readyz")).await == 200
}

async fn ready(service: &Service) {
    eventually("ready", async || is_ready(service).await.then_some(())).await;
}

/// Creates a file that holds `text`.
fn file(text: &str) -> (NamedTempFile, Option<PathBuf>) {
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("write");
    let path = file.path().to_owned();
    (file, Some(path))
}

/// Uses the buckets API and the RPC API, with keys in many slots.
async fn serves(service: &Service, user: &str) {
    let bucket = Bucket::new(service, "shop").await;
    let id = bucket.create(&json!([17])).await;
    assert_eq!(bucket.data(&id).await, json!([17]));
    assert_eq!(status(bucket.delete(&id)).await, 200);

    let mut tokens = Vec::new();
    for number in 0..5 {
        tokens.push(create(service, user, json!({ "number": number })).await);
    }
    assert_eq!(active(service, user).await.len(), 5);
    for (number, token) in tokens.iter().enumerate() {
        let updated = update(service, token, json!({ "seen": true })).await;
        assert_eq!(updated, ok());
        let data = get_all(service, token).await;
        assert_eq!(data, json!({ "number": number, "seen": true }));
    }
    let ended = result(service, "destroyAll", of_user(user)).await;
    assert_eq!(ended, json!(5));
    for token in &tokens {
        assert_eq!(get_all(service, token).await, json!(null));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_ready_while_every_slot_is_served() {
    let mut cluster = RedisCluster::start();
    let service = start(&cluster.url(), |_| ()).await;
    ready(&service).await;
    serves(&service, "jo").await;
    cluster.node_mut(2).kill();
    assert!(
        !is_ready(&service).await,
        "a third of the slots is not served"
    );
    // Its replica becomes a master.
    ready(&service).await;
    let session = create(&service, "jo", json!({})).await;
    assert_eq!(get_all(&service, &session).await, json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_lead_to_the_master() {
    let mut sentinels = RedisSentinels::start();
    let service = start(&sentinels.url(), |_| ()).await;
    ready(&service).await;
    serves(&service, "jo").await;
    sentinels.server_mut(0).kill();
    assert!(!is_ready(&service).await);
    ready(&service).await;
    let session = create(&service, "jo", json!({})).await;
    assert_eq!(get_all(&service, &session).await, json!({}));
}

#[tokio::test]
async fn a_new_password_in_the_file_needs_no_restart() {
    let redis = RedisServer::start();
    let set_password = |password: &str| {
        let rule = format!(">{password}");
        redis.run(&[
            "ACL",
            "SETUSER",
            "app",
            "on",
            "resetpass",
            &rule,
            "~*",
            "+@all",
        ]);
        redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    };
    set_password("first");
    let (password, path) = file("first\r\n");
    let service = start(&redis.url(), |store| {
        store.user = Some("app".to_owned());
        store.password_file = path;
    })
    .await;
    ready(&service).await;
    set_password("second");
    assert!(
        !is_ready(&service).await,
        "the file has the former password"
    );
    std::fs::write(password.path(), "second\n").expect("write");
    ready(&service).await;

    drop(password);
    redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(!is_ready(&service).await, "the file is gone");
}

#[tokio::test]
async fn the_log_says_why_a_password_cannot_be_read() {
    let (password, path) = file("pw");
    let path = path.expect("a path").display().to_string();
    let program = Program::start(server(&["--redis", "redis://127.0.0.1:1"]).envs([
        ("SESSIOND__TOKENS__SECRET", SECRET),
        ("SESSIOND__STORE__PASSWORD_FILE", &path),
    ]));
    drop(password);
    let ready = format!("http://{}/readyz", program.address());
    let response = reqwest::get(ready).await.expect("a response");
    assert_eq!(response.status(), 503);
    program.wait_for("source=No such file or directory");
}

#[tokio::test]
async fn sentinels_have_a_password_of_their_own() {
    let sentinels = RedisSentinels::start();
    let url = sentinels.url();
    for sentinel in sentinels.sentinels() {
        sentinel.run(&[
            "ACL",
            "SETUSER",
            "watcher",
            "on",
            ">s",
            "+@all",
            "allchannels",
        ]);
    }
    for (text, expected) in [("s", true), ("other", false)] {
        let with_text = start(&url, |store| {
            store.sentinel_user = Some("watcher".to_owned());
            store.sentinel_password = Some(text.into());
        });
        assert_eq!(is_ready(&with_text.await).await, expected, "{text}");
    }
}

#[tokio::test]
async fn certificates_are_read_from_files() {
    let certificates = Certificates::make();
    let arguments = certificates.server_arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let redis = RedisServer::start_with(&arguments);
    let url = format!("rediss://127.0.0.1:{}", redis.tls_port().expect("TLS"));
    let trusting = |store: &mut StoreSettings| {
        store.deadline = Duration::from_secs(20);
        store.ca_file = Some(certificates.ca());
    };
    let known = start(&url, |store| {
        trusting(store);
        store.certificate_file = Some(certificates.certificate());
        store.key_file = Some(certificates.key());
    });
    assert!(is_ready(&known.await).await);
    let unknown = start(&url, trusting).await;
    assert!(
        !is_ready(&unknown).await,
        "the server requires a certificate"
    );
}

/// Returns the error of a service whose store has other settings than a URL.
fn error(change: impl FnOnce(&mut StoreSettings)) -> String {
    let mut settings = service::settings();
    settings.store.redis = Some("rediss://localhost".into());
    change(&mut settings.store);
    App::build(settings).expect_err("wrong").to_string()
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let (_empty, empty) = file("\n");
    let (_text, text) = file("h1dd3n");
    let absent = || Some(PathBuf::from("/h1dd3n"));
    let key = |store: &mut StoreSettings| {
        store.certificate_file = text.clone();
        store.key_file = absent();
    };
    let absent_errors = [
        ("password", error(|store| store.password_file = absent())),
        ("ca", error(|store| store.ca_file = absent())),
        ("key", error(key)),
    ];
    for (name, found) in absent_errors {
        let expected = format!("store.{name}_file: cannot be read: No such file or directory");
        assert!(found.starts_with(&expected), "{found}");
        assert!(!found.contains("h1dd3n"), "{found}");
    }
    let found = error(|store| {
        store.password_file = absent();
        store.ca_file = absent();
        key(store);
    });
    assert_eq!(found.lines().count(), 3, "{found}");
    let found = error(|store| store.password_file = empty);
    assert_eq!(found, "store.password_file: is an empty file");
    let found = error(|store| store.ca_file = text.clone());
    assert!(found.contains("the certificates cannot be read"), "{found}");
    assert!(!found.contains("h1dd3n"), "{found}");
}
