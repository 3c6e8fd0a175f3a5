//! Who may do what: each rule with its negative twin.

use reqwest::{Method, Response};
use serde_json::json;

use crate::buckets::bucket::{Bucket, HOUR, send, set_ttl, status, stored, ttl};
use crate::service::{self, MASTER_KEY, Service};

on_every_store!(
    r39_every_route_refuses_every_wrong_key_and_nothing_is_changed,
    r39_a_request_with_two_keys_is_refused,
    r39_the_key_may_stand_in_three_places,
    the_order_of_what_can_be_wrong,
);

/// Of the form of a bucket's key, its checksum included; of a bucket that is not there.
const UNKNOWN_KEY: &str = "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W";

async fn assert_refused(response: Response, what: &str) {
    let challenge = response.headers().get("www-authenticate").cloned();
    let answer = service::json(response).await;
    let refusal = json!({ "error": "the API key is missing or wrong" });
    assert_eq!(answer, (401, refusal), "{what}");
    assert_eq!(
        challenge.expect(what),
        "ApiKey realm=\"sessiond\"",
        "{what}"
    );
}

/// The key of a bucket that has none any more.
async fn deleted_key(service: &Service) -> String {
    let bucket = Bucket::new(service, "deleted").await;
    let delete = service.delete("/api-key/deleted");
    let delete = delete.header("x-session-key", MASTER_KEY);
    assert_eq!(status(delete).await, 200);
    bucket.key
}

/// Sends every wrong key to every route.
async fn all_are_refused(bucket: &Bucket<'_>, id: &str, others: [&str; 2]) {
    let service = bucket.service;
    let session = format!("/session/shop/{id}");
    let unknown_id = format!("/session/shop/{}", uuid::Uuid::new_v4());
    let (key, last) = bucket.key.split_at(bucket.key.len() - 1);
    let slip = format!("{key}{}", if last == "x" { "y" } else { "x" });
    let common = [
        None,
        Some(""),
        Some("wrong"),
        Some(&slip),
        Some(key),
        Some(UNKNOWN_KEY),
    ];
    let strange = others.map(Some);
    let of_sessions = [common.as_slice(), &strange, &[Some(MASTER_KEY)]].concat();
    let of_keys = [common.as_slice(), &strange, &[Some(&*bucket.key)]].concat();
    let routes = [
        (Method::PUT, "/session/shop", &of_sessions),
        (Method::GET, &session, &of_sessions),
        (Method::HEAD, &session, &of_sessions),
        (Method::POST, &session, &of_sessions),
        (Method::DELETE, &session, &of_sessions),
        (Method::GET, &unknown_id, &of_sessions),
        (Method::DELETE, "/session/shop/no-uuid", &of_sessions),
        (Method::PUT, "/session/keyless", &of_sessions),
        (Method::PUT, "/api-key/shop", &of_keys),
        (Method::PUT, "/api-key/new", &of_keys),
        (Method::GET, "/api-key/shop", &of_keys),
        (Method::DELETE, "/api-key/shop", &of_keys),
        (Method::DELETE, "/api-key/keyless", &of_keys),
    ];
    for (method, path, keys) in routes {
        for key in keys {
            is_refused(service, &method, path, *key).await;
        }
    }
}

async fn is_refused(service: &Service, method: &Method, path: &str, key: Option<&str>) {
    let mut request = service.request(method.clone(), path).body("changed");
    if let Some(key) = key {
        request = request.header("x-session-key", key);
    }
    let response = send(request).await;
    if method == Method::HEAD {
        assert_eq!(response.status(), 401);
    } else {
        assert_refused(response, &format!("{method} {path} {key:?}")).await;
    }
}

async fn r39_every_route_refuses_every_wrong_key_and_nothing_is_changed(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let other = Bucket::new(&service, "other").await;
    let deleted = deleted_key(&service).await;
    let id = bucket.create(&json!("untouched")).await;
    let (record, key_record) = (bucket.record(&id), "sessiond:api-key:bucket-api-key--shop");
    set_ttl(&service, &record, HOUR).await;
    let before = stored(&service, &record).await.expect("a record").value;
    let key_before = stored(&service, key_record).await.expect("a record").value;
    let names = service.redis.as_ref().map(|_| service.keys());

    all_are_refused(&bucket, &id, [&other.key, &deleted]).await;

    assert!(ttl(&service, &record).await <= HOUR);
    assert_eq!(
        stored(&service, &record).await.expect("a record").value,
        before
    );
    assert_eq!(
        stored(&service, key_record).await.expect("a record").value,
        key_before
    );
    assert_eq!(service.redis.as_ref().map(|_| service.keys()), names);
    assert_eq!(bucket.data(&id).await, json!("untouched"));
}

