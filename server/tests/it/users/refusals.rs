//! Who is refused, with nothing changed.

use jwt_redis_session::{Keyring, OpaqueTokens};
use serde_json::json;

use super::core::core;
use super::{credentials, destroy, is_session_of, log_in, show};
use crate::service::{MASTER_KEY, SECRET, Service, json};

on_every_store!(
    without_a_session_nobody_is_told_anything,
    a_bearer_must_be_one_token_of_the_scheme,
    another_users_session_ends_nothing,
    without_a_session_nothing_ends,
    credentials_of_the_other_doors_are_no_sessions,
    what_the_store_holds_is_no_token,
    a_dead_session_stays_dead,
    what_another_site_made_a_browser_send_is_refused,
);

const NO_SESSION: &str = "Session does not exist.";
const BARE: &str = r#"Bearer realm="sessiond""#;
const INVALID: &str = r#"Bearer realm="sessiond", error="invalid_token""#;

async fn without_a_session_nobody_is_told_anything(service: Service) {
    log_in(&service, "jo").await;
    let unknown = "A".repeat(43);
    for (request, challenge) in [
        (service.get("/sessions"), BARE),
        (service.get("/sessions").basic_auth("jo", Some("x")), BARE),
        (service.get("/sessions").bearer_auth(&unknown), INVALID),
        (service.get("/sessions").bearer_auth("jo"), INVALID),
        (
            service.get("/sessions").bearer_auth("a".repeat(8193)),
            INVALID,
        ),
        (service.delete("/sessions/jo"), BARE),
        (service.delete("/sessions/jo").bearer_auth(unknown), INVALID),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["www-authenticate"], challenge);
        assert_eq!(json(answer).await, (401, json!({ "error": NO_SESSION })));
    }
}

async fn a_bearer_must_be_one_token_of_the_scheme(service: Service) {
    let token = log_in(&service, "jo").await;
    let get = |value: String| service.get("/sessions").header("Authorization", value);
    for (request, status) in [
        (get(format!("Bearer {token}")), 200),
        (get(format!("bearer   {token}")), 200),
        (get(format!("Token {token}")), 401),
        (get(token.clone()), 401),
        (get(format!("Bearer {token} {token}")), 401),
        (get(format!("Bearer {token}")).bearer_auth(&token), 401),
        (
            service
                .get(&format!("/sessions?access_token={token}"))
                .header("X-Access-Token", &token),
            401,
        ),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status);
    }
}

async fn another_users_session_ends_nothing(service: Service) {
    let (jo, al) = (log_in(&service, "jo").await, log_in(&service, "al").await);
    for name in [
        "al", "Jo", "jo%20", "jo%00", "j%C3%B6", "*", "..", "%6Ao%2F",
    ] {
        let answer = destroy(&service, &jo, name).await;
        assert_eq!(
            answer,
            (401, json!({ "error": "Invalid session." })),
            "{name}"
        );
    }
    let request = service.delete("/sessions/al").bearer_auth(&jo);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["www-authenticate"], BARE);
    assert!(is_session_of(&service, &jo, "jo").await);
    assert!(is_session_of(&service, &al, "al").await);
}

async fn without_a_session_nothing_ends(service: Service) {
    let jo = log_in(&service, "jo").await;
    for bad in [
        String::new(),
        "jo".to_owned(),
        "A".repeat(43),
        jo.to_lowercase(),
    ] {
        let answer = destroy(&service, &bad, "jo").await;
        assert_eq!(answer, (401, json!({ "error": NO_SESSION })));
    }
    assert!(is_session_of(&service, &jo, "jo").await);
}

async fn credentials_of_the_other_doors_are_no_sessions(service: Service) {
    let jo = log_in(&service, "jo").await;
    let keyring = Keyring::hs256(SECRET).expect("a keyring");
    let mut foreign = vec![MASTER_KEY.to_owned()];
    for (keyspace, tokens) in [
        ("sessiond:rpc:v1:", keyring.into()),
        ("sessiond:bucket:", OpaqueTokens::new().into()),
        ("sessiond:admin:", OpaqueTokens::new().into()),
    ] {
        let tokens: jwt_redis_session::token::TokenFormat = tokens;
        let session = core(&service, keyspace, tokens).await.new_session();
        session.set_owner("jo").unwrap();
        foreign.push(session.create().await.expect("created").into_string());
        foreign.push(session.id().expect("an id").as_str().to_owned());
    }
    for token in foreign {
        assert_eq!(show(&service, &token).await.status(), 401);
        assert_eq!(destroy(&service, &token, "jo").await.0, 401);
    }
    assert!(is_session_of(&service, &jo, "jo").await);
}

async fn what_the_store_holds_is_no_token(service: Service) {
    let jo = log_in(&service, "jo").await;
    let sessions = core(&service, "sessiond:user:", OpaqueTokens::new()).await;
    let listed = sessions.list("jo").await.expect("a list");
    let [entry] = &listed[..] else {
        panic!("one session, not {}", listed.len());
    };
    assert_eq!(show(&service, entry.id().as_str()).await.status(), 401);
    assert!(is_session_of(&service, &jo, "jo").await);
}

