//! Coming and going.

use std::time::Duration;

use super::{Browser, Page};
use crate::service::{MASTER_KEY, SECRET, Service};

on_every_store!(
    a_master_key_opens_the_page_and_nothing_else_does,
    a_cookie_is_bound_to_the_page,
    who_logs_out_is_out,
    a_new_login_does_not_end_another,
);

async fn a_master_key_opens_the_page_and_nothing_else_does(service: Service) {
    let mut browser = Browser::new(&service);
    let overview = browser.get("/admin").await;
    assert_eq!(overview.status, 303);
    assert_eq!(overview.location.as_deref(), Some("/admin/login"));
    assert!(browser.get("/admin/login").await.shows("Master key"));
    let near = MASTER_KEY.to_uppercase();
    for wrong in ["", "x", SECRET, &near, &MASTER_KEY[1..]] {
        let page = browser.log_in(wrong).await;
        assert_eq!((page.status, page.set_cookie), (401, None));
        assert!(page.text.contains("This is not a master key"));
        assert!(wrong.is_empty() || !page.text.contains(&format!(">{wrong}<")));
    }
    assert_eq!(browser.log_in(MASTER_KEY).await.status, 303);
    assert_eq!(browser.get("/admin").await.status, 200);
    let slash = browser.get("/admin/").await;
    assert_eq!(slash.location.as_deref(), Some("/admin"));
    let in_url = browser.service.get(&format!("/admin?key={MASTER_KEY}"));
    let page = Page::of(in_url.send().await).await;
    assert!(page.shows("Master key"), "a key in the URL opens nothing");
}

async fn a_cookie_is_bound_to_the_page(service: Service) {
    let mut browser = Browser::new(&service);
    let page = browser.log_in(MASTER_KEY).await;
    let cookie = page.set_cookie.expect("a cookie");
    let (token, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(token.len(), "sessiond_admin=".len() + 43);
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/admin");
    if service.redis.is_some() {
        let keys = service.keys().concat();
        assert!(keys.contains("sessiond:admin:") && !keys.contains(&token[15..]));
    }
}

async fn who_logs_out_is_out(service: Service) {
    let browser = Browser::logged_in(&service).await;
    let page = browser.submit("/admin/logout", &[]).await;
    assert_eq!(page.status, 303);
    assert_eq!(page.location.as_deref(), Some("/admin/login"));
    let cookie = page.set_cookie.expect("the cookie is taken back");
    assert!(cookie.starts_with("sessiond_admin=;") && cookie.ends_with("Max-Age=0"));
    // The browser of somebody who has copied the cookie.
    assert_eq!(browser.get("/admin").await.status, 303);
}

async fn a_new_login_does_not_end_another(service: Service) {
    let first = Browser::logged_in(&service).await;
    let second = Browser::logged_in(&service).await;
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(second.submit("/admin/logout", &[]).await.status, 303);
    assert_eq!(first.get("/admin").await.status, 200);
}

#[tokio::test]
async fn there_is_no_page_unless_it_is_wanted() {
    let service = Service::memory_with(|settings| settings.admin.enabled = false).await;
    for path in ["/admin", "/admin/login", "/admin/style.css"] {
        let answer = service.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn the_cookie_is_secure_if_a_trusted_proxy_says_that_tls_was_used() {
    for (trusted_proxies, scheme, secure) in [
        (1, "https", true),
        (1, "HTTPS", true),
        (1, "http", false),
        (0, "https", false),
    ] {
        let service = Service::memory_with(|settings| {
            settings.http.trusted_proxies = trusted_proxies;
        })
        .await;
        let browser = Browser::new(&service);
        let form = browser.form("/admin/login", &[("key", MASTER_KEY)]);
        let page = Page::of(form.header("X-Forwarded-Proto", scheme).send().await).await;
        let cookie = page.set_cookie.expect("a cookie");
        assert_eq!(cookie.contains("; Secure"), secure, "{scheme}");
    }
}

#[tokio::test]
async fn who_tries_too_many_keys_is_told_to_wait() {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 2.try_into().expect("not zero");
    })
    .await;
    let mut browser = Browser::new(&service);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(browser.log_in("wrong").await.status);
    }
    assert_eq!(answers, [401, 401, 429]);
    assert_eq!(browser.log_in(MASTER_KEY).await.status, 303);
}

#[tokio::test]
async fn a_login_ends_when_it_is_not_used_and_at_most_after_twelve_hours() {
    let service = Service::redis().await;
    let browser = Browser::logged_in(&service).await;
    let redis = service.redis.as_ref().expect("a Redis");
    let keys = service.keys();
    let [key] = &keys[..] else {
        panic!("one record, not {keys:?}");
    };
    let number =
        |words: &[&str]| ::redis::from_redis_value::<i64>(redis.run(words)).expect("number");
    let left = number(&["PTTL", key]);
    assert!((890_000..=900_000).contains(&left), "{left}");
    let record: String = ::redis::from_redis_value(redis.run(&["GET", key])).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let times = &record["_jrs"];
    let (created, expires) = (times["created"].as_i64(), times["expires"].as_i64());
    assert_eq!(
        expires.expect("an end") - created.expect("a start"),
        12 * 3600
    );
    redis.run(&["PEXPIRE", key, "1"]);
    while number(&["EXISTS", key]) == 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(browser.get("/admin").await.status, 303);
}

#[tokio::test]
async fn a_login_ends_with_the_master_key_that_it_was_made_with() {
    let first = Service::redis_with(|settings| {
        settings
            .buckets
            .master_keys
            .push("another master key of 32 characters".into());
    })
    .await;
    let url = first.redis.as_ref().expect("a Redis").url();
    let mut one = Browser::new(&first);
    let mut other = Browser::new(&first);
    assert_eq!(one.log_in(MASTER_KEY).await.status, 303);
    let page = other.log_in("another master key of 32 characters").await;
    assert_eq!(page.status, 303);
    let second = Service::redis_at(&url, |_| ()).await;
    one.service = &second;
    other.service = &second;
    assert_eq!(one.get("/admin").await.status, 200);
    assert_eq!(other.get("/admin").await.status, 303);
}

#[tokio::test]
async fn without_redis_an_operator_is_told_so_and_stays_logged_in() {
    let redis = crate::support::redis_server::RedisServer::start();
    let service = Service::redis_at(&redis.url(), |_| ()).await;
    let mut browser = Browser::logged_in(&service).await;
    let token = browser.form_token().await;
    redis.pause();
    let page = browser.get("/admin").await;
    assert_eq!(page.status, 503);
    assert!(page.shows("The session store is not available."));
    let fields = [("form_token", &*token), ("bucket", "shop")];
    assert_eq!(browser.send("/admin/keys", &fields).await.status, 503);
    assert_eq!(browser.log_in(MASTER_KEY).await.status, 503);
    redis.resume();
    let back = async { while browser.get("/admin").await.status == 503 {} };
    let waited = tokio::time::timeout(Duration::from_secs(5), back).await;
    waited.expect("Redis is back");
    assert_eq!(browser.get("/admin").await.status, 200);
}
