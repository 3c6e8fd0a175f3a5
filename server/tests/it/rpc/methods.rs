//! What the methods do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::caller::{active, call, core, create, destroy, get_all, handled, id, ok, update};
use crate::service::Service;

on_every_store!(
    create_gives_a_token_that_names_the_session,
    get_gives_the_fields_that_are_asked_for,
    get_prolongs_the_session,
    update_merges_as_object_assign_does,
    update_prolongs_the_session,
    a_destroyed_session_stays_destroyed_and_the_error_says_so,
    active_sessions_are_listed_with_their_times,
    destroy_all_tells_how_many_there_were,
    a_missing_argument_is_told_by_its_text,
    an_argument_of_the_wrong_kind_is_told,
    a_session_cannot_grow_without_end,
);

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_secs()
}

async fn get(service: &Service, token: &str, keys: Value) -> Value {
    let argument = json!({ "token": token, "sessionVersion": "v1", "keys": keys });
    let (status, body) = call(service, "get", argument).await;
    assert_eq!(status, 200, "{body}");
    body["result"].clone()
}

async fn create_gives_a_token_that_names_the_session(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let verified = core(&service, "v1").verify(&token).expect("a good token");
    let claims = verified.claims().expect("claims");
    let jti = claims.id().as_str();
    assert_eq!(jti.len(), 36);
    assert_eq!(jti.as_bytes()[14], b'4', "a random UUID");
    assert_eq!(claims.subject().as_deref(), Some("jo"));
    let age = claims.issued_at().expect("a time").elapsed();
    assert!(age.expect("in the past") < Duration::from_secs(5));
    let claim = |name| claims.get::<String>(name).expect("a text");
    assert_eq!(claim("sessionId"), Some(format!("v1_jo_{jti}")));
    assert_eq!(claim("sessionVersion").as_deref(), Some("v1"));
    let other = create(&service, "jo", json!({ "a": 1 })).await;
    assert_ne!(id(&service, &other).as_str(), jti);
}

async fn get_gives_the_fields_that_are_asked_for(service: Service) {
    let session = json!({ "a": 1, "b": { "c": [null] }, "id": "mine" });
    let token = create(&service, "jo", session.clone()).await;
    for (keys, expected) in [
        (json!("*"), session.clone()),
        (json!(["*"]), session.clone()),
        (json!(["a", "*"]), session),
        (
            json!(["a", "id", "none", "a"]),
            json!({ "a": 1, "id": "mine" }),
        ),
        (json!("b"), json!({ "b": { "c": [null] } })),
        (json!("none"), json!({})),
        (json!("_jrs"), json!({})),
        (json!("~id"), json!({})),
        (json!([]), json!({})),
        (json!(null), json!({})),
    ] {
        assert_eq!(
            get(&service, &token, keys.clone()).await,
            expected,
            "{keys}"
        );
    }
    let absent = json!({ "token": token, "sessionVersion": "v1" });
    assert_eq!(call(&service, "get", absent).await, ok(json!({})));
    destroy(&service, &token).await;
    assert_eq!(get(&service, &token, json!("*")).await, Value::Null);
    assert_eq!(get(&service, &token, json!(null)).await, Value::Null);
}

/// When the only session of `jo` ends.
async fn end(service: &Service) -> u64 {
    let active = active(service, "jo").await;
    active[0]["expiresAt"].as_u64().expect("a time")
}

async fn shorten(service: &Service, token: &str) {
    let session = core(service, "v1")
        .get_without_touch(&id(service, token))
        .await;
    let short = Duration::from_secs(60);
    session
        .expect("a session")
        .touch_for(short)
        .await
        .expect("touch");
}

const MONTH: u64 = 31 * 86_400;

