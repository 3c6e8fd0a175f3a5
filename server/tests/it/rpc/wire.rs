//! How calls and answers are written.

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{call, create, handled};
use crate::service::{Service, json as answer};

on_every_store!(
    both_generations_take_the_same_arguments_and_give_the_same_results,
    errors_of_the_first_generation_are_a_text_and_those_of_the_second_say_more,
    an_unknown_method_is_404,
    methods_lists_every_method_itself_included,
    the_original_client_is_understood_to_the_byte,
    what_another_site_made_a_browser_send_is_refused,
);

const METHODS: [&str; 7] = [
    "create",
    "get",
    "update",
    "destroy",
    "getActiveSessions",
    "destroyAll",
    "methods",
];

async fn post(service: &Service, path: &str, body: &str) -> (u16, Value) {
    let request = service.post(path).body(body.to_owned());
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["content-type"], "application/json");
    answer(response).await
}

async fn both_generations_take_the_same_arguments_and_give_the_same_results(service: Service) {
    let object = json!({ "userId": "jo", "sessionVersion": "v1" });
    let list = json!([object, { "userId": "al" }]);
    create(&service, "jo", json!({})).await;
    for (args, expected) in [(list, json!(1)), (object, json!(0))] {
        let args = args.to_string();
        let first = json!({ "name": "destroyAll", "args": args }).to_string();
        // The name in the body means nothing if there is one in the path.
        let second = json!({ "name": "create", "args": args }).to_string();
        let (path, body) = match expected.as_u64() {
            Some(1) => ("/rpc", &first),
            _ => ("/rpc/destroyAll", &second),
        };
        let result = post(&service, path, body).await;
        assert_eq!(result, (200, json!({ "result": expected })), "{path}");
        let again = post(&service, "/rpc", &first).await;
        assert_eq!(again, (200, json!({ "result": 0 })));
    }
}

async fn errors_of_the_first_generation_are_a_text_and_those_of_the_second_say_more(
    service: Service,
) {
    let error = "please specify a session object";
    for none in [
        json!({}),
        json!({ "args": null }),
        json!({ "args": "" }),
        json!({ "args": "[]" }),
    ] {
        let second = post(&service, "/rpc/create", &none.to_string()).await;
        assert_eq!(second, handled(400, error), "{none}");
        let mut first = none.clone();
        first["name"] = json!("create");
        let first = post(&service, "/rpc", &first.to_string()).await;
        assert_eq!(first, (400, json!({ "error": error })), "{none}");
    }
    for empty in ["", "null"] {
        assert_eq!(
            post(&service, "/rpc/create", empty).await,
            handled(400, error)
        );
    }
}

