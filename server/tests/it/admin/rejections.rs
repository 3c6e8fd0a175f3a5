//! Requests that are rejected and change nothing, and the headers of all responses.

use reqwest::Method;
use serde_json::json;

use super::{Browser, Page, SCRIPT, SITE};
use crate::buckets::bucket::{Bucket, api_key};
use crate::request::{send, status};
use crate::service::{MASTER_KEY, Service};
use crate::users::{is_valid, log_in};

/// A logged-in operator, and state that each form would change.
struct Fixture<'a> {
    operator: Browser<'a>,
    form_token: String,
    shop: Bucket<'a>,
    id: String,
    token: String,
}

impl<'a> Fixture<'a> {
    async fn new(service: &'a Service) -> Self {
        let shop = Bucket::new(service, "shop").await;
        let operator = Browser::logged_in(service).await;
        Self {
            form_token: operator.form_token().await,
            operator,
            id: shop.create(&json!("PRIVATE")).await,
            shop,
            token: log_in(service, "jo").await,
        }
    }

    /// Returns every form that changes something, or shows a session.
    fn forms(&self) -> [(&'static str, Vec<(&str, &str)>); 7] {
        let (bucket, id) = (("bucket", "shop"), ("id", &*self.id));
        let (api, owner) = (("api", "users"), ("owner", "jo"));
        [
            ("/admin/logout", vec![]),
            ("/admin/keys", vec![("bucket", "new")]),
            ("/admin/keys/delete", vec![bucket]),
            ("/admin/sessions", vec![bucket, ("session", &*self.id)]),
            ("/admin/sessions/end", vec![("api", "buckets"), bucket, id]),
            ("/admin/owners/end", vec![api, owner, id]),
            ("/admin/owners/end-all", vec![api, owner]),
        ]
    }

    async fn assert_unchanged(&self) {
        let service = self.operator.service;
        assert_eq!(status(self.shop.get(&self.id)).await, 200);
        assert!(is_valid(service, &self.token, "jo").await);
        assert_eq!(status(api_key(service, Method::GET, "new")).await, 404);
        let page = self.operator.get("/admin").await;
        assert_eq!(page.status, 200, "still logged in");
    }
}

#[tokio::test]
async fn requests_without_a_login_are_rejected() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    for cookie in [
        None,
        Some(format!("sessiond_admin={}", "A".repeat(43))),
        Some(format!("sessiond_admin={}", fixture.token)),
        Some(format!("sessiond_admin={MASTER_KEY}")),
    ] {
        let mut anonymous = Browser::new(&service);
        anonymous.cookie = cookie;
        let session = format!("/admin/sessions/users/{}", fixture.id);
        let owner = "/admin/owners?api=users&owner=jo";
        for path in [
            "/admin",
            "/admin/buckets",
            "/admin/sessions",
            &session,
            owner,
        ] {
            let page = anonymous.get(path).await;
            assert_eq!(page.location.as_deref(), Some("/admin/login"), "{path}");
            assert_eq!(page.text, "");
        }
        for (path, mut fields) in fixture.forms() {
            fields.push(("form_token", &fixture.form_token));
            let page = anonymous.send(path, &fields).await;
            assert_eq!(page.status, 401, "{path}");
            assert!(!page.shows("PRIVATE"));
        }
    }
    let key_in_header = service.get("/admin").header("X-SESSION-KEY", MASTER_KEY);
    assert_eq!(status(key_in_header).await, 303);
    fixture.assert_unchanged().await;
}

