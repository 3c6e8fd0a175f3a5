//! When the door is open.

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;

use super::credentials;
use crate::service::Service;

const SECRET: &str = "what the login service sends to sessiond";

fn load(flags: &[(&'static str, &str)]) -> Result<Settings, String> {
    let mut sources = Sources::new();
    for (setting, value) in flags {
        sources = sources.flag(setting, *value);
    }
    Settings::load(&sources).map_err(|error| error.to_string())
}

#[test]
fn the_door_is_shut_unless_it_is_opened() {
    assert!(!load(&[]).expect("settings").users.enabled);
    let open = load(&[("users.enabled", "true")]).expect("loopback needs no secret");
    assert!(open.users.enabled);
}

#[test]
fn an_open_door_needs_a_secret_where_others_can_reach_it() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let open = [("http.listen", address), ("users.enabled", "true")];
        let refused = load(&open).expect_err("no secret");
        assert!(refused.starts_with("users.secret: "), "{refused}");
        assert!(load(&[open[0], open[1], ("users.secret", "short")]).is_err());
        assert!(load(&[open[0], open[1], ("users.secret", SECRET)]).is_ok());
        assert!(load(&[open[0], ("users.enabled", "false")]).is_ok());
    }
    for address in ["127.0.0.1:0", "[::1]:0"] {
        assert!(load(&[("http.listen", address), ("users.enabled", "true")]).is_ok());
    }
}

#[tokio::test]
async fn behind_a_shut_door_there_is_nothing() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let request = service.post("/sessions").json(&credentials("jo"));
    assert_eq!(request.send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn the_document_says_that_no_password_is_checked() {
    let service = Service::memory().await;
    let answer = service
        .get("/openapi.json")
        .send()
        .await
        .expect("an answer");
    let document: serde_json::Value = answer.json().await.expect("JSON");
    let create = &document["paths"]["/sessions"]["post"];
    let description = create["description"].as_str().expect("a description");
    assert!(description.contains("checks no password"), "{description}");
    for (path, method) in [("/sessions", "get"), ("/sessions/{username}", "delete")] {
        let security = &document["paths"][path][method]["security"];
        assert_eq!(security, &serde_json::json!([{ "user_session": [] }]));
    }
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["user_session"]["scheme"], "bearer");
}
