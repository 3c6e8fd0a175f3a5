//! Token introspection (RFC 7662).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session_server::Secret;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::request::{fetch, send, status};
use crate::rpc::client::{call, create, get_all, of_user, with_token};
use crate::service::{INTROSPECTION_SECRET, Service, json as read};
use crate::users::{destroy, is_valid, log_in};

const FORM: &str = "application/x-www-form-urlencoded";

on_every_store!(
    tokens_of_both_apis_are_active_until_their_session_ends,
    introspection_is_not_a_use,
);

/// Builds a request without a secret.
fn form(service: &Service, token: &str) -> RequestBuilder {
    let request = service.post("/introspect").body(format!("token={token}"));
    request.header("content-type", FORM)
}

fn introspect(service: &Service, token: &str) -> RequestBuilder {
    form(service, token).bearer_auth(INTROSPECTION_SECRET)
}

async fn info(service: &Service, token: &str) -> Value {
    let response = send(introspect(service, token)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, body) = read(response).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

async fn tokens_of_both_apis_are_active_until_their_session_ends(service: Service) {
    let inactive = json!({ "active": false });
    let started = now();
    let token = create(&service, "jo", json!({ "cart": 3 })).await;
    let bearer = log_in(&service, "al").await;
    for (token, user, ttl) in [(&token, "jo", 31), (&bearer, "al", 7)] {
        let found = info(&service, token).await;
        assert_eq!(
            (&found["active"], &found["sub"]),
            (&json!(true), &json!(user))
        );
        assert_eq!(found["token_type"], "Bearer");
        let time = |name: &str| found[name].as_u64().expect("a number");
        assert!((started..=now()).contains(&time("iat")), "{found}");
        let ends = time("exp") - ttl * 86_400;
        // The TTL in Redis may be a millisecond less.
        assert!((started - 1..=now()).contains(&ends), "{found}");
        assert!(
            found["jti"].as_str().is_some_and(|id| id.len() >= 36),
            "{found}"
        );
        let names = found.as_object().expect("an object");
        assert_eq!(names.len(), 6, "no data: {found}");
    }
    // With a password, in place of the bearer secret.
    let basic = form(&service, &token).basic_auth("gateway", Some(INTROSPECTION_SECRET));
    assert_eq!(fetch(basic).await.1["active"], true);

    call(&service, "destroyAll", of_user("jo")).await;
    assert_eq!(destroy(&service, &bearer, "al").await.0, 200);
    for token in [
        &*token,
        &bearer,
        "a",
        "a.b.c",
        &"a".repeat(43),
        &"a".repeat(9000),
    ] {
        assert_eq!(info(&service, token).await, inactive, "{token:.60}");
    }
}

async fn introspection_is_not_a_use(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let bearer = log_in(&service, "al").await;
    let before = [&token, &bearer].map(|token| info(&service, token));
    let [before_rpc, before_users] = before;
    let before = (before_rpc.await, before_users.await);
    // Longer than the second after which a use refreshes the TTL.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for _ in 0..3 {
        assert_eq!(info(&service, &token).await, before.0);
        assert_eq!(info(&service, &bearer).await, before.1);
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert!(is_valid(&service, &bearer, "al").await);
}

#[tokio::test]
async fn only_enabled_apis_are_introspected() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let token = create(&service, "jo", json!({})).await;
    assert_eq!(info(&service, &token).await["active"], true);
    let service = Service::memory_with(|settings| settings.rpc.enabled = false).await;
    let bearer = log_in(&service, "jo").await;
    assert_eq!(info(&service, &bearer).await["active"], true);
    assert_eq!(info(&service, &token).await, json!({ "active": false }));
    let service = Service::memory_with(|settings| settings.introspection.enabled = false).await;
    assert_eq!(status(introspect(&service, &token)).await, 404);
}

