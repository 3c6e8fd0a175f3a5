//! Settings of single buckets.

use std::time::Duration;

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::{BucketOverrides, Sources};
use reqwest::Method;
use serde_json::{Value, json};

use crate::buckets::bucket::{Bucket, HOUR, MONTH, api_key, set_ttl, ttl};
use crate::request::{fetch, status};
use crate::service::Service;

on_every_store!(
    settings_of_a_key_are_those_of_its_bucket,
    sessions_have_the_settings_of_their_bucket,
    changed_settings_apply_at_the_next_use,
    settings_that_cannot_be_used_create_no_key,
);

const DAY: Duration = Duration::from_secs(86_400);

/// Creates an API key with settings.
async fn create<'a>(service: &'a Service, name: &'static str, settings: &Value) -> Bucket<'a> {
    let (status, body) = fetch(api_key(service, Method::PUT, name).json(settings)).await;
    assert_eq!(status, 201, "{body}");
    let key = body["api_key"].as_str().expect("a key").to_owned();
    Bucket { service, name, key }
}

async fn settings(bucket: &Bucket<'_>) -> Value {
    let path = format!("/session/settings?bucket={}", bucket.name);
    let request = bucket
        .service
        .get(&path)
        .header("x-session-key", &bucket.key);
    let (status, settings) = fetch(request).await;
    assert_eq!(status, 200, "{settings}");
    settings
}

async fn assert_lives_for(bucket: &Bucket<'_>, id: &str, expected: Duration) {
    let left = ttl(bucket.service, &bucket.record(id)).await;
    let is_expected = left <= expected && left + Duration::from_secs(10) > expected;
    assert!(is_expected, "{left:?}");
}

async fn settings_of_a_key_are_those_of_its_bucket(service: Service) {
    let general = json!({ "session_ttl": 30 * 86_400, "max_payload": 1 << 20 });
    let own = json!({ "session_ttl": 3600, "max_payload": 10 });
    let shop = create(&service, "shop", &own).await;
    let other = create(&service, "other", &json!({ "max_payload": null })).await;
    assert_eq!(settings(&shop).await, own);
    assert_eq!(settings(&other).await, general);
    let of_all = service
        .get("/session/settings")
        .header("x-session-key", &shop.key);
    assert_eq!(fetch(of_all).await, (200, general));
    for (query, expected) in [
        ("bucket=shop", 401),
        ("bucket=other", 401),
        ("bucket=none", 401),
        ("bucket=a.b", 400),
        ("bucket=shop&bucket=shop", 400),
    ] {
        let request = service.get(&format!("/session/settings?{query}"));
        let key = if expected == 400 { &shop.key } else { "wrong" };
        let found = status(request.header("x-session-key", key)).await;
        assert_eq!(found, expected, "{query}");
    }
}

async fn sessions_have_the_settings_of_their_bucket(service: Service) {
    let own = json!({ "session_ttl": 3600, "max_payload": 10 });
    let shop = create(&service, "shop", &own).await;
    let id = shop.create(&json!([1])).await;
    assert_lives_for(&shop, &id, HOUR).await;
    let (_, session) = fetch(shop.get(&id)).await;
    let expires = session["expires"].as_u64().expect("a time");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    assert!(expires.abs_diff(now + 3600) < 10, "{expires}");
    for request in [shop.get(&id), shop.post(&id, &json!([2]))] {
        set_ttl(&service, &shop.record(&id), HOUR / 60).await;
        assert_eq!(status(request).await, 200);
        assert_lives_for(&shop, &id, HOUR).await;
    }
    assert_eq!(
        status(shop.post(&id, &json!("12345678"))).await,
        200,
        "10 bytes"
    );
    assert_eq!(status(shop.post(&id, &json!("123456789"))).await, 413);
    assert_eq!(status(shop.put().json(&json!("123456789"))).await, 413);
    let other = Bucket::new(&service, "other").await;
    let id = other.create(&json!("123456789")).await;
    assert_lives_for(&other, &id, MONTH).await;
    assert_eq!(status(other.delete(&id)).await, 200);
}

