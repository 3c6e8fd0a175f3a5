//! Tokens that are not ours, and tokens of an app beside the service.

use jwt_redis_session::{Keyring, MemoryStore, Sessions};
use jwt_redis_session_server::Secret;
use serde_json::json;

use super::caller::{call, core, create, get_all, handled, id, ok, update};
use crate::service::{SECRET, Service};

on_every_store!(
    a_token_that_is_not_good_is_refused_by_one_text_and_nothing_changes,
    an_app_on_the_same_keyspace_shares_its_logins_unless_they_are_of_another_version,
);

async fn a_token_that_is_not_good_is_refused_by_one_text_and_nothing_changes(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let foreign = Keyring::hs256("another secret of at least 32 bytes").expect("a key ring");
    let foreign = Sessions::builder(MemoryStore::new(), foreign)
        .build()
        .expect("sessions");
    let foreign = foreign
        .new_session()
        .create()
        .id(id(&service, &token))
        .await;
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    let (_, payload) = head.split_once('.').expect("a payload");
    for bad in [
        "x".to_owned(),
        format!("{token}x"),
        format!("{head}."),
        format!("{head}.{}", "A".repeat(signature.len())),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."),
        "a".repeat(10_000),
        "\0\r\n".to_owned(),
        id(&service, &token).as_str().to_owned(),
        foreign.expect("a token").as_str().to_owned(),
    ] {
        let argument = json!({
            "token": bad, "sessionVersion": "v1", "session": { "a": 2 }, "keys": "*" });
        for method in ["get", "update", "destroy"] {
            let answer = call(&service, method, argument.clone()).await;
            assert_eq!(answer, handled(400, "invalid token"), "{bad:.60}");
        }
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
}

async fn an_app_on_the_same_keyspace_shares_its_logins_unless_they_are_of_another_version(
    service: Service,
) {
    let app = core(&service, "v1");
    let login = async |claims: serde_json::Value| {
        let session = app.new_session();
        session.insert("by", "app").expect("insert");
        session.set_owner("jo").unwrap();
        let token = session.create().claims(claims).await.expect("a token");
        token.as_str().to_owned()
    };
    for good in [json!({}), json!({ "sessionVersion": "v1" })] {
        let token = login(good).await;
        assert_eq!(get_all(&service, &token).await, json!({ "by": "app" }));
        assert_eq!(
            update(&service, &token, json!({ "n": 1 })).await,
            ok(json!("OK"))
        );
        let session = app.open(&token).await.expect("a session");
        assert_eq!(session.get::<u8>("n").expect("a number"), Some(1));
    }
    for (version, text) in [
        (json!("v2"), "sessionVersion v2 does not match v1"),
        (json!(""), "sessionVersion  does not match v1"),
        (json!(1), "invalid token"),
        (json!(null), "invalid token"),
    ] {
        let token = login(json!({ "sessionVersion": version })).await;
        for method in ["get", "update", "destroy"] {
            let argument = json!({
                "token": token, "sessionVersion": "v1", "session": {}, "keys": "*" });
            assert_eq!(call(&service, method, argument).await, handled(400, text));
        }
        assert!(app.open(&token).await.is_ok());
    }
}

#[tokio::test]
async fn tokens_of_the_secret_before_are_still_good_and_older_ones_are_not() {
    let one = Service::redis().await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    let url = one.redis.as_ref().expect("a Redis").url();
    let newer = |previous: Vec<Secret>| {
        move |settings: &mut jwt_redis_session_server::Settings| {
            settings.tokens.secret = Some(Secret::from("a newer secret of at least 32 characters"));
            settings.tokens.previous_secrets = previous;
        }
    };
    let rotated = Service::redis_at(&url, newer(vec![Secret::from(SECRET)])).await;
    assert_eq!(get_all(&rotated, &token).await, json!({ "a": 1 }));
    let later = Service::redis_at(&url, newer(vec![])).await;
    let argument = json!({ "token": token, "sessionVersion": "v1" });
    assert_eq!(
        call(&later, "destroy", argument).await,
        handled(400, "invalid token")
    );
    assert_eq!(get_all(&rotated, &token).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn a_client_that_guesses_tokens_is_slowed_down_and_a_good_token_is_not() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 3.try_into().expect("not zero");
    })
    .await;
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let guess = json!({ "token": "x", "sessionVersion": "v1" });
    for _ in 0..3 {
        assert_eq!(call(&service, "get", guess.clone()).await.0, 400);
    }
    let text = "too many failed authentications; try again later";
    assert_eq!(call(&service, "get", guess).await, handled(429, text));
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
}

/// After the secret was exchanged, many honest clients come from one address.
#[tokio::test]
async fn tokens_of_an_old_secret_are_no_guesses_and_what_is_no_token_is_one() {
    let one = Service::redis().await;
    let token = create(&one, "jo", json!({ "a": 1 })).await;
    let url = one.redis.as_ref().expect("a Redis").url();
    let rotated = Service::redis_at(&url, |settings| {
        settings.tokens.secret = Some(Secret::from("a newer secret of at least 32 characters"));
        settings.limits.failed_authentications_per_minute = 60.try_into().expect("not zero");
    })
    .await;
    let get = async |token: &str| {
        let argument = json!({ "token": token, "sessionVersion": "v1" });
        call(&rotated, "get", argument).await
    };
    for _ in 0..200 {
        assert_eq!(get(&token).await, handled(400, "invalid token"));
    }
    for malformed in ["malformed", "a.b.c", &"a".repeat(9000)] {
        let mut limited = 0;
        for _ in 0..200 {
            limited += usize::from(get(malformed).await.0 == 429);
        }
        assert!(limited > 100, "{malformed:.20}: {limited}");
    }
    assert_eq!(get(&token).await, handled(400, "invalid token"));
}
