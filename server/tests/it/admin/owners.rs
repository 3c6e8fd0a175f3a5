//! All sessions of an owner.

use std::time::Duration;

use jwt_redis_session::Sessions;
use jwt_redis_session::config::ManualClock;
use serde_json::json;

use super::{Browser, Page};
use crate::request::store;
use crate::rpc::client::{create, get_all};
use crate::service::Service;
use crate::users::{is_valid, log_in};

/// Submits a form below `/admin/owners` with an API, an owner, and maybe the id of a session.
async fn submit(browser: &Browser<'_>, action: &str, values: &[&str]) -> Page {
    let values = values.iter().copied();
    let fields: Vec<_> = ["api", "owner", "id"].into_iter().zip(values).collect();
    browser
        .submit(&format!("/admin/owners{action}"), &fields)
        .await
}

/// Opens the page of an owner.
async fn list(browser: &Browser<'_>, api: &str, owner: &str) -> Page {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query
        .extend_pairs([("api", api), ("owner", owner)])
        .finish();
    browser.get(&format!("/admin/owners?{query}")).await
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_ended() {
    let service = Service::redis().await;
    let tokens = [log_in(&service, "jo").await, log_in(&service, "jo").await];
    let al = log_in(&service, "al").await;
    let browser = Browser::logged_in(&service).await;
    let page = list(&browser, "users", "jo").await;
    assert!(page.shows("<bdi>jo</bdi>") && page.shows("2 sessions"));
    assert!(tokens.iter().all(|token| !page.shows(token)));
    let id = page.field("id").expect("a session");
    let page = submit(&browser, "/end", &["users", "jo", &id]).await;
    let address = "/admin/owners?api=users&owner=jo";
    assert_eq!(page.location.as_deref(), Some(address));
    assert!(page.shows("The session has ended.") && page.shows("1 session"));
    assert!(!page.shows(&id));
    let [first, second] = &tokens;
    let left = is_valid(&service, first, "jo").await;
    assert_ne!(left, is_valid(&service, second, "jo").await);
    let page = submit(&browser, "/end-all", &["users", "jo"]).await;
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
    let page = list(&browser, "rpc", "jo").await;
    assert!(page.shows("&quot;theme&quot;: &quot;&lt;script&gt;"));
    assert!(!page.shows("<script") && !page.shows(&token));
    assert!(page.shows("more bytes are not shown.") && page.text.len() < 20_000);
    let page = submit(&browser, "/end-all", &["rpc", "jo"]).await;
    assert!(page.shows("1 session ended."));
    assert!(get_all(&service, &token).await.is_null());
}

#[tokio::test]
async fn sessions_are_shown_in_pages() {
    let service = Service::memory().await;
    let clock = ManualClock::at(1_700_000_000);
    let sessions = Sessions::without_tokens(store(&service)).keyspace("sessiond:user:");
    let sessions = sessions.clock(clock.clone()).build().expect("sessions");
    let mut ids = Vec::new();
    for _ in 0..51 {
        let session = sessions.new_session();
        session.set_owner("jo").expect("an owner");
        ids.push(session.create().without_token().await.expect("an id"));
        clock.advance(Duration::from_secs(1));
    }
    ids.reverse();
    let browser = Browser::logged_in(&service).await;
    let mut page = list(&browser, "users", "jo").await;
    for (number, ids) in ids.chunks(25).enumerate() {
        let count = if ids.len() == 1 {
            "1 session"
        } else {
            "25 sessions"
        };
        assert!(page.shows(&format!("{count} on this page")));
        assert_eq!(page.field("id").as_deref(), Some(ids[0].as_str()));
        assert!(ids.iter().all(|id| page.shows(id.as_str())));
        assert_eq!(page.shows("Latest sessions"), number > 0);
        let next = page.text.split_once("owner=jo&amp;cursor=");
        let Some((_, rest)) = next else {
            assert_eq!(number, 2, "the last page");
            continue;
        };
        let cursor = rest.split('"').next().expect("a cursor");
        let address = format!("/admin/owners?api=users&owner=jo&cursor={cursor}");
        page = browser.get(&address).await;
    }
    let page = browser
        .get("/admin/owners?api=users&owner=jo&cursor=page+2")
        .await;
    assert_eq!(page.status, 400);
    let page = submit(&browser, "/end-all", &["users", "jo"]).await;
    assert!(page.shows("51 sessions ended."));
}

#[tokio::test]
async fn owners_with_any_name_are_distinguished() {
    let service = Service::memory().await;
    let longest = "x".repeat(512);
    let names = "a|a:b|%2F|a\nb|a\r\nb|\0| a|\u{202e}a|\"><script>";
    let names: Vec<_> = names.split('|').chain([&*longest]).collect();
    let browser = Browser::logged_in(&service).await;
    for name in &names {
        log_in(&service, name).await;
    }
    for name in names {
        let page = list(&browser, "users", name).await;
        assert!(page.shows("1 session"), "{name:?}");
        assert!(!page.shows("<script") && !page.shows("\u{202e}"));
        let owner = page.field("owner").expect("a form");
        let page = submit(&browser, "/end-all", &["users", &owner]).await;
        assert!(page.shows("1 session ended."), "{name:?}");
    }
}

#[tokio::test]
async fn a_form_for_another_api_or_owner_ends_nothing() {
    let service = Service::memory().await;
    let token = log_in(&service, "jo").await;
    let browser = Browser::logged_in(&service).await;
    let id = list(&browser, "users", "jo")
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
        let page = list(&browser, api, owner).await;
        assert_eq!(page.status == 200, status == 303, "{api} {owner}");
        assert!(status == 400 || page.shows("0 sessions"));
        assert_eq!(
            submit(&browser, "/end-all", &[api, owner]).await.status,
            status
        );
        assert_eq!(
            submit(&browser, "/end", &[api, owner, &id]).await.status,
            status
        );
    }
    for (owner, id, status) in [
        ("jo", "0123456789abcdef", 303),
        ("jo", "*", 400),
        ("%FF", &id, 400),
    ] {
        assert_eq!(
            submit(&browser, "/end", &["users", owner, id]).await.status,
            status
        );
    }
    assert!(is_valid(&service, &token, "jo").await);
}

#[tokio::test]
async fn a_disabled_api_is_not_offered() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let browser = Browser::logged_in(&service).await;
    let page = browser.get("/admin/owners").await;
    assert!(page.shows("value=\"rpc\"") && !page.shows("value=\"users\""));
    assert_eq!(list(&browser, "users", "jo").await.status, 400);
}
