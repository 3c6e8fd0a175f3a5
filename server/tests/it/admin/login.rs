//! Login and logout of operators.

use jwt_redis_session::store::StoreErrorKind;

use super::{Browser, Page};
use crate::buckets::bucket::stored;
use crate::request::send;
use crate::service::{MASTER_KEY, SECRET, Service};

#[tokio::test]
async fn only_a_master_key_logs_in() {
    let service = Service::memory().await;
    let mut browser = Browser::new(&service);
    assert!(browser.get("/admin/login").await.shows("Master key"));
    for wrong in ["", SECRET, &MASTER_KEY.to_uppercase(), &MASTER_KEY[1..]] {
        let page = browser.log_in(wrong).await;
        assert!(page.shows("This is not a master key of the service."));
        assert_eq!((page.status, page.set_cookie), (401, None));
    }
    let in_url = browser.get(&format!("/admin?key={MASTER_KEY}")).await;
    assert_eq!(in_url.location.as_deref(), Some("/admin/login"));
    assert_eq!(browser.log_in(MASTER_KEY).await.status, 303);
    assert_eq!(browser.get("/admin").await.status, 200);
}

#[tokio::test]
async fn logout_ends_one_login_and_its_cookie() {
    let service = Service::memory().await;
    let mut first = Browser::new(&service);
    let cookie = first.log_in(MASTER_KEY).await.set_cookie.expect("a cookie");
    let (token, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(token.len(), "sessiond_admin=".len() + 43);
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/admin");
    let second = Browser::logged_in(&service).await;
    assert_ne!(first.cookie, second.cookie);
    let page = first.submit("/admin/logout", &[]).await;
    assert_eq!(page.location.as_deref(), Some("/admin/login"));
    let cookie = page.set_cookie.expect("the cookie is deleted");
    assert!(cookie.starts_with("sessiond_admin=;") && cookie.ends_with("Max-Age=0"));
    let with_copy = first.get("/admin").await;
    assert_eq!(with_copy.status, 303, "a copy of the cookie is invalid");
    assert_eq!(second.get("/admin").await.status, 200);
}

#[tokio::test]
async fn the_cookie_is_secure_if_a_trusted_proxy_reports_tls() {
    for (proxies, scheme, secure) in [
        (1, "https", true),
        (1, "HTTPS", true),
        (1, "http", false),
        (0, "https", false),
    ] {
        let service =
            Service::memory_with(|settings| settings.http.trusted_proxies = proxies).await;
        let browser = Browser::new(&service);
        let form = browser.form("/admin/login", &[("key", MASTER_KEY)]);
        let page = Page::of(form.header("X-Forwarded-Proto", scheme)).await;
        let cookie = page.set_cookie.expect("a cookie");
        assert_eq!(cookie.contains("; Secure"), secure, "{scheme}");
    }
}

#[tokio::test]
async fn cookies_of_a_neighboring_host_do_not_log_the_operator_out() {
    let service = Service::memory_with(|settings| settings.http.trusted_proxies = 1).await;
    let browser = Browser::new(&service);
    let form = browser.form("/admin/login", &[("key", MASTER_KEY)]);
    let page = Page::of(form.header("X-Forwarded-Proto", "https, http")).await;
    let cookie = page.set_cookie.expect("a cookie");
    assert!(cookie.starts_with("__Secure-sessiond_admin="), "{cookie}");
    let own = cookie.split(';').next().expect("a pair");
    let other = "A".repeat(43);
    for (cookies, status) in [
        (own.to_owned(), 200),
        (format!("sessiond_admin=x; {own}"), 200),
        (format!("{own}; sessiond_admin={other}"), 200),
        (
            format!("sessiond_admin={other}; __Secure-sessiond_admin=x; {own}"),
            200,
        ),
        (format!("sessiond_admin={other}; sessiond_admin=x"), 303),
    ] {
        let request = service.get("/admin").header("cookie", &cookies);
        assert_eq!(send(request).await.status(), status, "{cookies}");
    }
}

#[tokio::test]
async fn a_login_expires_when_idle_and_after_twelve_hours() {
    let service = Service::redis().await;
    Browser::logged_in(&service).await;
    let keys = service.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let record = stored(&service, &keys[0]).await.expect("a record");
    let ttl = record.ttl.expect("a TTL").as_secs();
    assert!((890..=900).contains(&ttl), "{ttl}");
    let record: serde_json::Value = serde_json::from_slice(&record.value).expect("JSON");
    let time = |place: usize| record["_jrs"][place].as_i64().expect("a time");
    let [created, expires] = [0, 2].map(time);
    assert_eq!(expires - created, 12 * 3600);
}

#[tokio::test]
async fn a_login_ends_when_its_master_key_is_removed() {
    let other_key = "another master key of 32 characters";
    let first =
        Service::redis_with(|settings| settings.buckets.master_keys.push(other_key.into())).await;
    let second = Service::redis_at(&first.server().url(), |_| ()).await;
    for (key, status) in [(MASTER_KEY, 200), (other_key, 303)] {
        let mut browser = Browser::new(&first);
        assert_eq!(browser.log_in(key).await.status, 303);
        assert_eq!(browser.get("/admin").await.status, 200);
        browser.service = &second;
        assert_eq!(browser.get("/admin").await.status, status);
    }
}

#[tokio::test]
async fn an_outage_is_503_and_ends_no_login() {
    let service = Service::memory().await;
    let mut browser = Browser::logged_in(&service).await;
    let token = browser.form_token().await;
    service.faults.fail_with(StoreErrorKind::Timeout);
    let page = browser.get("/admin").await;
    assert_eq!(page.status, 503);
    assert!(page.shows("The session store is not available."));
    let fields = [("form_token", &*token), ("bucket", "shop")];
    assert_eq!(browser.send("/admin/keys", &fields).await.status, 503);
    assert_eq!(browser.log_in(MASTER_KEY).await.status, 503);
    service.faults.heal();
    assert_eq!(browser.get("/admin").await.status, 200);
}
