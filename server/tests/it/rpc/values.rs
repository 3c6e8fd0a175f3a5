//! What can be stored.

use serde_json::{Value, json};

use super::caller::{call, call_raw, core, create, get_all, handled, id, update};
use crate::service::Service;

on_every_store!(
    every_value_survives_to_the_letter,
    every_name_survives,
    reserved_names_are_the_clients_own_and_the_cores_stay_the_cores,
    a_name_that_is_not_unicode_is_refused_and_nothing_changes,
);

async fn every_value_survives_to_the_letter(service: Service) {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for value in [
        "12345678901234567890",
        "1e400",
        "-0",
        "1.0",
        "0.1000",
        "1E+2",
        "null",
        "false",
        "\"\"",
        r#""\u0000\ud800\u2028😀""#,
        r#"{"a":1,"a":2}"#,
        "[ 1 , {} ]",
        deep.as_str(),
    ] {
        let args = format!(r#"{{"session":{{"v":{value}}},"userId":"jo"}}"#);
        let created = call_raw(&service, "create", &args).await;
        let created: Value = serde_json::from_str(&created).expect("JSON");
        let token = created["result"]["token"].as_str().expect("a token");
        let get =
            |keys: &str| format!(r#"{{"token":"{token}","sessionVersion":"v1","keys":{keys}}}"#);
        let expected = format!(r#"{{"result":{{"v":{value}}}}}"#);
        assert_eq!(call_raw(&service, "get", &get("\"*\"")).await, expected);
        assert_eq!(call_raw(&service, "get", &get("[\"v\"]")).await, expected);
        let args =
            format!(r#"{{"token":"{token}","sessionVersion":"v1","session":{{"id":{value}}}}}"#);
        call_raw(&service, "update", &args).await;
        let expected = format!(r#"{{"result":{{"v":{value},"id":{value}}}}}"#);
        assert_eq!(call_raw(&service, "get", &get("\"*\"")).await, expected);
    }
}

fn names() -> Vec<String> {
    let long = "n".repeat(10_000);
    let names = [
        "",
        " ",
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "_jrs",
        "id",
        "jwt",
        "claims",
        "~id",
        "~~id",
        "~_jrs",
        "~",
        "~~",
        "~other",
        "*a",
        "a.b",
        "$where",
        "é",
        "😀",
        "\0",
        "\r\n",
        "\"",
        "\\",
        "{}",
        "0",
        "length",
        "session",
        "token",
        &long,
    ];
    names.map(str::to_owned).into()
}

async fn every_name_survives(service: Service) {
    let whole: Value = names()
        .into_iter()
        .map(|name| (name.clone(), json!([name])))
        .collect();
    let created = create(&service, "jo", whole.clone()).await;
    assert_eq!(get_all(&service, &created).await, whole);
    let updated = create(&service, "jo", json!({})).await;
    assert_eq!(update(&service, &updated, whole.clone()).await.0, 200);
    assert_eq!(get_all(&service, &updated).await, whole);
    for name in names() {
        let argument = json!({ "token": created, "sessionVersion": "v1", "keys": [name] });
        let (_, body) = call(&service, "get", argument).await;
        assert_eq!(body["result"], json!({ name.clone(): [name] }));
    }
    for entry in super::caller::active(&service, "jo").await {
        assert_eq!(entry["session"], whole);
    }
}

async fn reserved_names_are_the_clients_own_and_the_cores_stay_the_cores(service: Service) {
    let forged = json!({ "_jrs": { "owner": "root", "created": 1, "expires": 1 }, "id": "x" });
    let token = create(&service, "jo", forged.clone()).await;
    assert_eq!(
        update(&service, &token, json!({ "_jrs": { "owner": "root" } }))
            .await
            .0,
        200
    );
    let session = core(&service, "v1")
        .get_without_touch(&id(&service, &token))
        .await
        .expect("a session");
    assert_eq!(session.owner().as_deref(), Some("jo"));
    assert!(session.created_at() > Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1)));
    let mut keys = session.keys();
    keys.sort();
    assert_eq!(keys, ["~_jrs", "~id"]);
    let expected = json!({ "_jrs": { "owner": "root" }, "id": "x" });
    assert_eq!(get_all(&service, &token).await, expected);
}

async fn a_name_that_is_not_unicode_is_refused_and_nothing_changes(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    for (method, rest) in [
        ("create", r#""userId":"jo""#.to_owned()),
        (
            "update",
            format!(r#""token":"{token}","sessionVersion":"v1""#),
        ),
    ] {
        let args = format!(r#"{{{rest},"session":{{"a":2,"\ud800":1}}}}"#);
        let body = json!({ "args": args });
        let request = service.post(&format!("/rpc/{method}")).json(&body);
        let answer = crate::service::json(request.send().await.expect("an answer")).await;
        assert_eq!(answer, handled(400, "a name in the session is not Unicode"));
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(super::caller::active(&service, "jo").await.len(), 1);
}
