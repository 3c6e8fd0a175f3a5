//! dynalite, an emulator of DynamoDB from npm, with the table of `table.json`.
//!
//! It checks a condition and writes under one lock per item, as DynamoDB does, and takes 10 MB. moto
//! has no such lock and takes 315 MB.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use jwt_redis_session::store::cas::CasStore;
use jwt_redis_session_dynamodb::DynamoDb;
use test_support::program::Program;

const VERSION: &str = "4.0.0";

/// Ends with the test, whose end closes standard input.
const SERVER: &str = "
    const server = require('dynalite')({ createTableMs: 0 });
    server.listen(0, '127.0.0.1', () => console.log('listening on 127.0.0.1:' + server.address().port));
    process.stdin.on('end', () => process.exit()).resume();
";

/// A running emulator with an empty table. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Emulator(Program);

impl Emulator {
    pub(crate) async fn start() -> Self {
        let mut node = Command::new("node");
        node.args(["-e", SERVER]).current_dir(installed());
        let emulator = Self(Program::start(node.stdin(Stdio::piped())));
        emulator.create_table().await;
        emulator
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.0.address()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn backend(&self) -> DynamoDb {
        backend(&self.url())
    }

    /// Sends `table.json` as it is, as `aws dynamodb create-table` does.
    async fn create_table(&self) {
        let request = reqwest::Client::new().post(self.url());
        let answer = request
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "DynamoDB_20120810.CreateTable")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=id/20260101/eu-central-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .body(include_str!("../../table.json"))
            .send();
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    /// Returns an item as it is stored.
    pub(crate) async fn item(
        &self,
        key: &str,
    ) -> Option<std::collections::HashMap<String, AttributeValue>> {
        let get = client(&self.url()).get_item().table_name("sessions");
        let get = get.key("key", AttributeValue::S(key.to_owned()));
        get.send().await.expect("an answer").item
    }
}

pub(crate) fn client(url: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(url);
    Client::from_conf(config.build())
}

pub(crate) fn backend(url: &str) -> DynamoDb {
    DynamoDb::new(&client(url), "sessions")
}

pub(crate) fn store(url: &str) -> CasStore<DynamoDb> {
    CasStore::new(backend(url))
}

/// Returns the folder with the emulator below `target/`, where it is installed once.
fn installed() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let install = || {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("dynalite-{VERSION}"));
        if !folder.join("node_modules/dynalite/index.js").exists() {
            std::fs::create_dir_all(&folder).expect("a folder");
            let mut npm = Command::new("npm");
            npm.args([
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--silent",
                "--prefix",
            ]);
            npm.arg(&folder).arg(format!("dynalite@{VERSION}"));
            let is_installed = npm.status().expect("npm, of the package npm").success();
            assert!(is_installed, "npm cannot install dynalite {VERSION}");
        }
        folder
    };
    INSTALLED.get_or_init(install).clone()
}
