//! Each row of the door's table.

use serde_json::json;

use super::{credentials, is_session_of, log_in, show};
use crate::service::{Service, json};

on_every_store!(
    a_login_is_answered_with_a_session_id,
    a_session_tells_its_user,
    a_user_ends_all_sessions_by_one_of_them,
    a_body_is_read_whatever_its_type,
    a_body_that_is_no_login_is_refused,
    a_large_body_is_refused,
    no_answer_with_a_session_may_be_kept,
    other_methods_are_told_what_there_is,
);

async fn a_login_is_answered_with_a_session_id(service: Service) {
    let request = service.post("/sessions").json(&credentials("jo"));
    let (status, body) = json(request.send().await.expect("an answer")).await;
    let object = body.as_object().expect("an object");
    assert_eq!((status, object.len()), (200, 1));
    let id = object["sessionId"].as_str().expect("a string");
    assert_eq!(id.len(), 43, "256 bits in base64url");
    assert_ne!(log_in(&service, "jo").await, id);
}

async fn a_session_tells_its_user(service: Service) {
    let token = log_in(&service, "jo").await;
    let expected = (200, json!({ "username": "jo" }));
    assert_eq!(json(show(&service, &token).await).await, expected);
    assert_eq!(json(show(&service, &token).await).await, expected);
}

async fn a_user_ends_all_sessions_by_one_of_them(service: Service) {
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(log_in(&service, "jo").await);
    }
    let other = log_in(&service, "al").await;
    let request = service.delete("/sessions/jo").bearer_auth(&tokens[7]);
    let answer = json(request.send().await.expect("an answer")).await;
    assert_eq!(answer, (200, json!({ "username": "jo" })));
    for token in &tokens {
        assert!(!is_session_of(&service, token, "jo").await);
    }
    assert!(is_session_of(&service, &other, "al").await);
    let again = service.delete("/sessions/jo").bearer_auth(&tokens[7]);
    let answer = json(again.send().await.expect("an answer")).await;
    assert_eq!(answer, (401, json!({ "error": "Session does not exist." })));
}

async fn a_body_is_read_whatever_its_type(service: Service) {
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = service
            .post("/sessions")
            .body(credentials("jo").to_string());
        let request = request.header("Content-Type", kind);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{kind}");
    }
}

async fn a_body_that_is_no_login_is_refused(service: Service) {
    let before = "the body must be a JSON object with the strings `username` and `password`";
    let long = "a".repeat(513);
    for (body, error) in [
        (String::new(), before),
        ("hunter2".to_owned(), before),
        (json!({}).to_string(), before),
        (json!(["jo", "hunter2"]).to_string(), before),
        (json!({ "username": "jo" }).to_string(), before),
        (json!({ "password": "hunter2" }).to_string(), before),
        (
            json!({ "username": "jo", "password": 5 }).to_string(),
            before,
        ),
        (
            json!({ "username": ["hunter2"], "password": "hunter2" }).to_string(),
            before,
        ),
        (credentials("").to_string(), "a username is 1 to 512 bytes"),
        (
            credentials(&long).to_string(),
            "a username is 1 to 512 bytes",
        ),
    ] {
        let request = service.post("/sessions").body(body.clone());
        let answer = json(request.send().await.expect("an answer")).await;
        assert_eq!(answer, (400, json!({ "error": error })), "{body}");
    }
    let not_utf8 = service
        .post("/sessions")
        .body(b"{\"username\":\"\xff\"}".to_vec());
    assert_eq!(not_utf8.send().await.expect("an answer").status(), 400);
}

async fn a_large_body_is_refused(service: Service) {
    let body = |len: usize| {
        let text = json!({ "username": "jo", "password": "" }).to_string();
        format!("{}{text}", " ".repeat(len - text.len()))
    };
    for (len, status) in [(64 << 10, 200), ((64 << 10) + 1, 413)] {
        let request = service.post("/sessions").body(body(len));
        assert_eq!(request.send().await.expect("an answer").status(), status);
    }
}

async fn no_answer_with_a_session_may_be_kept(service: Service) {
    let create = service.post("/sessions").json(&credentials("jo"));
    let token = log_in(&service, "jo").await;
    let delete = service.delete("/sessions/jo").bearer_auth(&token);
    let show = service.get("/sessions").bearer_auth(&token);
    for request in [create, show, delete] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
}

async fn other_methods_are_told_what_there_is(service: Service) {
    for (request, allow) in [
        (service.put("/sessions"), vec!["GET", "HEAD", "POST"]),
        (service.get("/sessions/jo"), vec!["DELETE"]),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 405);
        let allowed = answer.headers()["allow"].to_str().expect("text");
        let mut methods: Vec<_> = allowed.split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods, allow);
    }
}
