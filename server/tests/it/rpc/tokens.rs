//! Valid tokens, and tokens that are rejected.

use std::time::Duration;

use jwt_redis_session::{Keyring, MemoryStore, Sessions};
use jwt_redis_session_server::{Secret, Settings};
use serde_json::json;

use super::client::{
    active, call, create, destroy, get_all, handled, id, library, ok, update, with_token,
};
use crate::service::{SECRET, Service};

const INVALID: &str = "invalid token; send the one that create returned";

on_every_store!(
    token_identifies_the_session,
    invalid_tokens_are_rejected_and_change_nothing,
    app_on_the_same_keyspace_shares_the_sessions,
);

async fn token_identifies_the_session(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let verified = library(&service).verify(&token).expect("a valid token");
    let claims = verified.claims().expect("claims");
    let id = claims.id().as_str();
    let uuid = uuid::Uuid::parse_str(id).expect("a UUID");
    assert_eq!(uuid.get_version_num(), 4);
    assert_eq!(claims.subject().as_deref(), Some("jo"));
    let age = claims.issued_at().expect("a time").elapsed();
    assert!(age.expect("in the past") < Duration::from_secs(5));
    let claim = |name| claims.get::<String>(name).expect("a text");
    assert_eq!(claim("sessionId"), Some(format!("v1_jo_{id}")));
    assert_eq!(claim("sessionVersion").as_deref(), Some("v1"));
}

async fn invalid_tokens_are_rejected_and_change_nothing(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let keyring = Keyring::hs256("another secret of at least 32 bytes").expect("a keyring");
    let other = Sessions::builder(MemoryStore::new(), keyring).build();
    let other = other.expect("sessions").new_session();
    let foreign = other.create().id(id(&service, &token)).await;
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    let (_, payload) = head.split_once('.').expect("a payload");
    for invalid in [
        "x",
        &format!("{token}x"),
        &format!("{head}."),
        &format!("{head}.{}", "A".repeat(signature.len())),
        // {"alg":"none","typ":"JWT"}
        &format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."),
        &"a".repeat(10_000),
        "\0\r\n",
        id(&service, &token).as_str(),
        foreign.expect("a token").as_str(),
    ] {
        let args = with_token(invalid, "session", json!({ "a": 2 }));
        for method in ["get", "update", "destroy"] {
            let answer = call(&service, method, args.clone()).await;
            assert_eq!(answer, handled(400, INVALID), "{invalid:.60}");
        }
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
}

async fn app_on_the_same_keyspace_shares_the_sessions(service: Service) {
    let app = library(&service);
    let token = create(&service, "jo", json!({ "by": "API", "claims": [1] })).await;
    let session = app.open(&token).await.expect("a session");
    assert_eq!(session.to_json(), json!({ "by": "API", "~claims": [1] }));
    assert_eq!(session.owner().as_deref(), Some("jo"));
    let login = async |claims: serde_json::Value| {
        let session = app.new_session();
        session.insert("by", "app").expect("insert");
        session.set_owner("jo").expect("an owner");
        let token = session.create().claims(claims).await.expect("a token");
        token.into_string()
    };
    for claims in [json!({}), json!({ "sessionVersion": "v1" })] {
        let token = login(claims).await;
        assert_eq!(get_all(&service, &token).await, json!({ "by": "app" }));
        assert_eq!(update(&service, &token, json!({ "n": 1 })).await, ok());
        let session = app.open(&token).await.expect("a session");
        assert_eq!(session.to_json(), json!({ "by": "app", "n": 1 }));
        assert_eq!(active(&service, "jo").await.len(), 2);
        assert_eq!(destroy(&service, &token).await, ok());
        assert!(app.open(&token).await.is_err());
    }
    for (version, error) in [
        (json!("v2"), "sessionVersion v2 does not match v1"),
        (json!(""), "sessionVersion  does not match v1"),
        (json!(1), INVALID),
        (json!(null), INVALID),
    ] {
        let token = login(json!({ "sessionVersion": version })).await;
        for method in ["get", "update", "destroy"] {
            let args = with_token(&token, "session", json!({}));
            assert_eq!(call(&service, method, args).await, handled(400, error));
        }
        assert!(app.open(&token).await.is_ok());
    }
}

#[tokio::test]
async fn previous_secret_is_valid_and_older_ones_are_no_failures() {
    let before = Service::redis().await;
    let token = create(&before, "jo", json!({ "a": 1 })).await;
    let url = before.server().url();
    let with = async |previous: Vec<Secret>| {
        let change = |settings: &mut Settings| {
            let next = Secret::from("a newer secret of at least 32 characters");
            settings.tokens.secret = Some(next);
            settings.tokens.previous_secrets = previous;
            settings.limits.failed_authentications_per_minute = 1.try_into().expect("not zero");
        };
        Service::redis_at(&url, change).await
    };
    let after = with(vec![SECRET.into()]).await;
    assert_eq!(get_all(&after, &token).await, json!({ "a": 1 }));
    let without = with(Vec::new()).await;
    for _ in 0..3 {
        let answer = call(&without, "get", with_token(&token, "keys", json!(null))).await;
        assert_eq!(answer, handled(400, INVALID));
    }
}
