//! The routes of the app, with sessions in memory and in Redis.

use serde_json::{Value, json};

use super::process::App;
use crate::support::redis_server::RedisServer;

const READ: &str = "GET /session/read";
const UPDATE: &str = "POST /session/update";

/// Runs a test with both stores.
async fn with_both(test: impl AsyncFn(&App)) {
    test(&App::start(&[])).await;
    let redis = RedisServer::start();
    test(&App::start(&[("REDIS_URL", &redis.url())])).await;
}

#[tokio::test]
async fn create_takes_query_form_and_json() {
    with_both(async |app| {
        let all = "username=jo&password=p&theme=dark&accessToken=x";
        let query = format!("GET /session/create?{all}");
        let object = r#"{"username":"jo","password":"p","theme":"dark","user":"admin"}"#;
        for (start, body) in [
            (&*query, ""),
            ("POST /session/create?username=al", all),
            ("POST /session/create", object),
        ] {
            let created = app.ok(start, "", body).await;
            let token = created["token"].as_str().unwrap();
            let expected = json!({ "theme": "dark", "user": { "name": "jo" } });
            for (start, token, body) in [
                (READ, token, ""),
                (&*format!("{READ}?accessToken={token}"), "", ""),
                ("POST /session/read", "", &*format!("accessToken={token}")),
                (
                    "POST /session/read",
                    "",
                    &*json!({ "accessToken": token }).to_string(),
                ),
            ] {
                let read = app.ok(start, token, body).await;
                assert_eq!(read["session"], expected);
                assert_eq!(read["id"].as_str().unwrap().len(), 43);
            }
        }
        let long = format!("username={}&password=p", "x".repeat(513));
        for body in [
            "username=jo",
            "username=&password=p",
            "username=jo&password=p&_jrs=1",
            r#"{"username":"jo","password":5}"#,
            &long,
        ] {
            app.error(400, "POST /session/create", "", body).await;
        }
    })
    .await;
}

#[tokio::test]
async fn update_merges() {
    with_both(async |app| {
        let token = &*app.log_in("jo").await;
        let object = r#"{"a":null,"foo":null,"n":[1,{"x":1.5}],"accessToken":"x"}"#;
        let last = r#"{"b":"x y&","n":[1,{"x":1.5}]}"#;
        for (start, body, expected) in [
            (UPDATE, "", r#"{"foo":"bar"}"#),
            ("GET /session/update?a=1", "", r#"{"a":"1","foo":"bar"}"#),
            (UPDATE, "b=x+y%26", r#"{"a":"1","b":"x y&","foo":"bar"}"#),
            (UPDATE, object, last),
            ("GET /session/reload", "", last),
            ("POST /session/touch", "", last),
        ] {
            let mut session = app.ok(start, token, body).await["session"].take();
            let user = session.as_object_mut().unwrap().remove("user");
            assert_eq!(user, Some(json!({ "name": "jo" })));
            assert_eq!(session, serde_json::from_str::<Value>(expected).unwrap());
        }
        let before = app.ok(READ, token, "").await;
        for name in ["_jrs", "id", "jwt", "claims"] {
            let body = json!({ name: null, "new": 1 }).to_string();
            let error = app.error(400, UPDATE, token, &body).await;
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(app.ok(READ, token, "").await, before);
    })
    .await;
}

#[tokio::test]
async fn sessions_of_a_user_are_rotated_listed_and_ended() {
    with_both(async |app| {
        let id = async |token: &str| app.ok(READ, token, "").await["id"].take();
        let stranger = app.log_in("stranger").await;
        let old = app.log_in("jo").await;
        let [other, third] = [app.log_in("jo").await, app.log_in("jo").await];
        app.log_in("jo").await;
        let rotated = app.ok("GET /session/rotate", &old, "").await;
        app.error(401, READ, &old, "").await;
        let token = rotated["token"].as_str().unwrap();

        let listed = app.ok("GET /session/list", token, "").await;
        let listed = listed["sessions"].as_array().unwrap();
        assert_eq!(listed.len(), 4);
        for entry in listed {
            let is_current = entry["id"] == id(token).await;
            assert_eq!(entry["current"], is_current, "{entry}");
            let lives = entry["expires"].as_i64().unwrap() - entry["created"].as_i64().unwrap();
            assert!((86_390..=86_410).contains(&lives), "{entry}");
        }

        let destroy = "POST /session/destroy";
        let named = |id: Value| json!({ "id": id }).to_string();
        let foreign = named(id(&stranger).await);
        app.error(404, destroy, token, &foreign).await;
        app.error(400, destroy, token, "id=none").await;
        let other_id = named(id(&other).await);
        for (token, body, ended) in [(token, &*other_id, &other), (&*third, "", &third)] {
            let answer = app.call(destroy, token, body).await;
            assert_eq!((answer.status().as_u16(), &**answer.body()), (200, ""));
            app.error(401, READ, ended, "").await;
        }
        for (route, destroyed) in [("others", 1), ("others", 0), ("all", 1)] {
            let start = format!("POST /session/destroy-{route}");
            let answer = app.ok(&start, token, "").await;
            assert_eq!(answer, json!({ "destroyed": destroyed }));
        }
        app.error(401, "GET /session/list", token, "").await;
        app.ok(READ, &stranger, "").await;
    })
    .await;
}

#[tokio::test]
async fn errors_are_json() {
    let app = App::start(&[]);
    let token = &*app.log_in("jo").await;
    for route in [
        "read",
        "update",
        "reload",
        "touch",
        "rotate",
        "list",
        "destroy",
        "destroy-others",
        "destroy-all",
    ] {
        let start = format!("GET /session/{route}");
        app.error(401, &start, "x.y.z", "").await;
    }
    app.error(400, UPDATE, token, "{").await;
    app.error(400, "POST /session/create", "", "{").await;
    let large = |bytes| json!({ "large": "x".repeat(bytes) }).to_string();
    app.error(413, UPDATE, token, &large(1 << 20)).await;
    app.error(413, UPDATE, token, &large(2 << 20)).await;
    app.ok(UPDATE, token, &large(100_000)).await;
    app.error(404, "GET /session/nothing", token, "").await;
    app.error(405, "DELETE /session/destroy", token, "").await;
}

#[tokio::test]
async fn the_page_has_a_strict_policy() {
    let app = App::start(&[]);
    for (start, content_type) in [
        ("GET /", "text/html"),
        ("GET /page.js", "text/javascript"),
        ("GET /page.css", "text/css"),
    ] {
        let answer = app.call(start, "", "").await;
        assert_eq!(answer.status(), 200);
        let header = |name| answer.headers()[name].to_str().unwrap();
        assert!(header("content-type").starts_with(content_type));
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}
