//! Who is refused, with nothing changed.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::{Browser, Page, api_key, bucket_session, lives};
use crate::service::{MASTER_KEY, Service};

on_every_store!(
    without_a_login_nothing_is_shown_and_nothing_done,
    a_form_without_its_token_does_nothing,
    what_another_site_sends_does_nothing,
    what_another_origin_sends_does_nothing,
    a_malformed_form_does_nothing,
);

/// Every form that changes something, or shows a session.
fn forms(id: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let bucket = ("bucket", "shop".to_owned());
    let whom = || vec![("api", "users".to_owned()), ("owner", "jo".to_owned())];
    let mut one = whom();
    one.push(("id", id.to_owned()));
    vec![
        ("/admin/logout", vec![]),
        ("/admin/keys", vec![("bucket", "new".to_owned())]),
        ("/admin/keys/delete", vec![bucket.clone()]),
        (
            "/admin/sessions",
            vec![bucket.clone(), ("id", id.to_owned())],
        ),
        ("/admin/sessions/end", vec![bucket, ("id", id.to_owned())]),
        ("/admin/owners", whom()),
        ("/admin/owners/end", one),
        ("/admin/owners/end-all", whom()),
    ]
}

/// What there is to change: a session behind a key, and one of a user.
struct World {
    key: String,
    id: String,
    token: String,
}