async fn a_dead_session_stays_dead(service: Service) {
    let dead = log_in(&service, "jo").await;
    assert_eq!(destroy(&service, &dead, "jo").await.0, 200);
    let living = log_in(&service, "jo").await;
    assert_eq!(show(&service, &dead).await.status(), 401);
    assert_eq!(destroy(&service, &dead, "jo").await.0, 401);
    assert!(is_session_of(&service, &living, "jo").await);
}

async fn what_another_site_made_a_browser_send_is_refused(service: Service) {
    let jo = log_in(&service, "jo").await;
    let login = || {
        let body = credentials("al").to_string();
        let request = service.post("/sessions").body(body);
        request.header("Content-Type", "text/plain")
    };
    let get = || service.get("/sessions").bearer_auth(&jo);
    let delete = || service.delete("/sessions/jo").bearer_auth(&jo);
    for site in ["cross-site", "same-site"] {
        for request in [login(), get(), delete()] {
            let request = request.header("Sec-Fetch-Site", site);
            let request = request.header("Origin", "http://evil.example");
            let answer = json(request.send().await.expect("an answer")).await;
            let expected = json!({ "error": "another site sent this request" });
            assert_eq!(answer, (403, expected), "{site}");
        }
    }
    assert!(
        is_session_of(&service, &jo, "jo").await,
        "nothing has ended"
    );
    let sessions = core(&service, "sessiond:user:", OpaqueTokens::new()).await;
    assert_eq!(sessions.list("al").await.expect("a list").len(), 0);
    for site in ["same-origin", "none"] {
        for request in [login(), get()] {
            let request = request.header("Sec-Fetch-Site", site);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{site}");
        }
    }
}

#[tokio::test]
async fn with_a_secret_a_login_needs_it_and_a_session_does_not() {
    let secret = "what the login service sends to sessiond";
    let service = Service::memory_with(|settings| {
        settings.users.secret = Some(secret.into());
    })
    .await;
    let login = || service.post("/sessions").json(&credentials("jo"));
    for refused in [
        login(),
        login().header("X-Sessiond-Secret", ""),
        login().header(
            "X-Sessiond-Secret",
            "what the login service sends to sessionD",
        ),
        login().header("X-Sessiond-Secret", MASTER_KEY),
        login().bearer_auth(secret),
        login()
            .header("X-Sessiond-Secret", secret)
            .header("X-Sessiond-Secret", secret),
    ] {
        let answer = refused.send().await.expect("an answer");
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["www-authenticate"], "SharedSecret");
    }
    let memory = service.memory.clone().expect("memory");
    assert!(memory.is_empty(), "a refused login stores nothing");
    let login = login().header("X-Sessiond-Secret", secret);
    let (status, body) = json(login.send().await.expect("an answer")).await;
    assert_eq!(status, 200);
    let token = body["sessionId"].as_str().expect("a session id");
    assert!(is_session_of(&service, token, "jo").await);
    assert_eq!(destroy(&service, token, "jo").await.0, 200);
}

#[tokio::test]
async fn a_client_that_fails_too_often_is_told_so_unless_its_session_is_good() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 3.try_into().expect("not zero");
        settings.users.secret = Some("what the login service sends to sessiond".into());
    })
    .await;
    let sessions = core(&service, "sessiond:user:", OpaqueTokens::new()).await;
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    let token = session.create().await.expect("created");
    let mut answers = Vec::new();
    for request in [
        service.get("/sessions"),
        service.post("/sessions").json(&credentials("jo")),
        service.delete("/sessions/jo").bearer_auth("no token"),
        service.get("/sessions"),
        service.post("/sessions").json(&credentials("jo")),
        service.delete("/sessions/jo").bearer_auth("no token"),
    ] {
        answers.push(request.send().await.expect("an answer").status().as_u16());
    }
    assert_eq!(answers, [401, 401, 401, 429, 429, 429]);
    assert!(is_session_of(&service, token.as_str(), "jo").await);
}

/// An app server asks for many users, from one address.
#[tokio::test]
async fn sessions_that_have_ended_are_no_failures_and_what_was_never_a_token_is_one() {
    let service = Service::redis_with(|settings| {
        settings.limits.failed_authentications_per_minute = 60.try_into().expect("not zero");
    })
    .await;
    let ended = log_in(&service, "jo").await;
    assert_eq!(destroy(&service, &ended, "jo").await.0, 200);
    let expected = (401, json!({ "error": NO_SESSION }));
    for _ in 0..100 {
        assert_eq!(json(show(&service, &ended).await).await, expected);
        assert_eq!(destroy(&service, &ended, "jo").await, expected);
    }
    for malformed in ["malformed", &"A".repeat(9000)] {
        let mut limited = 0;
        for _ in 0..200 {
            limited += usize::from(show(&service, malformed).await.status() == 429);
        }
        assert!(limited > 100, "{limited}");
    }
    assert_eq!(json(show(&service, &ended).await).await, expected);
}