async fn get_prolongs_the_session(service: Service) {
    let token = create(&service, "jo", json!({})).await;
    shorten(&service, &token).await;
    assert!(end(&service).await <= now() + 61);
    get(&service, &token, json!(null)).await;
    // The answer does not wait for it.
    for _ in 0..200 {
        if end(&service).await + 5 >= now() + MONTH {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the session was not prolonged");
}

async fn update_prolongs_the_session(service: Service) {
    let token = create(&service, "jo", json!({})).await;
    shorten(&service, &token).await;
    assert_eq!(
        update(&service, &token, json!({ "a": 1 })).await,
        ok(json!("OK"))
    );
    assert!(end(&service).await.abs_diff(now() + MONTH) < 5);
}

async fn update_merges_as_object_assign_does(service: Service) {
    let session = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [1, 2] });
    let token = create(&service, "jo", session.clone()).await;
    assert_eq!(update(&service, &token, json!({})).await, ok(json!("OK")));
    assert_eq!(get_all(&service, &token).await, session);
    let changes = json!({ "b": { "c": 3 }, "e": null, "new": "x", "id": 5 });
    assert_eq!(update(&service, &token, changes).await, ok(json!("OK")));
    let merged = json!({ "a": 1, "b": { "c": 3 }, "e": null, "new": "x", "id": 5 });
    assert_eq!(get_all(&service, &token).await, merged);
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn a_destroyed_session_stays_destroyed_and_the_error_says_so(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let other = create(&service, "jo", json!({ "b": 1 })).await;
    assert_eq!(destroy(&service, &token).await, ok(json!("OK")));
    let gone = "the session is gone: it was destroyed or has expired";
    assert_eq!(
        update(&service, &token, json!({ "a": 2 })).await,
        handled(400, gone)
    );
    let none = "there was an issue destroying the session: there is none";
    assert_eq!(destroy(&service, &token).await, handled(400, none));
    assert_eq!(get_all(&service, &token).await, Value::Null);
    assert_eq!(get_all(&service, &other).await, json!({ "b": 1 }));
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn active_sessions_are_listed_with_their_times(service: Service) {
    assert_eq!(active(&service, "jo").await, [json!(null); 0]);
    let before = now();
    let first = create(&service, "jo", json!({ "n": 1, "jwt": [1] })).await;
    create(&service, "jo", json!({ "n": 2 })).await;
    create(&service, "al", json!({ "n": 3 })).await;
    let mut listed = active(&service, "jo").await;
    assert_eq!(listed.len(), 2);
    listed.sort_by_key(|entry| entry["session"]["n"].as_u64());
    let entry = &listed[0];
    let name = format!("v1_jo_{}", id(&service, &first).as_str());
    assert_eq!(entry["sessionId"], json!(name));
    assert_eq!(entry["session"], json!({ "n": 1, "jwt": [1] }));
    let time = |field: &str| entry[field].as_u64().expect("a time");
    assert!(time("createdAt").abs_diff(before) < 5);
    assert!(time("expiresAt").abs_diff(before + MONTH) < 5);
    assert_eq!(entry.as_object().map(serde_json::Map::len), Some(4));
    destroy(&service, &first).await;
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn destroy_all_tells_how_many_there_were(service: Service) {
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(create(&service, "jo", json!({})).await);
    }
    let other = create(&service, "al", json!({ "a": 1 })).await;
    let argument = json!({ "userId": "jo", "sessionVersion": "v1" });
    assert_eq!(
        call(&service, "destroyAll", argument.clone()).await,
        ok(json!(20))
    );
    assert_eq!(call(&service, "destroyAll", argument).await, ok(json!(0)));
    for token in &tokens {
        assert_eq!(get_all(&service, token).await, Value::Null);
    }
    assert_eq!(get_all(&service, &other).await, json!({ "a": 1 }));
}

async fn a_missing_argument_is_told_by_its_text(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let whole = json!({ "session": {}, "userId": "jo", "token": token, "sessionVersion": "v1" });
    for (method, arguments) in [
        ("create", &["session", "userId"][..]),
        ("get", &["token", "sessionVersion"]),
        ("update", &["session", "token", "sessionVersion"]),
        ("destroy", &["token", "sessionVersion"]),
        ("getActiveSessions", &["userId", "sessionVersion"]),
        ("destroyAll", &["userId", "sessionVersion"]),
    ] {
        let text = |name: &str| match name {
            "session" => "please specify a session object".to_owned(),
            name => format!("please specify a {name}"),
        };
        assert_eq!(
            call(&service, method, json!({})).await,
            handled(400, &text(arguments[0]))
        );
        for name in arguments {
            for missing in [None, Some(json!(null)), Some(json!(""))] {
                let mut argument = whole.clone();
                let fields = argument.as_object_mut().expect("an object");
                match missing {
                    None => drop(fields.remove(*name)),
                    Some(empty) => drop(fields.insert((*name).to_owned(), empty)),
                }
                let answer = call(&service, method, argument).await;
                assert_eq!(answer, handled(400, &text(name)), "{method}");
            }
        }
    }
    assert_eq!(get_all(&service, &token).await, json!({ "a": 1 }));
    assert_eq!(active(&service, "jo").await.len(), 1);
}

async fn an_argument_of_the_wrong_kind_is_told(service: Service) {
    for session in [json!([]), json!("{}"), json!(1), json!(true)] {
        let argument = json!({ "session": session, "userId": "jo" });
        let answer = call(&service, "create", argument).await;
        assert_eq!(answer, handled(400, "please specify a session object"));
    }
    let user = |user: Value| json!({ "session": {}, "userId": user });
    for id in [json!({}), json!([1]), json!(true)] {
        let answer = call(&service, "create", user(id)).await;
        assert_eq!(answer, handled(400, "please specify a userId"));
    }
    let answer = call(&service, "create", user(json!("x".repeat(513)))).await;
    assert_eq!(answer, handled(400, "a userId is at most 512 bytes long"));
    assert_eq!(call(&service, "create", user(json!(42))).await.0, 200);
    assert_eq!(active(&service, "42").await.len(), 1);
    let token = create(&service, "jo", json!({})).await;
    let argument = json!({ "token": token, "sessionVersion": "v1", "keys": { "a": 1 } });
    let text = "please specify keys as \"*\", a name or a list of names";
    assert_eq!(call(&service, "get", argument).await, handled(400, text));
}

async fn a_session_cannot_grow_without_end(service: Service) {
    let token = create(&service, "jo", json!({ "small": 1 })).await;
    let half = "x".repeat(600_000);
    assert_eq!(update(&service, &token, json!({ "a": half })).await.0, 200);
    let refused = update(&service, &token, json!({ "b": half })).await;
    assert_eq!(refused, handled(413, "the session would be too large"));
    let session = get_all(&service, &token).await;
    assert_eq!(session, json!({ "small": 1, "a": half }));
}