async fn an_unknown_method_is_404(service: Service) {
    let first = (404, json!({ "error": "unknown method" }));
    for name in [
        json!("none"),
        json!("Create"),
        json!(""),
        json!(null),
        json!(["get"]),
    ] {
        let body = json!({ "name": name, "args": "not JSON" }).to_string();
        assert_eq!(post(&service, "/rpc", &body).await, first, "{name}");
    }
    assert_eq!(post(&service, "/rpc", "{}").await, first);
    let second = json!({ "error": "unknown method", "code": 4040, "handled": true });
    for name in ["none", "Create", "__proto__", "toString", "constructor"] {
        let path = format!("/rpc/{name}");
        assert_eq!(
            post(&service, &path, r#"{"name":"get"}"#).await,
            (404, second.clone())
        );
    }
}

async fn methods_lists_every_method_itself_included(service: Service) {
    let (status, first) = post(&service, "/rpc", r#"{"name":"methods"}"#).await;
    assert_eq!(status, 200);
    let list = first["result"].as_array().expect("a list");
    let names: Vec<_> = list.iter().map(|method| method["name"].clone()).collect();
    assert_eq!(json!(names), json!(METHODS));
    for method in list {
        assert!(method["docs"].as_str().is_some_and(|docs| docs.len() > 10));
        assert_eq!(method.as_object().map(serde_json::Map::len), Some(2));
    }
    assert_eq!(
        post(&service, "/rpc/methods", "{}").await,
        (200, first.clone())
    );
    assert_eq!(post(&service, "/rpc/methods", "").await, (200, first));
}

/// What `@bufferapp/micro-rpc-client` sends: `fetch` with a body of `JSON.stringify({ args:
/// JSON.stringify(args) })`, which is `{}` for a call without arguments.
async fn the_original_client_is_understood_to_the_byte(service: Service) {
    let send = async |method: &str, body: &str| {
        let head = "accept: application/json\r\ncontent-type: application/json\r\n\
            accept-encoding: gzip,deflate\r\nuser-agent: node-fetch/1.0\r\nconnection: close\r\n";
        let (host, length) = (service.address, body.len());
        let answer = service
            .raw(format!(
                "POST /rpc/{method} HTTP/1.1\r\n{head}content-length: {length}\r\nhost: {host}\r\n\r\n{body}"
            ))
            .await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status: u16 = head[9..12].parse().expect("a status");
        (status, serde_json::from_str::<Value>(body).expect("JSON"))
    };
    let args = r#"{"args":"{\"session\":{\"name\":\"J\u00f6 😀\",\"n\":1},\"userId\":\"jo\"}"}"#;
    let (status, body) = send("create", args).await;
    assert_eq!(status, 200, "{body}");
    let token = body["result"]["token"].as_str().expect("a token");
    let args = format!(
        r#"{{"args":"[{{\"token\":\"{token}\",\"sessionVersion\":\"v1\",\"keys\":[\"*\"]}}]"}}"#
    );
    let session = json!({ "name": "Jö 😀", "n": 1 });
    assert_eq!(
        send("get", &args).await,
        (200, json!({ "result": session }))
    );
    assert_eq!(send("methods", "{}").await.0, 200);
    let null = send("get", r#"{"args":"null"}"#).await;
    assert_eq!(null, handled(400, "please specify a token"));
}

async fn what_another_site_made_a_browser_send_is_refused(service: Service) {
    let token = create(&service, "jo", json!({ "a": 1 })).await;
    let args = json!({ "userId": "jo", "sessionVersion": "v1" }).to_string();
    let body = json!({ "name": "destroyAll", "args": args }).to_string();
    let send = async |path: &str, site: &'static str| {
        let request = service.post(path).body(body.clone());
        let request = request.header("Content-Type", "text/plain");
        let request = request.header("Origin", "http://evil.example");
        let request = request.header("Sec-Fetch-Site", site);
        answer(request.send().await.expect("an answer")).await
    };
    let error = "another site sent this request";
    for site in ["cross-site", "same-site"] {
        let first = send("/rpc", site).await;
        assert_eq!(first, (403, json!({ "error": error })));
        assert_eq!(send("/rpc/destroyAll", site).await, handled(403, error));
        assert_eq!(send("/rpc/none", site).await, handled(403, error));
    }
    let session = super::caller::get_all(&service, &token).await;
    assert_eq!(session, json!({ "a": 1 }), "nothing has ended");
    assert_eq!(send("/rpc", "same-origin").await.0, 200);
    assert_eq!(send("/rpc/destroyAll", "none").await.0, 200);
}

#[tokio::test]
async fn what_cannot_be_read_is_400() {
    let service = Service::memory().await;
    for body in [
        "{",
        "create",
        "[]",
        "5",
        "\"x\"",
        "{\"name\":\"get\"}x",
        "\u{feff}{}",
    ] {
        let error = "the body is not a JSON object";
        assert_eq!(
            post(&service, "/rpc", body).await,
            (400, json!({ "error": error }))
        );
        assert_eq!(post(&service, "/rpc/get", body).await, handled(400, error));
    }
    assert_eq!(post(&service, "/rpc", "").await.0, 400);
    let (deep, not_utf8) = ("[".repeat(1 << 19), b"{\"args\":\"\xff\"}".to_vec());
    assert_eq!(post(&service, "/rpc/get", &deep).await.0, 400);
    let response = service.post("/rpc/get").body(not_utf8).send().await;
    assert_eq!(response.expect("an answer").status(), 400);
    for args in ["{", "x", " ", "[1", "{}{}"] {
        let body = json!({ "name": "get", "args": args }).to_string();
        let error = "args is not JSON";
        assert_eq!(
            post(&service, "/rpc", &body).await,
            (400, json!({ "error": error }))
        );
        assert_eq!(post(&service, "/rpc/get", &body).await, handled(400, error));
    }
    for args in [json!({}), json!([]), json!(1), json!(true)] {
        let body = json!({ "args": args }).to_string();
        let error = "args is not a text that holds JSON";
        assert_eq!(post(&service, "/rpc/get", &body).await, handled(400, error));
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_413_and_one_at_it_is_read() {
    let service = Service::memory_with(|settings| settings.rpc.max_payload = 1000).await;
    let body = |length: usize| format!("{{\"name\":\"methods\"}}{}", " ".repeat(length - 18));
    assert_eq!(post(&service, "/rpc", &body(1000)).await.0, 200);
    let error = "the body is larger than 1000 bytes";
    let first = (413, json!({ "error": error }));
    assert_eq!(post(&service, "/rpc", &body(1001)).await, first);
    assert_eq!(
        post(&service, "/rpc/methods", &body(1001)).await,
        handled(413, error)
    );
}

#[tokio::test]
async fn the_default_limit_is_a_mebibyte() {
    let service = Service::redis().await;
    let session = json!({ "large": "x".repeat((1 << 20) - 100) });
    let token = create(&service, "jo", session.clone()).await;
    assert_eq!(super::caller::get_all(&service, &token).await, session);
    let session = json!({ "large": "x".repeat(1 << 20) });
    let argument = json!({ "session": session, "userId": "jo" });
    assert_eq!(call(&service, "create", argument).await.0, 413);
}

#[tokio::test]
async fn only_post_is_allowed() {
    let service = Service::memory().await;
    for path in ["/rpc", "/rpc/get"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let response = service
                .request(method, path)
                .send()
                .await
                .expect("an answer");
            assert_eq!(response.headers()["allow"], "POST");
            assert_eq!(
                answer(response).await,
                (405, json!({ "error": "method not allowed" }))
            );
        }
    }
}

#[tokio::test]
async fn a_hostile_method_name_is_404_and_json() {
    let service = Service::memory().await;
    let long = "a".repeat(10_000);
    for name in [
        "%2F",
        "get%2F",
        "..%2Frpc",
        "%00",
        "get%00",
        "..",
        "%2e%2e",
        "%0d%0aX-Evil:%201",
        "%ff",
        "%",
        "%zz",
        "a/b",
        "",
        "get/",
        "{method}",
        "*",
        &long,
    ] {
        let head = format!("host: {}\r\nconnection: close\r\n", service.address);
        let request = format!("POST /rpc/{name} HTTP/1.1\r\n{head}content-length: 2\r\n\r\n{{}}");
        let answer = service.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name:.20}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.to_lowercase().contains("x-evil"), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert!(body["error"].is_string(), "{body}");
    }
}
