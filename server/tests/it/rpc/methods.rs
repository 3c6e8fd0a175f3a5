//! The results and errors of the methods.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use jwt_redis_session::OpaqueTokens;
use jwt_redis_session_server::Settings;
use serde_json::{Value, json};

use super::client::{
    active, call, create, destroy, get_all, handled, id, library, of_user, ok, result, update,
    with_token,
};
use crate::buckets::bucket::{overwrite, stored};
use crate::request;
use crate::service::Service;
use crate::support::eventually;

on_every_store!(
    get_returns_the_requested_fields,
    use_resets_the_ttl,
    update_sets_fields,
    concurrent_updates_of_different_fields_are_all_kept,
    destroyed_session_is_gone,
    sessions_of_a_user_are_listed_and_destroyed,
    active_sessions_have_pages,
    limits_and_cursors_are_checked,
    active_sessions_without_pages_are_bounded,
    missing_or_wrong_argument_is_named,
    session_has_a_maximum_size,
);

const MONTH: u64 = 31 * 86_400;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

async fn get_returns_the_requested_fields(service: Service) {
    let session = json!({ "a": 1, "b": { "c": [null] }, "id": "mine" });
    let token = create(&service, "jo", session.clone()).await;
    for (keys, expected) in [
        (json!("*"), session),
        (json!(["a", "id", "none"]), json!({ "a": 1, "id": "mine" })),
        (json!(["none", "_jrs", "~id"]), json!({})),
        (json!(null), json!({})),
    ] {
        let args = with_token(&token, "keys", keys);
        let fields = result(&service, "get", args.clone()).await;
        assert_eq!(fields, expected, "{args}");
    }
}

async fn use_resets_the_ttl(service: Service) {
    let token = create(&service, "jo", json!({})).await;
    let expires = async || active(&service, "jo").await[0]["expiresAt"].as_u64();
    for (method, args) in [
        ("get", with_token(&token, "keys", json!(null))),
        ("update", with_token(&token, "session", json!({ "a": 1 }))),
    ] {
        let (library, id) = (library(&service), id(&service, &token));
        let session = library.get_without_touch(&id).await;
        let session = session.expect("a session");
        let minute = Duration::from_secs(60);
        session.touch_for(minute).await.expect("touch");
        assert!(expires().await <= Some(now() + 61));
        result(&service, method, args).await;
        // A read refreshes the session in the background.
        eventually("the TTL is reset", || async {
            (expires().await >= Some(now() + MONTH - 5)).then_some(())
        })
        .await;
    }
}

async fn update_sets_fields(service: Service) {
    let session = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [1, 2] });
    let token = create(&service, "jo", session.clone()).await;
    assert_eq!(update(&service, &token, json!({})).await, ok());
    assert_eq!(get_all(&service, &token).await, session);
    let changes = json!({ "b": { "c": 3 }, "e": null, "new": "x", "id": 5 });
    assert_eq!(update(&service, &token, changes).await, ok());
    let merged = json!({ "a": 1, "b": { "c": 3 }, "e": null, "new": "x", "id": 5 });
    assert_eq!(get_all(&service, &token).await, merged);
}

async fn concurrent_updates_of_different_fields_are_all_kept(service: Service) {
    let token = create(&service, "jo", json!({})).await;
    let fields: Vec<_> = (0..50).map(|n| (format!("k{n}"), json!(n))).collect();
    let changes = fields.iter().map(|(name, value)| json!({ name: value }));
    let updates = changes.map(|change| update(&service, &token, change));
    for answer in join_all(updates).await {
        assert_eq!(answer, ok());
    }
    let all: Value = fields.into_iter().collect();
    assert_eq!(get_all(&service, &token).await, all);
}

async fn destroyed_session_is_gone(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let other = create(&service, "jo", json!({ "b": 1 })).await;
    let mut answers = join_all((0..20).map(|_| destroy(&service, &token))).await;
    answers.sort_by_key(|(status, _)| *status);
    let error = "there was an issue destroying the session: there is none; it has ended already";
    assert_eq!(answers[0], ok());
    assert_eq!(answers[1..], vec![handled(400, error); 19]);
    let error = "the session is gone: it was destroyed or has expired; create one";
    let answer = update(&service, &token, json!({ "a": 2 })).await;
    assert_eq!(answer, handled(400, error));
    assert_eq!(get_all(&service, &token).await, json!(null));
    assert_eq!(get_all(&service, &other).await, json!({ "b": 1 }));
}