#[tokio::test]
async fn clients_without_the_secret_learn_nothing() {
    let service = Service::memory().await;
    let token = create(&service, "jo", json!({})).await;
    // Neither the store nor the body is used.
    service.faults.fail_with(StoreErrorKind::Connection);
    let form = |token: &str| form(&service, token);
    let mut answers = Vec::new();
    for token in [&*token, "none", ""] {
        for request in [
            form(token),
            form(token).bearer_auth("wrong"),
            form(token).bearer_auth(token),
            form(token).basic_auth(INTROSPECTION_SECRET, Some("wrong")),
            form(token).header("x-sessiond-secret", INTROSPECTION_SECRET),
            form(token)
                .bearer_auth(INTROSPECTION_SECRET)
                .bearer_auth(INTROSPECTION_SECRET),
            service.post("/introspect").body("no form"),
        ] {
            let response = send(request).await;
            let challenge = response.headers()["www-authenticate"].clone();
            answers.push((challenge, read(response).await));
        }
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    let (challenge, (status, _)) = &answers[0];
    assert_eq!(
        challenge,
        r#"Basic realm="sessiond", Bearer realm="sessiond""#
    );
    assert_eq!(*status, 401);
}

#[tokio::test]
async fn wrong_secrets_are_limited_and_right_ones_are_not() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 2.try_into().expect("not zero");
        let next = Secret::from("the next introspection secret of 32 bytes");
        settings.introspection.secrets.push(next);
    })
    .await;
    let token = create(&service, "jo", json!({})).await;
    assert_eq!(status(introspect(&service, &token)).await, 200);
    let with = |secret: &str| status(form(&service, &token).bearer_auth(secret));
    assert_eq!(with("a").await, 401);
    assert_eq!(with("b").await, 401);
    assert_eq!(with("c").await, 429);
    // A right guess looks like a wrong one; the secret that was right before is still accepted.
    assert_eq!(with("the next introspection secret of 32 bytes").await, 429);
    assert_eq!(with(INTROSPECTION_SECRET).await, 200);
    // Tokens cannot be guessed, so inactive ones do not count.
    for _ in 0..5 {
        assert_eq!(info(&service, "none").await, json!({ "active": false }));
    }
}

#[tokio::test]
async fn requests_that_are_no_introspection_are_rejected() {
    let service = Service::memory().await;
    let with = |content_type: &str, body: String| {
        let request = service
            .post("/introspect")
            .header("content-type", content_type);
        status(request.bearer_auth(INTROSPECTION_SECRET).body(body))
    };
    for (content_type, body, expected) in [
        (FORM, String::new(), 400),
        (FORM, "token=".to_owned(), 400),
        (FORM, "access_token=a".to_owned(), 400),
        (FORM, "token=a&token=a".to_owned(), 400),
        (FORM, "token=a&token_type_hint=access_token".to_owned(), 200),
        (
            "Application/X-WWW-Form-urlencoded; charset=utf-8",
            "token=a".to_owned(),
            200,
        ),
        (FORM, format!("token={}", "a".repeat(32 << 10)), 413),
        ("application/json", r#"{"token":"a"}"#.to_owned(), 415),
        ("", "token=a".to_owned(), 415),
    ] {
        assert_eq!(with(content_type, body).await, expected, "{content_type}");
    }
    let request = service.request(Method::GET, "/introspect?token=a");
    assert_eq!(status(request.bearer_auth(INTROSPECTION_SECRET)).await, 405);
}

#[tokio::test]
async fn an_outage_is_503_and_never_inactive() {
    let service = Service::memory().await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let bearer = log_in(&service, "al").await;
    service.faults.fail_with(StoreErrorKind::Connection);
    for token in [&token, &bearer] {
        let response = send(introspect(&service, token)).await;
        assert!(response.headers().contains_key("retry-after"));
        let error = json!({ "error": "the session store is not available" });
        assert_eq!(read(response).await, (503, error));
    }
    service.faults.heal();
    for token in [&token, &bearer] {
        assert_eq!(info(&service, token).await["active"], true);
    }
    let args = with_token(&token, "keys", json!("*"));
    assert_eq!(call(&service, "get", args).await.0, 200);
}
