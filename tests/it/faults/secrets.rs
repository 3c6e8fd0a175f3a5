//! The logs and answers of an application, with and without Redis.

use super::application::Application;
use super::{connect, sessions};
use crate::log::Log;
use crate::support::redis_server::RedisServer;

// On one thread, so that the log has everything.
#[tokio::test]
async fn neither_logs_nor_rejections_contain_secrets() {
    let (log, _guard) = Log::record();
    let mut server = RedisServer::start_with(&["--requirepass", "hush-password"]);
    let url = server.url().replace("redis://", "redis://:hush-password@");
    let app = Application::start(sessions(connect(&url).await)).await;
    let mut secrets = vec!["hush".to_owned()];
    let mut rejections = String::new();
    let mut token = app.ok("/login/hush-owner", "").await;
    for path in "/read /update/1 /rotate /logout /read /logout".split(' ') {
        secrets.extend([token.clone(), id_of(&token)]);
        let answer = app.post(path, &token).await;
        if answer.status() != 200 {
            rejections += &format!("{answer:?}");
        } else if path == "/rotate" {
            token = answer.into_body();
        }
    }
    // The header of this one contains `hush`, encoded.
    let forged = "eyJhbGciOiJodXNoXG5odXNoIn0.e30.aHVzaA";
    let token = app.ok("/login/hush-owner", "").await;
    secrets.extend([token.clone(), id_of(&token), forged.to_owned()]);
    server.kill();
    for (path, token) in [
        ("/read", &*token),
        ("/read", forged),
        (&*format!("/state?accessToken={token}"), ""),
        ("/login/hush-owner", ""),
    ] {
        rejections += &format!("{:?}", app.post(path, token).await);
    }
    let log = log.text();
    assert!(log.lines().count() > 5, "nothing is logged: {log}");
    for secret in secrets {
        for text in [&log, &rejections] {
            assert!(!text.contains(&secret), "{secret} is in {text}");
        }
    }
}

/// The session's id, as the token names it.
fn id_of(token: &str) -> String {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).expect("claims");
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
    let claims: serde_json::Value = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
    claims["jti"].as_str().expect("an id").to_owned()
}