async fn changed_settings_apply_at_the_next_use(service: Service) {
    let delete_with_grace = || status(api_key(&service, Method::DELETE, "shop?grace=1h"));
    let old = create(&service, "shop", &json!({ "session_ttl": 3600 })).await;
    let id = old.create(&json!(1)).await;
    assert_eq!(delete_with_grace().await, 200);
    let new = Bucket::new(&service, "shop").await;
    assert_eq!(settings(&new).await["session_ttl"], 3600, "they remain");
    assert_eq!(status(api_key(&service, Method::DELETE, "shop")).await, 200);
    let longer = create(&service, "shop", &json!({ "session_ttl": 86_400 })).await;
    assert_lives_for(&longer, &id, HOUR).await;
    assert_eq!(longer.data(&id).await, 1);
    assert_lives_for(&longer, &id, DAY).await;

    assert_eq!(delete_with_grace().await, 200);
    let shorter = create(&service, "shop", &json!({ "session_ttl": 60 })).await;
    assert_eq!(longer.data(&id).await, 1, "with the deleted key");
    assert_lives_for(&shorter, &id, HOUR / 60).await;
    assert_eq!(status(api_key(&service, Method::DELETE, "shop")).await, 200);
    let general = Bucket::new(&service, "shop").await;
    assert_eq!(general.data(&id).await, 1);
    assert_lives_for(&general, &id, MONTH).await;
}

async fn settings_that_cannot_be_used_create_no_key(service: Service) {
    let error = "the body must be empty, or a JSON object with session_ttl (1 to 3153600000 \
                 seconds), max_payload (1 to 1048576 bytes) or both";
    for body in [
        "x",
        "[]",
        "[3600, 10]",
        "null",
        r#"{"session_ttl":"1h"}"#,
        r#"{"session_ttl":0}"#,
        r#"{"session_ttl":3153600001}"#,
        r#"{"max_payload":0}"#,
        r#"{"max_payload":1048577}"#,
        r#"{"max_payload":-1}"#,
        r#"{"session_tl":3600}"#,
    ] {
        let request = api_key(&service, Method::PUT, "shop").body(body);
        assert_eq!(
            fetch(request).await,
            (400, json!({ "error": error })),
            "{body}"
        );
    }
    assert_eq!(status(api_key(&service, Method::GET, "shop")).await, 404);
    let long = api_key(&service, Method::PUT, "shop").body(" ".repeat(5000));
    assert_eq!(status(long).await, 413);
}

#[tokio::test]
async fn configured_settings_take_precedence() {
    let service = Service::memory_with(|settings| {
        let overrides = BucketOverrides {
            session_ttl: Some(2 * HOUR),
            max_payload: None,
        };
        settings
            .buckets
            .overrides
            .insert("shop".to_owned(), overrides);
        let larger = BucketOverrides {
            session_ttl: None,
            max_payload: Some(2 << 20),
        };
        settings
            .buckets
            .overrides
            .insert("large".to_owned(), larger);
    })
    .await;
    let own = json!({ "session_ttl": 3600, "max_payload": 10 });
    let shop = create(&service, "shop", &own).await;
    let expected = json!({ "session_ttl": 7200, "max_payload": 10 });
    assert_eq!(settings(&shop).await, expected);
    let id = shop.create(&json!(1)).await;
    assert_lives_for(&shop, &id, 2 * HOUR).await;
    set_ttl(&service, &shop.record(&id), HOUR).await;
    assert_eq!(shop.data(&id).await, 1);
    assert_lives_for(&shop, &id, 2 * HOUR).await;

    let large = create(&service, "large", &own).await;
    let text = "\u{1}".repeat(2 << 20);
    let request = large.put().body(text.clone());
    let (status, created) = fetch(request).await;
    assert_eq!(status, 201);
    let id = created["id"].as_str().expect("an id");
    assert!(large.data(id).await == json!(text), "it can be read back");
}

#[test]
fn overrides_are_read_with_the_case_of_their_names() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let load = |yaml: &str| {
        std::fs::write(file.path(), yaml).expect("write");
        Settings::load(&Sources::default().file(file.path()))
    };
    let yaml = "buckets: {overrides: {My_Shop-1: {session_ttl: 1h}, b: {max_payload: 7}}}";
    let settings = load(yaml).expect("valid");
    let names: Vec<_> = settings.buckets.overrides.keys().collect();
    assert_eq!(names, ["My_Shop-1", "b"]);
    assert_eq!(
        settings.buckets.overrides["My_Shop-1"].session_ttl,
        Some(HOUR)
    );
    assert_eq!(settings.buckets.overrides["b"].max_payload, Some(7));
    for (overrides, error) in [
        (
            "b: {session_ttl: 0s}",
            "buckets.overrides.b.session_ttl: must be between 1 ms",
        ),
        (
            "b: {max_payload: 0}",
            "buckets.overrides.b.max_payload: must be between 1 and",
        ),
        (
            "b: {session_ttl: 60}",
            "buckets.overrides.b.session_ttl: must be a duration",
        ),
        (
            "b: {sesion_ttl: 1s}",
            "buckets.overrides.b.sesion_ttl: unknown setting",
        ),
    ] {
        let found = load(&format!("buckets: {{overrides: {{{overrides}}}}}"));
        let found = found.expect_err(overrides).to_string();
        assert!(found.starts_with(error), "{found}");
    }
}
