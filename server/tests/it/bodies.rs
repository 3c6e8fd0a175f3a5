//! Bodies: content codings, empty ones, the memory that they take, and what errors say.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::buckets::bucket::{Bucket, api_key};
use crate::request::{fetch, send, status};
use crate::service::{self, MASTER_KEY, Service};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

/// Builds a request to each route that reads a body, without one. Returns also a body that the route
/// accepts, its type and the largest size.
fn routes(bucket: &Bucket<'_>, id: &str) -> [(RequestBuilder, String, &'static str, usize); 6] {
    let service = bucket.service;
    // All APIs accept it.
    let json = || r#"{"username":"jo","password":"","name":"methods"}"#.to_owned();
    let form = format!("key={}", MASTER_KEY.replace(' ', "+"));
    [
        (bucket.put(), json(), JSON, 5000),
        (
            bucket.request(Method::POST, &format!("/{id}")),
            json(),
            JSON,
            5000,
        ),
        (service.post("/rpc"), json(), JSON, 1000),
        (service.post("/rpc/methods"), json(), JSON, 1000),
        (service.post("/sessions"), json(), JSON, 64 << 10),
        (service.post("/admin/login"), form, FORM, 16 << 10),
    ]
}

async fn small() -> Service {
    Service::memory_with(|settings| {
        settings.buckets.max_payload = 5000;
        settings.rpc.max_payload = 1000;
    })
    .await
}

type Encode = fn(&[u8]) -> Vec<u8>;

/// Content codings, what they do to a body, and the status; 200 is any success.
const CODINGS: [(&str, Encode, u16); 11] = [
    ("br", <[u8]>::to_vec, 415),
    ("base64", <[u8]>::to_vec, 415),
    ("deflate", <[u8]>::to_vec, 415),
    ("gzip, gzip", |body| gzip(&gzip(body)), 415),
    ("gzip", <[u8]>::to_vec, 400),
    ("gzip", |body| gzip(body)[1..].to_vec(), 400),
    (
        "gzip",
        |body| gzip(&[body, body].concat())[..40].to_vec(),
        400,
    ),
    ("gzip", |body| [gzip(body), vec![1]].concat(), 400),
    (
        "gzip",
        |body| [gzip(&body[..9]), gzip(&body[9..])].concat(),
        200,
    ),
    ("X-Gzip", gzip, 200),
    ("identity", <[u8]>::to_vec, 200),
];

#[tokio::test]
async fn gzip_is_decompressed_and_other_codings_are_415() {
    let service = small().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    for (coding, encode, expected) in CODINGS {
        let records = service.records();
        for (request, body, content_type, _) in routes(&bucket, &id) {
            let request = request.header("content-encoding", coding);
            let request = request.header("content-type", content_type);
            let request = request.header("sec-fetch-site", "same-origin");
            let response = send(request.body(encode(body.as_bytes()))).await;
            let found = response.status().as_u16();
            let what = format!("{} {coding} {expected}: {found}", response.url());
            if expected == 200 {
                assert!([200, 201, 303].contains(&found), "{what}");
                continue;
            }
            assert_eq!(found, expected, "{what}");
            let accepted = response.headers().get("accept-encoding");
            let accepted = accepted.map(|it| it.to_str().expect("text"));
            assert_eq!(accepted, (expected == 415).then_some("gzip"), "{what}");
        }
        if expected != 200 {
            assert_eq!(service.records(), records);
            assert_eq!(bucket.data(&id).await, json!("kept"));
        }
    }
    assert_eq!(bucket.data(&id).await["name"], json!("methods"));
}

#[tokio::test]
async fn limit_applies_to_the_decompressed_body() {
    let service = small().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    for extra in [0, 1, 50_000_000] {
        for (request, body, content_type, limit) in routes(&bucket, &id) {
            if content_type == FORM {
                continue;
            }
            let padded = format!("{}{body}", " ".repeat(limit + extra - body.len()));
            let request = request.header("content-type", content_type);
            let request = request.header("content-encoding", "gzip");
            let compressed = gzip(padded.as_bytes());
            let status = status(request.body(compressed)).await;
            assert_eq!(status == 413, extra > 0, "{limit} {extra}: {status}");
        }
    }
}

