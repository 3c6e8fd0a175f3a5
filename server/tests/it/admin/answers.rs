//! What stands on every answer, and on every page.

use reqwest::Method;

use super::Browser;
use crate::service::{MASTER_KEY, Service};

const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
];

#[tokio::test]
async fn every_answer_tells_the_browser_what_it_may_do() {
    let service = Service::memory().await;
    let operator = Browser::logged_in(&service).await;
    let stranger = Browser::new(&service);
    let get = |browser: &Browser<'_>, path| browser.request(Method::GET, path);
    for (request, status) in [
        (get(&operator, "/admin"), 200),
        (get(&stranger, "/admin"), 303),
        (get(&stranger, "/admin/login"), 200),
        (get(&stranger, "/admin/style.css"), 200),
        (get(&operator, "/admin/"), 303),
        (get(&operator, "/admin/nothing"), 404),
        (get(&operator, "/admin/keys"), 405),
        (operator.request(Method::DELETE, "/admin"), 405),
        (operator.form("/admin/keys", &[]), 400),
        (stranger.form("/admin/keys", &[]), 401),
        (stranger.form("/admin/login", &[("key", "wrong")]), 401),
        (stranger.form("/admin/login", &[("key", MASTER_KEY)]), 303),
    ] {
        let answer = request.send().await.expect("an answer");
        let path = answer.url().path().to_owned();
        assert_eq!(answer.status(), status, "{path}");
        for (name, value) in HEADERS {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
        assert_eq!(answer.headers().contains_key("allow"), status == 405);
        assert_eq!(
            answer.headers().contains_key("www-authenticate"),
            status == 401
        );
    }
}

#[tokio::test]
async fn no_page_has_a_script_or_a_style_of_its_own() {
    let service = Service::memory().await;
    let operator = Browser::logged_in(&service).await;
    for path in ["/admin", "/admin/sessions", "/admin/owners", "/admin/login"] {
        let page = operator.get(path).await;
        for forbidden in [
            "<script",
            "style=",
            "javascript:",
            "onclick",
            "http:",
            "https:",
        ] {
            assert!(!page.shows(forbidden), "{path} {forbidden}");
        }
        assert!(page.text.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(!page.shows(MASTER_KEY));
    }
}

#[tokio::test]
async fn the_page_is_not_in_the_document_of_the_api() {
    let service = Service::memory().await;
    let answer = service
        .get("/openapi.json")
        .send()
        .await
        .expect("an answer");
    assert!(!answer.text().await.expect("a body").contains("/admin"));
}