/// Each row sends every form with these tokens and this header.
#[tokio::test]
async fn forged_forms_are_rejected() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let right = &*fixture.form_token;
    let foreign = Browser::logged_in(&service).await.form_token().await;
    let lower = right.to_lowercase();
    let here = ("Origin", &*format!("http://{}", service.address));
    for (tokens, (name, value), status) in [
        (&[][..], (SITE, "same-origin"), 400),
        (&[right, right], (SITE, "same-origin"), 400),
        (&[""], (SITE, "same-origin"), 403),
        (&[&*foreign], (SITE, "same-origin"), 403),
        (&[&*lower], here, 403),
        (&[right], (SITE, "cross-site"), 403),
        (&[right], ("Origin", "http://evil.example"), 403),
    ] {
        let forge = |path: &str, fields: &[(&str, &str)]| {
            let request = fixture.operator.form(path, fields);
            Page::of(request.header(name, value))
        };
        for (path, mut fields) in fixture.forms() {
            fields.extend(tokens.iter().map(|token| ("form_token", *token)));
            let page = forge(path, &fields).await;
            assert_eq!(page.status, status, "{path} {tokens:?} {value}");
            assert!(!page.shows("PRIVATE"));
        }
        if tokens == [right] {
            let login = forge("/admin/login", &[("key", MASTER_KEY)]).await;
            assert_eq!((login.status, login.set_cookie), (403, None));
        }
    }
    fixture.assert_unchanged().await;
    let logout = fixture
        .operator
        .form("/admin/logout", &[("form_token", right)]);
    assert_eq!(status(logout.header(here.0, here.1)).await, 303);
}

#[tokio::test]
async fn malformed_forms_are_rejected() {
    let service = Service::memory().await;
    let fixture = Fixture::new(&service).await;
    let token = &fixture.form_token;
    let large = format!("bucket=shop&x={}", "x".repeat(16 << 10));
    for (fields, expected) in [
        ("", 400),
        ("bucket=shop&bucket=shop", 400),
        ("bucket=%FF", 400),
        (&*large, 413),
    ] {
        let form = fixture.operator.form("/admin/keys/delete", &[]);
        let form = form.body(format!("form_token={token}&{fields}"));
        assert_eq!(status(form).await, expected, "{fields:.40}");
    }
    let in_url = format!("/admin/keys/delete?form_token={token}&bucket=shop");
    assert_eq!(fixture.operator.send(&in_url, &[]).await.status, 400);
    fixture.assert_unchanged().await;
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
];

const FORBIDDEN: [&str; 5] = ["<script", "style=", "onclick", "http", MASTER_KEY];

#[tokio::test]
async fn every_response_has_security_headers_and_no_inline_script() {
    let service = Service::memory().await;
    let operator = Browser::logged_in(&service).await;
    let anonymous = Browser::new(&service);
    let get = |browser: &Browser<'_>, path| browser.request(Method::GET, path);
    for (request, status) in [
        (get(&operator, "/admin"), 200),
        (get(&operator, "/admin/sessions"), 200),
        (get(&operator, "/admin/buckets"), 200),
        (get(&operator, "/admin/owners"), 200),
        (get(&operator, "/admin/owners?api=users&owner=jo"), 200),
        (
            get(&operator, "/admin/owners?api=users&api=rpc&owner=jo"),
            400,
        ),
        (get(&operator, "/admin/sessions/users/none"), 404),
        (get(&operator, "/admin/sessions/none/none"), 400),
        (get(&operator, "/admin/sessions/users/%FF"), 404),
        (get(&anonymous, "/admin/script.js"), 200),
        (get(&operator, "/admin/"), 303),
        (get(&operator, "/admin/nothing"), 404),
        (get(&operator, "/admin/keys"), 405),
        (operator.request(Method::DELETE, "/admin"), 405),
        (operator.form("/admin/keys", &[]), 400),
        (get(&anonymous, "/admin"), 303),
        (get(&anonymous, "/admin/login"), 200),
        (get(&anonymous, "/admin/style.css"), 200),
        (anonymous.form("/admin/keys", &[]), 401),
        (anonymous.form("/admin/login", &[("key", "wrong")]), 401),
        (anonymous.form("/admin/login", &[("key", MASTER_KEY)]), 303),
    ] {
        assert_protected(send(request).await, status).await;
    }
}

async fn assert_protected(response: reqwest::Response, status: u16) {
    let path = response.url().path().to_owned();
    assert_eq!(response.status(), status, "{path}");
    let headers = response.headers();
    for (name, value) in HEADERS {
        assert_eq!(headers[name], value, "{path}");
    }
    assert_eq!(headers.contains_key("allow"), status == 405);
    assert_eq!(headers.contains_key("www-authenticate"), status == 401);
    let text = response.text().await.expect("a body").replace(SCRIPT, "");
    for forbidden in FORBIDDEN {
        assert!(!text.contains(forbidden), "{path} {forbidden}");
    }
}