#[tokio::test]
async fn empty_json_is_400_and_erases_nothing() {
    let service = small().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    for content_type in [JSON, "Application/JSON; charset=utf-8"] {
        for (request, _, original, _) in routes(&bucket, &id) {
            if original == FORM {
                continue;
            }
            let empty = || {
                request
                    .try_clone()
                    .expect("no body")
                    .header("content-type", content_type)
            };
            let compressed = empty().header("content-encoding", "gzip").body(gzip(b""));
            for request in [empty(), compressed] {
                let (status, body) = fetch(request).await;
                assert_eq!(status, 400);
                let error = "the body is empty; send JSON, or leave the header Content-Type out";
                assert_eq!(body["error"], error);
            }
        }
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
    let text = bucket.request(Method::POST, &format!("/{id}"));
    assert_eq!(status(text.header("content-type", "text/plain")).await, 200);
    assert_eq!(bucket.data(&id).await, json!(""));
}

/// Sends a body and returns the response, from a thread that is not measured.
fn post(address: SocketAddr, path: &str, body: Vec<u8>) -> oneshot::Receiver<String> {
    let (send, receive) = oneshot::channel();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    std::thread::spawn(move || {
        let mut socket = TcpStream::connect(address).expect("connect");
        socket.write_all(head.as_bytes()).expect("send");
        socket.write_all(&body).expect("send");
        let mut response = String::new();
        socket.read_to_string(&mut response).expect("a response");
        let _ = send.send(response);
    });
    receive
}

/// Allocations are counted by thread, so service and test run in this one.
#[test]
fn body_takes_little_more_memory_than_its_bytes() {
    /// The buffers of a connection.
    const CONNECTION: u64 = 1 << 20;
    const BYTES: usize = 200_000;
    const LIMIT: usize = 1 << 20;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let service = runtime.block_on(Service::memory());
    let single = b"1\r\n \r\n".repeat(BYTES);
    let chunked = [
        b"Transfer-Encoding: chunked\r\n\r\n",
        &*single,
        b"2\r\n{}\r\n0\r\n\r\n",
    ]
    .concat();
    let bomb = gzip(&vec![b' '; 100 * LIMIT]);
    let head = format!(
        "Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let bomb = [head.as_bytes(), &bomb].concat();
    for (body, status, bytes) in [(chunked, 200, BYTES * 9 / 4), (bomb, 413, LIMIT * 3)] {
        let response = post(service.address, "/rpc/methods", body);
        let mut received = None;
        let measured = allocation_counter::measure(|| {
            received = Some(runtime.block_on(response).expect("a response"));
        });
        let received = received.expect("a response");
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status} ")),
            "{received}"
        );
        let peak = measured.bytes_max;
        assert!(peak < bytes as u64 + CONNECTION, "{status}: {peak}");
    }
}

/// A request that is answered 4xx, its status, and the part of the message that says what to do.
type Wrong = (RequestBuilder, u16, &'static str);

fn wrong_for_buckets(bucket: &Bucket<'_>, id: &str) -> Vec<Wrong> {
    let service = bucket.service;
    let post = || bucket.request(Method::POST, &format!("/{id}"));
    let not_json = post().header("content-type", JSON).body("{");
    let other = |request: RequestBuilder| request.header("if-match", "\"a\"");
    let key = "in the header X-SESSION-KEY";
    vec![
        (service.post("/session/settings"), 405, "the header Allow"),
        (service.put("/session/a.b"), 400, "is 1 to 64 letters"),
        (service.put("/session/%ff"), 400, "percent-encode UTF-8"),
        (service.put("/session/shop"), 401, key),
        (service.put("/api-key/shop"), 401, key),
        (api_key(service, Method::PUT, "shop"), 409, "GET returns it"),
        (
            api_key(service, Method::GET, "none"),
            404,
            "PUT creates one",
        ),
        (bucket.get("none"), 404, "create one"),
        (not_json, 400, "send JSON, or text"),
        (post().body(vec![0xff]), 400, "send text in UTF-8"),
        (
            post().body("x".repeat(5001)),
            413,
            "send at most 5000 bytes",
        ),
        (other(post()), 412, "send its ETag"),
        (other(bucket.delete(id)), 400, "leave the header out"),
    ]
}

fn wrong_for_others(service: &Service) -> Vec<Wrong> {
    let call = |body: &'static str| service.post("/rpc").body(body);
    let token = r#"{"name":"get","args":{"token":"a","sessionVersion":"v1"}}"#;
    let log_in = || service.post("/sessions").body("{}");
    vec![
        (service.get("/none"), 404, "/docs lists all"),
        (call("[]"), 400, r#"send {"name""#),
        (call(r#"{"name":"none"}"#), 404, "lists all"),
        (call(r#"{"name":"get","args":1}"#), 400, "an object, a list"),
        (call(r#"{"name":"get","args":"{"}"#), 400, "send an object"),
        (call(r#"{"name":"get"}"#), 400, "please specify a token"),
        (call(token), 400, "that create returned"),
        (log_in(), 400, "must be a JSON object with"),
        (log_in().header("origin", "http://a"), 403, "send it from"),
    ]
}

#[tokio::test]
async fn errors_say_what_to_send() {
    let service = small().await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!("kept")).await;
    let wrong = wrong_for_buckets(&bucket, &id).into_iter();
    for (request, expected, advice) in wrong.chain(wrong_for_others(&service)) {
        let (status, body): (u16, Value) = service::json(send(request).await).await;
        let error = body["error"].as_str().expect("a message");
        assert_eq!(status, expected, "{error}");
        assert!(error.contains(advice), "{error}");
    }
    assert_eq!(bucket.data(&id).await, json!("kept"));
}
