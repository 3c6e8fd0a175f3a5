//! What clients without a good credential can make the service do.

use jwt_redis_session::MemoryStore;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::buckets::bucket::{Bucket, api_key};
use crate::request::{fetch, send, status};
use crate::service::{MASTER_KEY, Service, settings};
use crate::support::{Counting, eventually};
use crate::users::credentials;

/// A key of valid format, which belongs to no bucket.
const FORGED: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";
const SECRET: &str = "a shared secret of at least 32 bytes";
const USERS_SECRET: &str = "another secret of at least 32 bytes";
const METHODS: [Method; 4] = [Method::GET, Method::HEAD, Method::POST, Method::DELETE];

/// Returns the number of records that the service has read from Redis.
fn reads(service: &Service) -> u32 {
    let info = service.server().run(&["INFO", "commandstats"]);
    let info: String = redis::from_redis_value(info).expect("text");
    let count = info.split_once("cmdstat_getrange:calls=");
    let count = count.and_then(|(_, rest)| rest.split(',').next());
    count.map_or(0, |count| count.parse().expect("a number"))
}

/// Builds a request to a session with `key`, whatever the method needs.
fn to_session(service: &Service, method: &Method, id: &str, key: &str) -> RequestBuilder {
    let request = service.request(method.clone(), &format!("/session/shop/{id}"));
    request.header("x-session-key", key).body("changed")
}

#[tokio::test]
async fn wrong_key_reads_no_session() {
    let service = Service::redis().await;
    let bucket = Bucket::new(&service, "shop").await;
    let small = bucket.create(&json!("")).await;
    let created = fetch(bucket.put().body("\u{1}".repeat(1_000_000))).await.1;
    let large = created["id"].as_str().expect("an id").to_owned();
    let absent = uuid::Uuid::new_v4().to_string();
    for id in [&small, &large, &absent] {
        for method in METHODS {
            let before = reads(&service);
            let request = to_session(&service, &method, id, FORGED);
            assert_eq!(status(request).await, 401);
            assert_eq!(
                reads(&service) - before,
                1,
                "{method}: the record of the key"
            );
        }
    }
    // A key is forgotten when it has been refused once.
    assert_eq!(status(api_key(&service, Method::DELETE, "shop")).await, 200);
    assert_eq!(status(bucket.get(&large)).await, 401);
    let before = reads(&service);
    assert_eq!(status(bucket.get(&large)).await, 401);
    assert_eq!(reads(&service) - before, 1);
}

#[tokio::test]
async fn client_over_the_limit_is_refused_without_the_store() {
    let service = Service::redis_with(|settings| {
        settings.limits.failed_authentications_per_minute = 2.try_into().expect("not zero");
    })
    .await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let unused = Bucket::new(&service, "unused").await;
    for expected in [401, 401, 429] {
        let request = to_session(&service, &Method::GET, &id, FORGED);
        assert_eq!(status(request).await, expected);
    }
    let before = reads(&service);
    for method in METHODS {
        let response = send(to_session(&service, &method, &id, FORGED)).await;
        assert_eq!(response.status(), 429);
        let wait = response.headers()["retry-after"].to_str().expect("text");
        assert!((1..=30).contains(&wait.parse().expect("seconds")), "{wait}");
    }
    // It was never right before.
    assert_eq!(status(unused.put()).await, 429);
    assert_eq!(reads(&service), before);
    // It shares the address, but it has shown a good key.
    assert_eq!(bucket.data(&id).await, json!(1));
}

#[tokio::test]
async fn key_that_was_right_is_checked_in_the_round_trip_of_the_session() {
    let store = Counting::new(MemoryStore::new());
    let service = Service::on(store.clone(), settings()).await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let new = api_key(&service, Method::DELETE, "shop");
    assert_eq!(status(new).await, 200);
    let bucket = Bucket::new(&service, "shop").await;
    let calls = async |bucket: &Bucket<'_>, expected| {
        let before = store.calls();
        assert_eq!(status(bucket.get(&id)).await, expected);
        store.calls() - before
    };
    assert_eq!(calls(&bucket, 200).await, 2);
    assert_eq!(calls(&bucket, 200).await, 1);
    // The key of another bucket is remembered for that one only.
    let other = Bucket::new(&service, "other").await;
    assert_eq!(calls(&other, 404).await, 2);
    assert_eq!(calls(&other, 404).await, 1);
    let foreign = Bucket {
        name: "shop",
        ..other
    };
    assert_eq!(calls(&foreign, 401).await, 1);
    assert_eq!(calls(&bucket, 200).await, 1);
}

/// Builds a call of the RPC API from a client behind a proxy.
fn call(service: &Service, address: &str, secret: &str) -> RequestBuilder {
    let call = service.post("/rpc/methods");
    let call = call.header("x-forwarded-for", address);
    call.header("x-sessiond-secret", secret)
}

async fn guarded(per_minute: u32) -> Service {
    Service::memory_with(|settings| {
        settings.rpc.secret = Some(SECRET.into());
        settings.users.secret = Some(USERS_SECRET.into());
        settings.http.trusted_proxies = 1;
        let limit = per_minute.try_into().expect("not zero");
        settings.limits.failed_authentications_per_minute = limit;
    })
    .await
}

/// Many callers may share an address: one that guesses must not lock out the others.
#[tokio::test]
async fn right_guess_is_held_up_unless_it_was_right_before() {
    let service = guarded(2).await;
    let sends = |address, secret| status(call(&service, address, secret));
    assert_eq!(sends("127.0.0.8", SECRET).await, 200);
    for address in ["127.0.0.8", "127.0.0.9"] {
        for (guess, expected) in [("a", 401), ("b", 401), ("c", 429)] {
            assert_eq!(sends(address, guess).await, expected);
        }
    }
    let response = send(call(&service, "127.0.0.9", SECRET)).await;
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
    let log_in = service.post("/sessions").json(&credentials("jo"));
    let log_in = log_in.header("x-forwarded-for", "127.0.0.9");
    let log_in = log_in.header("x-sessiond-secret", USERS_SECRET);
    assert_eq!(status(log_in).await, 429, "one limit for all APIs");
    assert_eq!(service.records(), 0);
    assert_eq!(sends("127.0.0.8", SECRET).await, 200);
    assert_eq!(sends("127.0.0.7", SECRET).await, 200);

    // Master keys, in both places, from the address of the test.
    let master = |key| status(service.get("/api-key/shop").header("x-api-key", key));
    for (guess, expected) in [("a", 401), ("b", 401), ("c", 429), (MASTER_KEY, 429)] {
        assert_eq!(master(guess).await, expected);
    }
    let form = "application/x-www-form-urlencoded";
    let log_in = service.post("/admin/login").header("content-type", form);
    let key = MASTER_KEY.replace(' ', "+");
    assert_eq!(status(log_in.body(format!("key={key}"))).await, 429);
}

#[tokio::test]
async fn client_over_the_limit_is_admitted_again_in_time() {
    let service = guarded(60).await;
    let sends = |secret| status(call(&service, "127.0.0.9", secret));
    while sends("guess").await != 429 {}
    eventually("the next attempt is admitted", || async {
        (sends(SECRET).await == 200).then_some(())
    })
    .await;
}
