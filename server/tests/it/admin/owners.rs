//! All sessions of an owner.

use serde_json::json;

use super::{Browser, Page};
use crate::rpc::client::{create, get_all};
use crate::service::Service;
use crate::users::{is_valid, log_in};

async fn choose(browser: &Browser<'_>, api: &str, owner: &str) -> Page {
    let fields = [("api", api), ("owner", owner)];
    browser.submit("/admin/owners", &fields).await
}

async fn end(browser: &Browser<'_>, api: &str, owner: &str, id: &str) -> Page {
    let fields = [("api", api), ("owner", owner), ("id", id)];
    browser.submit("/admin/owners/end", &fields).await
}

async fn end_all(browser: &Browser<'_>, api: &str, owner: &str) -> Page {
    let fields = [("api", api), ("owner", owner)];
    browser.submit("/admin/owners/end-all", &fields).await
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_ended() {
    let service = Service::redis().await;
    let tokens = [log_in(&service, "jo").await, log_in(&service, "jo").await];
    let al = log_in(&service, "al").await;
    let browser = Browser::logged_in(&service).await;
    let page = choose(&browser, "users", "jo").await;
    assert_eq!(page.location.as_deref(), Some("/admin/owners"));
    assert!(page.shows("<bdi>jo</bdi>") && page.shows("2 sessions"));
    assert!(tokens.iter().all(|token| !page.shows(token)));
    let id = page.field("id").expect("a session");
    let page = end(&browser, "users", "jo", &id).await;
    assert!(page.shows("The session has ended.") && page.shows("1 session"));
    assert!(!page.shows(&id));
    let [first, second] = &tokens;
    let left = is_valid(&service, first, "jo").await;
    assert_ne!(left, is_valid(&service, second, "jo").await);
    // In another tab another owner is chosen.
    choose(&browser, "users", "al").await;
    let page = end_all(&browser, "users", "jo").await;
    assert!(page.shows("1 session ended."));
    for token in &tokens {
        assert!(!is_valid(&service, token, "jo").await);
    }
    assert!(is_valid(&service, &al, "al").await);
}

#[tokio::test]
async fn sessions_of_the_rpc_api_are_shown_with_their_data() {
    let service = Service::memory().await;
    let data = json!({ "theme": "<script>alert(1)</script>", "x": "x".repeat(1 << 19) });
    let token = create(&service, "jo", data).await;
    let browser = Browser::logged_in(&service).await;
    let page = choose(&browser, "rpc", "jo").await;
    assert!(page.shows("&quot;theme&quot;: &quot;&lt;script&gt;"));
    assert!(!page.shows("<script") && !page.shows(&token));
    assert!(page.shows("more bytes are not shown.") && page.text.len() < 20_000);
    let page = end_all(&browser, "rpc", "jo").await;
    assert!(page.shows("1 session ended."));
    assert!(get_all(&service, &token).await.is_null());
}

#[tokio::test]
async fn owners_with_any_name_are_distinguished() {
    let service = Service::memory().await;
    let longest = "x".repeat(512);
    let names = [
        "a",
        "a:b",
        "%2F",
        "a\nb",
        "a\r\nb",
        "\0",
        " a",
        "\u{202e}a",
        "\"><script>",
        &longest,
    ];
    let browser = Browser::logged_in(&service).await;
    for name in names {
        log_in(&service, name).await;
    }
    for name in names {
        let page = choose(&browser, "users", name).await;
        assert!(page.shows("1 session"), "{name:?}");
        assert!(!page.shows("<script") && !page.shows("\u{202e}"));
        let owner = page.field("owner").expect("a form");
        let page = end_all(&browser, "users", &owner).await;
        assert!(page.shows("1 session ended."), "{name:?}");
    }
}

#[tokio::test]
async fn a_form_for_another_api_or_owner_ends_nothing() {
    let service = Service::memory().await;
    let token = log_in(&service, "jo").await;
    let browser = Browser::logged_in(&service).await;
    let id = choose(&browser, "users", "jo")
        .await
        .field("id")
        .expect("a session");
    let too_long = "x".repeat(513);
    for (api, owner, status) in [
        ("rpc", "jo", 303),
        ("users", "Jo", 303),
        ("bucket", "jo", 400),
        ("users", "", 400),
        ("users", &*too_long, 400),
    ] {
        let page = choose(&browser, api, owner).await;
        assert_eq!(page.status, status, "{api} {owner}");
        assert!(status == 400 || page.shows("0 sessions"));
        assert_eq!(end_all(&browser, api, owner).await.status, status);
        assert_eq!(end(&browser, api, owner, &id).await.status, status);
    }
    for (owner, id, status) in [
        ("jo", "0123456789abcdef", 303),
        ("jo", "*", 400),
        ("%FF", &id, 400),
    ] {
        assert_eq!(end(&browser, "users", owner, id).await.status, status);
    }
    assert!(is_valid(&service, &token, "jo").await);
}

#[tokio::test]
async fn a_disabled_api_is_not_offered() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let browser = Browser::logged_in(&service).await;
    let page = browser.get("/admin/owners").await;
    assert!(page.shows("value=\"rpc\"") && !page.shows("value=\"users\""));
    assert_eq!(choose(&browser, "users", "jo").await.status, 400);
}