impl World {
    async fn new(service: &Service) -> Self {
        let key = api_key(service, "shop").await;
        let id = bucket_session(service, "shop", &key, r#""PRIVATE""#).await;
        let login = json!({ "username": "jo", "password": "" });
        let request = service.post("/sessions").json(&login);
        let (_, body) = crate::service::json(request.send().await.expect("an answer")).await;
        let token = body["sessionId"].as_str().expect("an id").to_owned();
        Self { key, id, token }
    }

    async fn is_unchanged(&self, service: &Service) {
        assert!(lives(service, "shop", &self.id, &self.key).await);
        let show = service.get("/sessions").bearer_auth(&self.token);
        assert_eq!(show.send().await.expect("an answer").status(), 200);
        let request = service.get("/api-key/new");
        let request = request.header("X-SESSION-KEY", MASTER_KEY);
        assert_eq!(request.send().await.expect("an answer").status(), 404);
    }
}

fn fields<'a>(fields: &'a [(&'static str, String)], token: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    fields.push(("form_token", token));
    fields
}

async fn without_a_login_nothing_is_shown_and_nothing_done(service: Service) {
    let world = World::new(&service).await;
    let operator = Browser::logged_in(&service).await;
    let form_token = operator.form_token().await;
    let value = operator.cookie.clone().expect("a cookie");
    let token = value.split('=').nth(1).expect("a token");
    let cookies = [
        None,
        Some("sessiond_admin=".to_owned()),
        Some(format!("sessiond_admin={}", "A".repeat(43))),
        Some(format!("sessiond_admin={}", world.token)),
        Some(format!("sessiond_admin={}", world.key)),
        Some(format!("sessiond_admin={MASTER_KEY}")),
        Some(format!("other={token}")),
        Some(format!("{value}; {value}")),
    ];
    for cookie in cookies {
        let mut stranger = Browser::new(&service);
        stranger.cookie = cookie;
        for path in ["/admin", "/admin/sessions", "/admin/owners"] {
            let page = stranger.get(path).await;
            assert_eq!(page.status, 303, "{:?}", stranger.cookie);
            assert_eq!(page.location.as_deref(), Some("/admin/login"));
            assert_eq!(page.text, "");
        }
        for (path, form) in forms(&world.id) {
            let page = stranger.send(path, &fields(&form, &form_token)).await;
            assert_eq!(page.status, 401, "{path}");
            assert!(!page.shows("PRIVATE"));
        }
    }
    let bearer = service.get("/admin").bearer_auth(MASTER_KEY);
    let bearer = bearer.header("X-SESSION-KEY", MASTER_KEY);
    assert!(Page::of(bearer.send().await).await.shows("Log in"));
    world.is_unchanged(&service).await;
    assert_eq!(operator.get("/admin").await.status, 200, "still logged in");
}

async fn a_form_without_its_token_does_nothing(service: Service) {
    let world = World::new(&service).await;
    let operator = Browser::logged_in(&service).await;
    let other = Browser::logged_in(&service).await;
    let foreign = other.form_token().await;
    let own = operator.form_token().await;
    let wrong = [
        String::new(),
        foreign,
        own[1..].to_owned(),
        own.to_lowercase(),
    ];
    for (path, form) in forms(&world.id) {
        let bare: Vec<_> = form.iter().map(|(name, value)| (*name, &**value)).collect();
        let page = operator.send(path, &bare).await;
        assert_eq!(page.status, 400, "{path}");
        for token in &wrong {
            let page = operator.send(path, &fields(&form, token)).await;
            assert_eq!(page.status, 403, "{path}");
            assert!(!page.shows("PRIVATE"));
        }
        let mut twice = fields(&form, &own);
        twice.push(("form_token", &own));
        assert_eq!(operator.send(path, &twice).await.status, 400);
    }
    world.is_unchanged(&service).await;
    assert_eq!(operator.get("/admin").await.status, 200, "still logged in");
}

/// A form from a browser that does not tell the site.
fn bare(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let form = browser.form(path, fields).build().expect("a request");
    let body = form.body().and_then(|body| body.as_bytes());
    let body = body.expect("a body").to_vec();
    browser.request(Method::POST, path).body(body)
}

async fn what_another_site_sends_does_nothing(service: Service) {
    let world = World::new(&service).await;
    let operator = Browser::logged_in(&service).await;
    let token = operator.form_token().await;
    for site in [
        "cross-site",
        "same-site",
        "",
        "CROSS-SITE",
        "same-origin, none",
    ] {
        for (path, form) in forms(&world.id) {
            let request = operator.form(path, &fields(&form, &token));
            // `headers` replaces what the browser would send.
            let site = HeaderValue::from_static(site);
            let headers = [(HeaderName::from_static("sec-fetch-site"), site)];
            let request = request.headers(headers.into_iter().collect());
            let page = Page::of(request.send().await).await;
            assert_eq!(page.status, 403, "{path}");
        }
        let login = operator.form("/admin/login", &[("key", MASTER_KEY)]);
        let login = login.header("Sec-Fetch-Site", site);
        let page = Page::of(login.send().await).await;
        assert_eq!((page.status, page.set_cookie), (403, None));
    }
    world.is_unchanged(&service).await;
    assert_eq!(operator.get("/admin").await.status, 200, "still logged in");
}

/// A browser that does not send `Sec-Fetch-Site` must name this origin, and have the right token.
async fn what_another_origin_sends_does_nothing(service: Service) {
    let world = World::new(&service).await;
    let operator = Browser::logged_in(&service).await;
    let token = operator.form_token().await;
    let own = format!("http://{}", service.address);
    for foreign in ["http://evil.example", "null", "", "http://127.0.0.1"] {
        for (path, form) in forms(&world.id) {
            let request = bare(&operator, path, &fields(&form, &token));
            let page = Page::of(request.header("Origin", foreign).send().await).await;
            assert_eq!(page.status, 403, "{foreign} {path}");
        }
        let login = bare(&operator, "/admin/login", &[("key", MASTER_KEY)]);
        let page = Page::of(login.header("Origin", foreign).send().await).await;
        assert_eq!((page.status, page.set_cookie), (403, None));
    }
    world.is_unchanged(&service).await;
    let login = bare(&operator, "/admin/login", &[("key", MASTER_KEY)]);
    let login = login.header("Origin", &own).send().await;
    assert_eq!(Page::of(login).await.status, 303);
    let request = bare(&operator, "/admin/logout", &[("form_token", &token)]);
    let request = request.header("Origin", own);
    assert_eq!(Page::of(request.send().await).await.status, 303);
}

async fn a_malformed_form_does_nothing(service: Service) {
    let world = World::new(&service).await;
    let operator = Browser::logged_in(&service).await;
    let token = operator.form_token().await;
    let large = format!("form_token={token}&bucket=shop&x={}", "x".repeat(16 << 10));
    for (body, status) in [
        (String::new(), 400),
        (format!("form_token={token}"), 400),
        (format!("form_token={token}&bucket=shop&bucket=shop"), 400),
        (format!("form_token={token}&bucket=%FF"), 400),
        (
            json!({ "form_token": token, "bucket": "shop" }).to_string(),
            400,
        ),
        (large, 413),
    ] {
        let request = operator.request(Method::POST, "/admin/keys/delete");
        let page = Page::of(request.body(body).send().await).await;
        assert_eq!(page.status, status);
    }
    let in_url = format!("/admin/keys/delete?form_token={token}&bucket=shop");
    assert_eq!(operator.send(&in_url, &[]).await.status, 400);
    assert_eq!(operator.get(&in_url).await.status, 405);
    world.is_unchanged(&service).await;
}
