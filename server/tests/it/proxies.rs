//! The service behind proxies: client addresses, entity tags, request ids and traces.

use jwt_redis_session_server::settings::ProxyHeader;
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use crate::buckets::bucket::Bucket;
use crate::program::{Program, server};
use crate::request::{send, status};
use crate::service::Service;
use crate::support::nginx::Nginx;

/// A service behind one proxy, which answers 429 to the second failure of an address.
async fn behind_a_proxy(header: ProxyHeader) -> Service {
    Service::memory_with(|settings| {
        settings.http.trusted_proxies = 1;
        settings.http.proxy_header = header;
        settings.limits.failed_authentications_per_minute = 1.try_into().expect("not zero");
    })
    .await
}

/// Each line is two forms of one address, which no other line has.
const FORWARDED_FOR: &str = "
192.0.2.1 | 198.51.100.1, 192.0.2.1
192.0.2.2:4711 | 192.0.2.2:4712
[2001:db8:1::1]:443 | 2001:db8:1::2
\"[2001:db8:2::1]:443\" | \"[2001:db8:2::1]\"
\"192.0.2.3:80\" | \"192.0.2.3\"
";

const FORWARDED: &str = "
for=192.0.2.1 | for=198.51.100.1, for=192.0.2.1
For=\"192.0.2.2:4711\";proto=https | proto=http; for=\"192.0.2.2:_port\"
for=\"[2001:db8:1::1]:4711\";by=_proxy | for=198.51.100.1;by=\"a,b\", for=\"[2001:db8:1::2]\"
for=\"192.0.2.3\" | for=\", for=192.0.2.3
";

#[tokio::test]
async fn failures_are_counted_by_the_address_that_the_proxy_reports() {
    for (header, lines, other) in [
        (
            ProxyHeader::XForwardedFor,
            FORWARDED_FOR,
            "forwarded: for=192.0.2.99",
        ),
        (
            ProxyHeader::Forwarded,
            FORWARDED,
            "x-forwarded-for: 192.0.2.99",
        ),
    ] {
        let service = behind_a_proxy(header).await;
        let name = match header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let fails =
            async |value: &str| status(service.get("/session/shop/a").header(name, value)).await;
        for line in lines.lines().skip(1) {
            let (first, second) = line.split_once(" | ").expect("two forms");
            assert_eq!(fails(first).await, 401, "{line}");
            assert_eq!(fails(second).await, 429, "{line}");
        }
        // These count as the proxy, as does the header to which it does not append.
        assert_eq!(fails("unknown").await, 401);
        assert_eq!(fails("for=_hidden").await, 429);
        let (name, value) = other.split_once(": ").expect("a header");
        let with_other = service.get("/session/shop/a").header(name, value);
        assert_eq!(status(with_other).await, 429);
    }
}

#[tokio::test]
async fn an_unreadable_address_is_logged_once() {
    let mut program = Program::start(
        server(&[])
            .env("SESSIOND__HTTP__TRUSTED_PROXIES", "1")
            .env("SESSIOND__RPC__ENABLED", "false")
            .env("SESSIOND__HTTP__PROXY_HEADER", "Forwarded"),
    );
    let url = format!("http://{}/healthz", program.address());
    let client = Client::builder().no_proxy().build().expect("a client");
    let long = format!("for=\"{}\u{1b}[1m\"", "h".repeat(100));
    for value in [&*long, "for=unknown", "for=_hidden", "for=192.0.2.7"] {
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes());
        let Ok(value) = value else { continue };
        assert_eq!(
            status(client.get(&url).header("forwarded", value)).await,
            200
        );
    }
    program.signal("TERM");
    let (_, log) = program.wait();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("cannot be read"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("header=\"Forwarded\""), "{log}");
    assert!(
        log.contains("client=127.0.0.1") && log.contains("client=192.0.2.7"),
        "{log}"
    );
}

