//! User ids of any UTF-8.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::caller::{active, call, create, get_all, handled, ok};
use crate::service::Service;

on_every_store!(
    users_of_any_name_are_isolated_from_each_other,
    a_user_id_that_no_token_can_hold_is_told,
);

fn users() -> Vec<String> {
    let names = [
        "a",
        "a:b",
        "a:",
        ":a",
        "*",
        "?",
        "[a-z]",
        "v1_a",
        "v1_a_",
        "_",
        "a_b",
        "{a}",
        "{",
        "😀",
        "é",
        "e\u{301}",
        "A",
        "a ",
        " a",
        "a\r\nDEL *",
        "\0",
        "a\0",
        "../a",
        "%2F",
        "a/b",
        "\"",
        "\\",
        "\u{202e}a",
        "sessiond:rpc:v1:",
        "owner",
        "0",
        "00",
    ];
    let long = [
        "x".repeat(512),
        "é".repeat(256),
        format!("{}y", "x".repeat(511)),
    ];
    names.map(str::to_owned).into_iter().chain(long).collect()
}

async fn users_of_any_name_are_isolated_from_each_other(service: Service) {
    let mut tokens = Vec::new();
    for user in users() {
        tokens.push(create(&service, &user, json!({ "user": user })).await);
    }
    let mut ids = HashSet::new();
    for user in users() {
        let listed = active(&service, &user).await;
        assert_eq!(listed.len(), 1, "{user:?}");
        assert_eq!(listed[0]["session"], json!({ "user": user }));
        let id = listed[0]["sessionId"].as_str().expect("a text").to_owned();
        assert!(id.starts_with(&format!("v1_{user}_")), "{id}");
        assert!(ids.insert(id));
    }
    let mut left: Vec<_> = users().into_iter().zip(tokens).collect();
    while let Some((user, token)) = left.pop() {
        assert_eq!(get_all(&service, &token).await, json!({ "user": user }));
        let argument = json!({ "userId": user, "sessionVersion": "v1" });
        assert_eq!(
            call(&service, "destroyAll", argument).await,
            ok(json!(1)),
            "{user:?}"
        );
        assert_eq!(get_all(&service, &token).await, Value::Null);
        for (other, token) in left.iter().rev().take(3) {
            assert_eq!(get_all(&service, token).await, json!({ "user": other }));
        }
    }
}

async fn a_user_id_that_no_token_can_hold_is_told(service: Service) {
    let user = "\0".repeat(512);
    let argument = json!({ "session": {}, "userId": user });
    let text = "the userId makes the token too long; use fewer control characters";
    assert_eq!(call(&service, "create", argument).await, handled(400, text));
    assert!(active(&service, &user).await.is_empty());
}
