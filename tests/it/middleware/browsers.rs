//! The examples for browsers over HTTP: `cookie` and `cors`.

use std::net::SocketAddr;

use axum::Router;
use http::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jwt_redis_session::RedisStore;
use jwt_redis_session::store::SharedStore;

use super::*;
use crate::support::Counting;
use crate::support::redis_server::RedisServer;

#[path = "../../../examples/cookie.rs"]
#[allow(dead_code, reason = "`main` is not used")]
mod cookie;
#[path = "../../../examples/cors.rs"]
#[allow(dead_code, reason = "`main` is not used")]
mod cors;

const ORIGIN: (&str, &str) = ("origin", "https://spa.example");
const SAME_ORIGIN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Sends a request such as `GET /`, with a form if there is one.
async fn call(
    address: SocketAddr,
    start: &str,
    headers: &[(&str, &str)],
    form: &str,
) -> Response<String> {
    let (method, path) = start.split_once(' ').unwrap();
    let mut headers = headers.to_vec();
    if !form.is_empty() {
        headers.push(("content-type", FORM));
    }
    let uri = format!("http://{address}{path}");
    let request = request(method, &uri, &headers, form.to_owned());
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(head, text(body).await)
}

async fn stores() -> Vec<(SharedStore, Option<RedisServer>)> {
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    vec![
        (MemoryStore::new().into(), None),
        (store.into(), Some(redis)),
    ]
}

/// Returns the `Cookie` header that a browser sends after this response.
fn cookie_after(response: &Response<String>) -> String {
    let line = header(response, "set-cookie").expect("a cookie");
    let (pair, attributes) = line.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    assert!(pair.starts_with("__Host-session="), "{pair}");
    pair.to_owned()
}

/// A logged in browser: the address of the app, and what it sends.
async fn logged_in(sessions: &Sessions) -> (SocketAddr, String) {
    let address = serve(cookie::app(sessions.clone()).unwrap()).await;
    let form = call(address, "GET /", &[], "").await;
    assert!(form.body().contains("Log in"), "{form:?}");
    let login = call(address, "POST /login", &SAME_ORIGIN, "username=jo").await;
    assert_eq!(login.status(), 303);
    assert_eq!(header(&login, "cache-control"), Some("no-store"));
    (address, cookie_after(&login))
}

