//! Sessions shared with programs in other languages; `scripts/interop` runs these tests.

mod languages;
mod npm;

use std::process::Stdio;

use jwt_redis_session::{Keyring, RedisStore, Sessions};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::redis_server::RedisServer;

const SECRET: &str = "a secret shared by all languages.";

/// A process that runs one operation on sessions per line of its standard input.
struct Driver(Child);

impl Driver {
    /// The npm package.
    fn npm(redis: &RedisServer) -> Self {
        Self::start("node", "npm.js", redis)
    }

    /// JavaScript with ioredis and jose.
    fn javascript(redis: &RedisServer) -> Self {
        Self::start("node", "sessions.mjs", redis)
    }

    /// Python with redis-py and PyJWT.
    fn python(redis: &RedisServer) -> Self {
        Self::start("python3", "sessions.py", redis)
    }

    /// Starts a script in the folder that `scripts/interop` has prepared.
    fn start(program: &str, script: &str, redis: &RedisServer) -> Self {
        let folder = std::env::var("INTEROP").expect("run scripts/interop");
        let child = Command::new(program)
            .arg(format!("{folder}/{script}"))
            .envs([("REDIS_URL", &*redis.url()), ("SECRET", SECRET)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        Self(child.expect("start the driver"))
    }

    /// Returns the result of a command that succeeds.
    async fn run(&mut self, command: &Value) -> Value {
        self.try_run(command).await.expect("success")
    }

    /// Returns the result of a command, or its error.
    async fn try_run(&mut self, command: &Value) -> Result<Value, String> {
        let (stdin, stdout) = (self.0.stdin.as_mut(), self.0.stdout.as_mut());
        let command = format!("{command}\n");
        let sent = stdin.unwrap().write_all(command.as_bytes()).await;
        sent.unwrap();
        let mut line = String::new();
        let read = BufReader::new(stdout.unwrap()).read_line(&mut line).await;
        read.unwrap();
        let answer: Value = serde_json::from_str(&line).expect("an answer by the driver");
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }
}

async fn rust(redis: &RedisServer) -> Sessions {
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let keyring = Keyring::hs256(SECRET).unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}
