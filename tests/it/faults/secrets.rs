//! R45: what a whole application logs and answers, with and without Redis.

use std::io::Write;
use std::sync::{Arc, Mutex};

use jwt_redis_session::RedisStore;

use super::http::{Site, app};
use super::sessions;
use crate::support::redis_server::RedisServer;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const OWNER: &str = "hush-owner";
const PASSWORD: &str = "hush-password";
const PATHS: [&str; 6] = [
    "/read",
    "/update/4711",
    "/rotate",
    "/logout",
    "/read",
    "/logout",
];

/// Collects what this thread logs.
fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

// On one thread, so that the log has everything.
#[tokio::test]
async fn r45_an_application_tells_no_secret_in_logs_or_refusals() {
    let (log, _guard) = listen();
    let mut server = RedisServer::start_with(&["--requirepass", PASSWORD]);
    let url = server
        .url()
        .replace("redis://", &format!("redis://:{PASSWORD}@"));
    let store = RedisStore::connect(&url).await.expect("connect");
    let site = Site::open(app(sessions(store))).await;
    let mut token = site.ask(&format!("/login/{OWNER}"), None).await.fine();
    let mut secrets = vec![OWNER.to_owned(), PASSWORD.to_owned()];
    let mut refusals = String::new();
    for path in PATHS {
        secrets.extend([token.clone(), id_of(&token)]);
        let answer = site.ask(path, Some(&token)).await;
        match (answer.status, path) {
            (200, "/rotate") => token = answer.body,
            (200, _) => {}
            _ => refusals += &format!("{answer:?}"),
        }
    }
    let forged = r#"eyJhbGciOiJodXNoXG5odXNoIn0.e30.aHVzaA"#;
    let token = site.ask(&format!("/login/{OWNER}"), None).await.fine();
    secrets.extend([token.clone(), id_of(&token), forged.to_owned()]);
    server.kill();
    let look = format!("/look?accessToken={token}");
    for (path, token) in [
        ("/read", Some(&*token)),
        ("/read", Some(forged)),
        (&look, None),
        ("/login/hush-owner", None),
    ] {
        refusals += &format!("{:?}", site.ask(path, token).await);
    }
    let log = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(log.lines().count() > 5, "nothing is logged: {log}");
    secrets.push("hush".to_owned());
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is logged: {log}");
        assert!(!refusals.contains(&secret), "{secret} is in {refusals}");
    }
}

/// The session's id, as the token names it.
fn id_of(token: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("claims");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    let claims: serde_json::Value =
        serde_json::from_slice(&payload.expect("base64")).expect("JSON");
    claims["jti"].as_str().expect("an id").to_owned()
}
