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
    reserved_names_do_not_change_the_record,
    users_are_isolated,
);

async fn values_are_returned_unchanged(service: Service) {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for value in [
        "12345678901234567890",
        "1e400",
        "-0",
        "0.1000",
        "null",
        "\"\"",
        r#""\u0000\ud800\u2028😀""#,
        r#"{"a":1,"a":2}"#,
        "[ 1 , {} ]",
        &deep,
    ] {
        let args = format!(r#"{{"session":{{"v":{value}}},"userId":"jo"}}"#);
        let created = call_v1(&service, "create", &args).await;
        let created: Value = serde_json::from_str(&created).expect("JSON");
        let token = created["result"]["token"].as_str().expect("a token");
        let with = |name, value: &str| {
            format!(r#"{{"token":"{token}","sessionVersion":"v1","{name}":{value}}}"#)
        };
        let only_v = format!(r#"{{"result":{{"v":{value}}}}}"#);
        assert_eq!(
            call_v1(&service, "get", &with("keys", "\"v\"")).await,
            only_v
        );
        let change = format!(r#"{{"id":{value}}}"#);
        call_v1(&service, "update", &with("session", &change)).await;
        let both = format!(r#"{{"result":{{"v":{value},"id":{value}}}}}"#);
        assert_eq!(call_v1(&service, "get", &with("keys", "\"*\"")).await, both);
    }
}

async fn names_are_returned_unchanged(service: Service) {
    let long = "n".repeat(10_000);
    let names = "__proto__ _jrs id jwt claims ~id ~~id ~ ~other *a a.b $where 😀 \" 0 token";
    let names: Vec<_> = names.split(' ').chain(["", "\0", "\r\n", &*long]).collect();
    let session: Value = names
        .iter()
        .map(|&name| (name.to_owned(), json!([name])))
        .collect();
    let created = create(&service, "jo", session.clone()).await;
    let updated = create(&service, "jo", json!({})).await;
    assert_eq!(update(&service, &updated, session.clone()).await.0, 200);
    for token in [&created, &updated] {
        assert_eq!(get_all(&service, token).await, session);
    }
    for name in names {
        let args = with_token(&created, "keys", json!([name]));
        assert_eq!(result(&service, "get", args).await, json!({ name: [name] }));
    }
    for entry in active(&service, "jo").await {
        assert_eq!(entry["session"], session);
    }
    let args = r#"{"session":{"a":2,"\ud800":1},"userId":"jo"}"#;
    let request = service.post("/rpc/create").json(&json!({ "args": args }));
    let error = "a name in the session is not Unicode";
    assert_eq!(fetch(request).await, handled(400, error));
    assert_eq!(active(&service, "jo").await.len(), 2);
}

async fn reserved_names_do_not_change_the_record(service: Service) {
    let forged = json!({ "_jrs": { "owner": "root", "created": 1 }, "id": "x" });
    let token = create(&service, "jo", forged.clone()).await;
    assert_eq!(update(&service, &token, forged.clone()).await.0, 200);
    let session = library(&service)
        .get_without_touch(&id(&service, &token))
        .await;
    let session = session.expect("a session");
    assert_eq!(session.owner().as_deref(), Some("jo"));
    let age = session.created_at().expect("a time").elapsed();
    assert!(age.expect("in the past").as_secs() < 60);
    let mut keys = session.keys();
    keys.sort();
    assert_eq!(keys, ["~_jrs", "~id"]);
    assert_eq!(get_all(&service, &token).await, forged);
}

async fn users_are_isolated(service: Service) {
    let users = "a a:b a: * ? [a-z] v1_a v1_a_ _ {a} { é e\u{301} A ../a %2F \" \\ owner 0 00";
    let (long, longer) = ("x".repeat(511), "x".repeat(512));
    let others = [
        "a ",
        "a\r\nDEL *",
        "\0",
        "a\0",
        "\u{202e}a",
        &*long,
        &*longer,
    ];
    let users: Vec<_> = users.split(' ').chain(others).collect();
    for user in &users {
        create(&service, user, json!({ "user": user })).await;
    }
    for (index, user) in users.iter().enumerate() {
        let neighbours = users.iter().enumerate().skip(index.saturating_sub(1));
        for (other, user) in neighbours.take(4) {
            let listed = active(&service, user).await;
            assert_eq!(listed.len(), usize::from(other >= index), "{user:?}");
            for entry in listed {
                assert_eq!(entry["session"], json!({ "user": user }));
            }
        }
        assert_eq!(result(&service, "destroyAll", of_user(user)).await, 1);
    }
}