async fn r39_a_request_with_two_keys_is_refused(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let path = format!("/session/shop/{id}");
    let (good, query) = (
        bucket.key.as_str(),
        format!("{path}?api_key={}", bucket.key),
    );
    let twice = service.get(&path).header("x-session-key", good);
    assert_refused(send(twice.header("x-session-key", good)).await, "twice").await;
    let wrong = format!("{path}?api_key=wrong");
    let both = service.get(&wrong).header("x-session-key", good);
    assert_refused(send(both).await, "another in the query").await;
    let both = service.get(&query).header("x-session-key", MASTER_KEY);
    assert_refused(send(both).await, "another in the header").await;
    let both = service.get(&path).header("x-session-key", good);
    assert_refused(send(both.header("x-api-key", "wrong")).await, "two headers").await;
    let both = format!("{query}&api_key={good}");
    assert_refused(send(service.get(&both)).await, "two in the query").await;
}

async fn r39_the_key_may_stand_in_three_places(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let path = format!("/session/shop/{id}");
    let query = format!("{path}?api_key={}", bucket.key);
    for header in ["X-SESSION-KEY", "x-api-key"] {
        assert_eq!(
            status(service.get(&path).header(header, &bucket.key)).await,
            200
        );
        assert_eq!(
            status(service.get(&query).header(header, &bucket.key)).await,
            200
        );
    }
    assert_eq!(status(service.get(&query)).await, 200);
}

/// 405, 400 for the name, 401, the body, 404.
async fn the_order_of_what_can_be_wrong(service: Service) {
    let bucket = Bucket::new(&service, "shop").await;
    let too_large = "x".repeat((1 << 20) + 1);
    let wrong_method = service.request(Method::PATCH, "/session/bad.name/no-uuid");
    assert_eq!(status(wrong_method).await, 405);
    for path in ["/session/bad.name/no-uuid", "/session/settings/no-uuid"] {
        assert_eq!(status(service.get(path)).await, 400);
        assert_eq!(status(service.post(path)).await, 400);
    }
    for path in [
        "/api-key/bad.name",
        "/api-key/settings",
        "/session/bad.name",
    ] {
        assert_eq!(status(service.put(path)).await, 400);
    }
    let head = "PUT /session/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Length: 2000000\r\n\r\n";
    let answer = service.raw(head).await;
    assert!(
        answer.starts_with("HTTP/1.1 401 "),
        "the body is not waited for: {answer}"
    );
    let post = bucket.request(Method::POST, "/no-uuid").body(too_large);
    assert_eq!(status(post).await, 413);
    let post = bucket.request(Method::POST, "/no-uuid").body(vec![0xff]);
    assert_eq!(status(post).await, 400);
    assert_eq!(status(bucket.get("no-uuid")).await, 404);
    assert_eq!(status(bucket.delete("no-uuid")).await, 404);
}

#[tokio::test]
async fn r44_who_fails_too_often_is_told_to_wait_and_who_has_a_key_is_not() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 5.try_into().expect("not zero");
    })
    .await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    let path = format!("/session/shop/{id}");
    let mut statuses = Vec::new();
    for attempt in 0..4 {
        let wrong = service
            .get(&path)
            .header("x-session-key", attempt.to_string());
        statuses.push(status(wrong).await);
        statuses.push(status(service.get("/api-key/shop")).await);
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[5..], [429; 3]);
    let response = send(service.get(&path)).await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(bucket.data(&id).await, json!(1));
}

/// As the README and the document of the API have them.
#[tokio::test]
async fn r39_the_document_names_the_three_places_of_a_key() {
    let service = Service::memory().await;
    let document = service::json(send(service.get("/openapi.json")).await)
        .await
        .1;
    let schemes = &document["components"]["securitySchemes"];
    let place = |name: &str| {
        let part = |part| schemes[name][part].as_str().expect("a text").to_owned();
        (part("in"), part("name"))
    };
    let three = [
        ("header", "X-SESSION-KEY"),
        ("header", "X-API-KEY"),
        ("query", "api_key"),
    ];
    let three = three.map(|(place, name)| (place.to_owned(), name.to_owned()));
    for (path, methods) in [
        ("/session/{bucket}", &["put"][..]),
        (
            "/session/{bucket}/{id}",
            &["get", "head", "post", "delete"][..],
        ),
        ("/api-key/{bucket}", &["get", "head", "put", "delete"]),
    ] {
        for method in methods {
            let security = document["paths"][path][*method]["security"].as_array();
            let names = security.expect("security").iter().map(|asked| {
                let asked = asked.as_object().expect("a name");
                asked.keys().next().expect("a name")
            });
            let places: Vec<_> = names.map(|name| place(name)).collect();
            assert_eq!(places, three, "{method} {path}");
        }
    }
    let delete = &document["paths"]["/session/{bucket}/{id}"]["delete"];
    let refused = delete["responses"]["400"]["description"].as_str();
    assert!(refused.expect("a text").contains("condition"));
}