async fn sessions_of_a_user_are_listed_and_destroyed(service: Service) {
    let before = now();
    let first = create(&service, "jo", json!({ "n": 1, "jwt": [1] })).await;
    create(&service, "jo", json!({ "n": 2 })).await;
    let other = create(&service, "al", json!({ "a": 1 })).await;
    let mut listed = active(&service, "jo").await;
    listed.sort_by_key(|entry| entry["session"]["n"].as_u64());
    let entry = &listed[0];
    let (created, expires) = (&entry["createdAt"], &entry["expiresAt"]);
    let expected = json!({
        "sessionId": format!("v1_jo_{}", id(&service, &first).as_str()),
        "createdAt": created, "expiresAt": expires, "session": { "n": 1, "jwt": [1] },
    });
    assert_eq!((listed.len(), entry), (2, &expected));
    for (time, expected) in [(created, before), (expires, before + MONTH)] {
        let time = time.as_u64().expect("a time");
        assert!(time.abs_diff(expected) < 5, "{time}");
    }
    for expected in [2, 0] {
        let ended = result(&service, "destroyAll", of_user("jo")).await;
        assert_eq!(ended, expected);
        assert_eq!(active(&service, "jo").await, [json!(null); 0]);
    }
    assert_eq!(get_all(&service, &first).await, json!(null));
    assert_eq!(get_all(&service, &other).await, json!({ "a": 1 }));
}

async fn active_sessions_have_pages(service: Service) {
    let sessions = (0..35).map(|n| create(&service, "jo", json!({ "n": n })));
    join_all(sessions).await;
    create(&service, "al", json!({ "n": 99 })).await;
    let mut args = of_user("jo");
    args["limit"] = json!(10);
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = result(&service, "getActiveSessions", args.clone()).await;
        let sessions = page["sessions"].as_array().expect("a list");
        sizes.push(sessions.len());
        for entry in sessions {
            found.push(entry["session"]["n"].as_u64().expect("a number"));
            let id = entry["sessionId"].as_str().expect("an id");
            assert!(id.starts_with("v1_jo_") && entry["expiresAt"].is_u64());
        }
        if page["cursor"].is_null() {
            break;
        }
        args["cursor"] = page["cursor"].clone();
    }
    found.sort_unstable();
    assert_eq!(found, Vec::from_iter(0..35));
    assert_eq!(sizes[..3], [10, 10, 10]);
}

async fn limits_and_cursors_are_checked(service: Service) {
    let sessions = (0..35).map(|n| create(&service, "jo", json!({ "n": n })));
    join_all(sessions).await;
    let limit = "please specify limit as a number from 1 to 1000";
    let cursor = "please specify cursor as returned with the previous page";
    for (name, value, error) in [
        ("limit", json!(0), limit),
        ("limit", json!(1001), limit),
        ("limit", json!(1.5), limit),
        ("limit", json!([]), limit),
        ("cursor", json!("page 2"), cursor),
        ("cursor", json!({}), cursor),
    ] {
        let mut args = of_user("jo");
        args[name] = value;
        let answer = call(&service, "getActiveSessions", args).await;
        assert_eq!(answer, handled(400, error));
    }
    // A limit as text, and a cursor without a limit.
    let mut args = of_user("jo");
    args["limit"] = json!("35");
    let page = result(&service, "getActiveSessions", args.clone()).await;
    assert_eq!(page["sessions"].as_array().map(Vec::len), Some(35));
    args["limit"] = json!(null);
    args["cursor"] = page["cursor"].clone();
    let rest = result(&service, "getActiveSessions", args).await;
    assert_eq!(rest, json!({ "sessions": [], "cursor": null }));
}

/// Calls without pages, as the clients of the original.
async fn active_sessions_without_pages_are_bounded(service: Service) {
    let large = "x".repeat(500_000);
    for n in 0..10 {
        create(&service, "jo", json!({ "n": n, "data": large })).await;
    }
    let listed = active(&service, "jo").await;
    assert_eq!(listed.len(), 9, "the first ones that exceed 4 MiB");
    let mut args = of_user("jo");
    args["limit"] = json!(1000);
    let page = result(&service, "getActiveSessions", args.clone()).await;
    assert_eq!(page["sessions"].as_array().map(Vec::len), Some(9));
    args["cursor"] = page["cursor"].clone();
    let rest = result(&service, "getActiveSessions", args).await;
    assert_eq!(rest["sessions"].as_array().map(Vec::len), Some(1));
}

