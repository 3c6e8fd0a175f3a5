//! Users, names and values of any text.

use serde_json::{Value, json};

use super::client::{
    active, call_v1, create, get_all, handled, id, library, of_user, result, update, with_token,
};
use crate::request::fetch;
use crate::service::Service;

on_every_store!(
    values_are_returned_unchanged,
    names_are_returned_unchanged,
    users_are_isolated,
);

async fn values_are_returned_unchanged(service: Service) {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let numbers = "12345678901234567890|1e400|-0|0.1000|null|[ 1 , {} ]";
    let texts = r#"""|"\u0000\ud800\u2028😀"|{"a":1,"a":2}"#;
    let values = numbers.split('|').chain(texts.split('|'));
    for value in values.chain([&*deep]) {
        let args = format!(r#"{{"session":{{"v":{value}}},"userId":"jo"}}"#);
        let created = call_v1(&service, "create", &args).await;
        let created: Value = serde_json::from_str(&created).expect("JSON");
        let token = created["result"]["token"].as_str().expect("a token");
        let with = |name, value: &str| {
            format!(r#"{{"token":"{token}","sessionVersion":"v1","{name}":{value}}}"#)
        };
        let only_v = format!(r#"{{"result":{{"v":{value}}}}}"#);
        let read = call_v1(&service, "get", &with("keys", "\"v\"")).await;
        assert_eq!(read, only_v);
        let change = format!(r#"{{"id":{value}}}"#);
        call_v1(&service, "update", &with("session", &change)).await;
        let both = format!(r#"{{"result":{{"v":{value},"id":{value}}}}}"#);
        assert_eq!(call_v1(&service, "get", &with("keys", "\"*\"")).await, both);
    }
}

async fn names_are_returned_unchanged(service: Service) {
    let names = "__proto__ _jrs id jwt claims ~id ~~id ~ *a a.b $where 😀 \" 0 token";
    let names: Vec<_> = names.split(' ').chain(["", "\0", "\r\n"]).collect();
    let session = names.iter().map(|&name| (name.to_owned(), json!([name])));
    let session: Value = session.collect();
    let token = create(&service, "jo", session.clone()).await;
    assert_eq!(update(&service, &token, session.clone()).await.0, 200);
    assert_eq!(get_all(&service, &token).await, session);
    for name in names {
        let args = with_token(&token, "keys", json!([name]));
        assert_eq!(result(&service, "get", args).await, json!({ name: [name] }));
    }
    assert_eq!(active(&service, "jo").await[0]["session"], session);
    let record = library(&service)
        .get_without_touch(&id(&service, &token))
        .await;
    // `_jrs` has not changed the record.
    assert_eq!(record.expect("a session").owner().as_deref(), Some("jo"));
    let args = r#"{"session":{"a":2,"\ud800":1},"userId":"jo"}"#;
    let request = service.post("/rpc/create").json(&json!({ "args": args }));
    let error = "a name in the session is not Unicode; rename it";
    assert_eq!(fetch(request).await, handled(400, error));
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn users_are_isolated(service: Service) {
    let users = "a|a:b|*|v1_a|A|a |a\r\nDEL *|\0|\u{202e}a".split('|');
    let mut users: Vec<_> = users.map(str::to_owned).collect();
    users.extend(["x".repeat(511), "x".repeat(512)]);
    for user in &users {
        create(&service, user, json!({ "user": user })).await;
    }
    for user in &users {
        let listed = active(&service, user).await;
        assert_eq!(listed.len(), 1, "{user:?}");
        assert_eq!(listed[0]["session"], json!({ "user": user }));
        assert_eq!(result(&service, "destroyAll", of_user(user)).await, 1);
    }
}