/// nginx in front of a service, with a header for each location.
fn nginx(service: &Service) -> Nginx {
    let address = service.address;
    Nginx::start(&format!(
        "gzip on; gzip_types application/json; gzip_min_length 1;
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
         location / {{ proxy_pass http://{address}; }}
         location /port/ {{
             proxy_set_header X-Forwarded-For \"$http_x_forwarded_for, $remote_addr:$remote_port\";
             proxy_pass http://{address}/;
         }}"
    ))
}

fn through(nginx: &Nginx, request: RequestBuilder) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.expect("a request");
    let url = request.url_mut();
    url.set_port(Some(nginx.address().port())).expect("a port");
    RequestBuilder::from_parts(client, request)
}

#[tokio::test]
async fn a_tag_that_nginx_weakened_is_accepted() {
    let service = Service::memory().await;
    let nginx = nginx(&service);
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!({ "a": 1 })).await;
    let get = through(&nginx, bucket.get(&id)).header("accept-encoding", "gzip");
    let response = send(get).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let tag = response.headers()["etag"].clone();
    assert!(tag.as_bytes().starts_with(b"W/\""), "{tag:?}");
    for (expected, data) in [(200, json!({ "a": 2 })), (412, json!({ "a": 3 }))] {
        let post = through(&nginx, bucket.post(&id, &data)).header("if-match", &tag);
        assert_eq!(status(post).await, expected);
    }
    assert_eq!(bucket.data(&id).await, json!({ "a": 2 }));
}

#[tokio::test]
async fn a_client_cannot_choose_the_address_that_nginx_reports() {
    let service = behind_a_proxy(ProxyHeader::XForwardedFor).await;
    let nginx = nginx(&service);
    let fails = async |last: u8, path: &str| {
        let from = std::net::IpAddr::from([127, 0, 0, last]);
        let client = Client::builder().no_proxy().local_address(from).build();
        let url = format!("http://{}{path}session/shop/a", nginx.address());
        let request = client.expect("a client").get(url);
        let request = request.header("x-forwarded-for", "192.0.2.1, \", \u{e9}");
        status(request.header("forwarded", "for=192.0.2.2")).await
    };
    for (last, path, expected) in [
        (2, "/", 401),
        (2, "/", 429),
        (2, "/port/", 429),
        (3, "/port/", 401),
        (3, "/", 429),
        (4, "/port/", 401),
    ] {
        assert_eq!(fails(last, path).await, expected, "{last} {path}");
    }
}

#[tokio::test]
async fn request_id_and_trace_are_in_the_response_and_the_log() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let valid = &*format!("00-{TRACE}-b7ad6b7169203331-01");
    let later = &*format!("01-{TRACE}-b7ad6b7169203331-01-more");
    let mut program = Program::start(&mut server(&["--json-logs"]));
    let url = format!("http://{}/healthz", program.address());
    let client = Client::builder().no_proxy().build().expect("a client");
    let rows = [
        ("valid", valid, Some((valid, TRACE))),
        ("later", later, Some((valid, TRACE))),
        ("invalid", &*valid.to_uppercase(), None),
    ];
    for (id, sent, expected) in rows {
        let request = client.get(&url).header("x-request-id", id);
        let response = send(request.header("traceparent", sent)).await;
        assert_eq!(response.headers()["x-request-id"], id);
        let parent = response.headers().get("traceparent");
        let parent = parent.map(|parent| parent.to_str().expect("ASCII"));
        assert_eq!(parent, expected.map(|(parent, _)| parent), "{id}");
    }
    program.signal("TERM");
    let (_, log) = program.wait();
    for (id, _, expected) in rows {
        let field = format!("\"request_id\":\"{id}\"");
        let line = log.lines().find(|line| line.contains(&field)).expect(&log);
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let trace = line.get("trace_id").and_then(|trace| trace.as_str());
        assert_eq!(trace, expected.map(|(_, trace)| trace), "{id}");
    }
}