async fn missing_or_wrong_argument_is_named(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let all = json!({ "session": {}, "userId": "jo", "token": token, "sessionVersion": "v1" });
    let with = |name: &str, value: Value| {
        let mut args = all.clone();
        args[name] = value;
        args
    };
    for (method, required) in [
        ("create", &["session object", "userId"][..]),
        ("get", &["token", "sessionVersion"]),
        ("update", &["session object", "token", "sessionVersion"]),
        ("destroy", &["token", "sessionVersion"]),
        ("getActiveSessions", &["userId", "sessionVersion"]),
        ("destroyAll", &["userId", "sessionVersion"]),
    ] {
        for what in required {
            let name = what.trim_end_matches(" object");
            let error = handled(400, &format!("please specify a {what}"));
            for value in [json!(null), json!(""), json!(true)] {
                let answer = call(&service, method, with(name, value)).await;
                assert_eq!(answer, error, "{method} {name}");
            }
        }
    }
    let too_long = "the userId makes the token too long; use fewer control characters";
    let too_many = "a user id must have 1 to 512 bytes";
    for (method, user, error) in [
        ("create", "\0".repeat(512), too_long),
        ("create", "é".repeat(257), too_many),
        ("getActiveSessions", "a".repeat(513), too_many),
        ("destroyAll", "a".repeat(513), too_many),
    ] {
        let answer = call(&service, method, with("userId", json!(user))).await;
        assert_eq!(answer, handled(400, error));
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn session_has_a_maximum_size(service: Service) {
    let token = create(&service, "jo", json!({ "small": 1 })).await;
    let half = "x".repeat(600_000);
    assert_eq!(update(&service, &token, json!({ "a": half })).await, ok());
    let answer = update(&service, &token, json!({ "b": half })).await;
    assert_eq!(answer.0, 413);
    let error = answer.1["error"].as_str().expect("a message");
    assert!(error.ends_with("; store less in it"), "{error}");
    let session = get_all(&service, &token).await;
    assert_eq!(session, json!({ "small": 1, "a": half }));
}

#[tokio::test]
async fn version_of_a_call_must_be_that_of_the_service() {
    let version = |settings: &mut Settings| settings.rpc.session_version = "v2".to_owned();
    let service = Service::memory_with(version).await;
    let token = create(&service, "jo", json!({})).await;
    let args = |version: &str| {
        json!({ "token": token, "sessionVersion": version, "keys": "*", "session": {},
            "userId": "jo" })
    };
    let long = "3".repeat(1000);
    for (sent, named) in [
        ("v1", "v1"),
        ("\r\u{202e}", r"\r\u{202e}"),
        (&long, &long[..64]),
    ] {
        let error = handled(400, &format!("sessionVersion {named} does not match v2"));
        for method in "get update destroy getActiveSessions destroyAll".split(' ') {
            assert_eq!(call(&service, method, args(sent)).await, error, "{method}");
        }
    }
    let listed = result(&service, "getActiveSessions", args("v2")).await;
    let id = listed[0]["sessionId"].as_str().expect("an id");
    assert!(id.starts_with("v2_jo_"), "{id}");
    let sessions = request::library(&service, "sessiond:rpc:v2:", OpaqueTokens::new());
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
}

#[tokio::test]
async fn foreign_record_is_500_and_can_be_destroyed() {
    let service = Service::memory().await;
    for corrupt in ["[1,2]", "\"hunter2\"", "{bad", "null"] {
        let token = create(&service, "jo", json!({ "a": 1 })).await;
        let key = format!("sessiond:rpc:v1:{}", id(&service, &token).as_str());
        overwrite(&service, &key, corrupt.as_bytes()).await;
        let error = json!({ "error": "internal error", "code": 5000, "handled": false });
        for method in ["get", "update"] {
            let args = with_token(&token, "session", json!({ "a": 2 }));
            assert_eq!(call(&service, method, args).await, (500, error.clone()));
        }
        let kept = stored(&service, &key).await.expect("a record").value;
        assert_eq!(&kept[..], corrupt.as_bytes());
        assert_eq!(destroy(&service, &token).await, ok());
        assert!(stored(&service, &key).await.is_none());
    }
}