#[tokio::test]
async fn a_browser_logs_in_uses_its_session_and_logs_out() {
    for (store, _redis) in stores().await {
        let sessions = Sessions::builder(store, keyring()).build().unwrap();
        let (address, cookie) = logged_in(&sessions).await;
        let headers = [("cookie", &*cookie), SAME_ORIGIN[0]];
        let counted = call(address, "POST /count", &headers, "").await;
        assert_eq!(counted.status(), 303);
        assert!(!counted.headers().contains_key("set-cookie"));
        let page = call(address, "GET /", &headers, "").await;
        assert!(page.body().contains("Clicks: 1"), "{page:?}");

        let logout = call(address, "POST /logout", &headers, "").await;
        assert_eq!(logout.status(), 303);
        let cleared = header(&logout, "set-cookie").expect("a cookie");
        let start = "__Host-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=";
        assert!(cleared.starts_with(start), "{cleared}");
        // A copy of the cookie is useless.
        let after = call(address, "POST /count", &headers, "").await;
        assert_eq!(after.status(), 401);
        assert_eq!(sessions.list("jo").await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn requests_that_other_sites_forge_are_rejected() {
    let sessions = sessions().1;
    let (address, cookie) = logged_in(&sessions).await;
    let own = format!("http://{address}");
    let evil = ("origin", "https://evil.example");
    let cross_site = ("sec-fetch-site", "cross-site");
    let sandboxed = ("origin", "null");
    let post = async |path: &str, header: (&str, &str)| {
        let headers = [("cookie", &*cookie), header];
        let response = call(address, &format!("POST {path}"), &headers, "username=eve").await;
        assert!(response.status() == 303 || !response.headers().contains_key("set-cookie"));
        response.status().as_u16()
    };
    // Another host of the same site is another origin.
    for header in [cross_site, evil, sandboxed, ("sec-fetch-site", "same-site")] {
        for path in ["/login", "/count", "/logout"] {
            assert_eq!(post(path, header).await, 403, "{path} {header:?}");
        }
    }
    // Old browsers send no `Sec-Fetch-Site`, and programs neither.
    for header in [SAME_ORIGIN[0], ("origin", &*own), ("accept", "*/*")] {
        assert_eq!(post("/count", header).await, 303, "{header:?}");
    }
    // A link from another site opens the page of the user, and changes nothing.
    let page = call(address, "GET /", &[("cookie", &*cookie), cross_site], "").await;
    assert!(page.body().contains("Clicks: 3"), "{page:?}");
}

/// Checks the headers that let a page of the origin read a response.
fn assert_readable(response: &Response<String>) {
    let allowed = header(response, "access-control-allow-origin");
    assert_eq!(allowed, Some(ORIGIN.1));
    let exposed = header(response, "access-control-expose-headers");
    assert_eq!(exposed, Some("www-authenticate,retry-after"));
}

/// The API on a store that counts its calls.
async fn api(store: SharedStore) -> (SocketAddr, Counting, Faults) {
    let (store, faults) = (Counting::new(store), Faults::new());
    let sessions = Sessions::builder(faults.wrap(store.clone()), keyring());
    let origin = HeaderValue::from_static(ORIGIN.1);
    let address = serve(cors::app(sessions.build().unwrap(), origin)).await;
    (address, store, faults)
}

#[tokio::test]
async fn a_page_of_another_origin_uses_the_token_in_a_header() {
    for (store, _redis) in stores().await {
        let (address, _, faults) = api(store).await;
        let login = call(address, "POST /login/jo", &[ORIGIN], "").await;
        assert_readable(&login);
        let bearer = format!("Bearer {}", login.body());
        let headers = [ORIGIN, ("authorization", &*bearer)];
        let me = call(address, "GET /me", &headers, "").await;
        assert_eq!((me.status().as_u16(), &**me.body()), (200, "jo"));
        assert_readable(&me);

        let stranger = call(address, "GET /me", &[ORIGIN], "").await;
        assert_eq!(stranger.status(), 401);
        assert!(stranger.headers().contains_key("www-authenticate"));
        assert_readable(&stranger);

        faults.fail_with(StoreErrorKind::Connection);
        let outage = call(address, "GET /me", &headers, "").await;
        assert_eq!(outage.status(), 503);
        assert_eq!(header(&outage, "retry-after"), Some("1"));
        assert_readable(&outage);
        faults.heal();

        let logout = call(address, "POST /logout", &headers, "").await;
        assert_eq!(logout.status(), 200);
        let after = call(address, "GET /me", &headers, "").await;
        assert_eq!(after.status(), 401);
    }
}

#[tokio::test]
async fn preflights_are_answered_without_the_store() {
    for (store, _redis) in stores().await {
        let (address, store, _) = api(store).await;
        for (start, method) in [("OPTIONS /me", "GET"), ("OPTIONS /logout", "POST")] {
            let preflight = [
                ORIGIN,
                ("access-control-request-method", method),
                ("access-control-request-headers", "authorization"),
            ];
            let preflight = call(address, start, &preflight, "").await;
            assert_eq!(preflight.status(), 200);
            for (name, value) in [
                ("access-control-allow-origin", ORIGIN.1),
                ("access-control-allow-methods", "GET,POST"),
                ("access-control-allow-headers", "authorization,content-type"),
                ("access-control-max-age", "3600"),
            ] {
                assert_eq!(header(&preflight, name), Some(value), "{name}");
            }
        }
        assert_eq!(store.calls(), 0);
    }
}
