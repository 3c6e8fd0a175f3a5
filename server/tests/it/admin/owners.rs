//! All sessions of an owner.

use serde_json::json;

use super::Browser;
use crate::service::{Service, json};

on_every_store!(
    a_users_sessions_are_listed_and_ended,
    the_sessions_of_the_rpc_door_are_shown_with_their_data,
    owners_of_any_text_are_kept_apart,
    an_owner_of_the_wrong_length_is_refused,
    doors_do_not_see_each_other,
    a_form_is_about_the_owner_in_it,
    large_data_makes_no_large_page,
);

async fn user(service: &Service, username: &str) -> String {
    let login = json!({ "username": username, "password": "" });
    let request = service.post("/sessions").json(&login);
    let (status, body) = json(request.send().await.expect("an answer")).await;
    assert_eq!(status, 200);
    body["sessionId"].as_str().expect("a session id").to_owned()
}

async fn is_logged_in(service: &Service, token: &str) -> bool {
    let request = service.get("/sessions").bearer_auth(token);
    request.send().await.expect("an answer").status() == 200
}

async fn rpc(service: &Service, method: &str, args: serde_json::Value) -> (u16, serde_json::Value) {
    let call = json!({ "args": args.to_string() });
    let request = service.post(&format!("/rpc/{method}")).json(&call);
    json(request.send().await.expect("an answer")).await
}

async fn choose(browser: &Browser<'_>, door: &str, owner: &str) -> super::Page {
    let fields = [("door", door), ("owner", owner)];
    let page = browser.submit("/admin/owners", &fields).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert_eq!(page.location.as_deref(), Some("/admin/owners"));
    browser.get("/admin/owners").await
}

fn encode(owner: &str) -> String {
    owner.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn a_users_sessions_are_listed_and_ended(service: Service) {
    let tokens = [user(&service, "jo").await, user(&service, "jo").await];
    let al = user(&service, "al").await;
    let browser = Browser::logged_in(&service).await;
    let page = choose(&browser, "users", "jo").await;
    assert!(page.shows("<bdi>jo</bdi>") && page.shows("2 sessions"));
    for token in &tokens {
        assert!(!page.shows(token), "the token is not known");
    }
    let id = page.field("id").expect("a session");
    let fields = [("door", "users"), ("owner", "jo"), ("id", &*id)];
    let ended = browser.submit("/admin/owners/end", &fields).await;
    assert_eq!(ended.status, 303);
    let page = browser.get("/admin/owners").await;
    assert!(page.shows("The session has ended.") && page.shows("1 session"));
    assert!(!page.shows(&id));
    let mut living = 0;
    for token in &tokens {
        living += usize::from(is_logged_in(&service, token).await);
    }
    assert_eq!(living, 1);
    let fields = [("door", "users"), ("owner", "jo")];
    let ended = browser.submit("/admin/owners/end-all", &fields).await;
    assert_eq!(ended.status, 303);
    let page = browser.get("/admin/owners").await;
    assert!(page.shows("1 session ended.") && page.shows("0 sessions"));
    for token in &tokens {
        assert!(!is_logged_in(&service, token).await);
    }
    assert!(is_logged_in(&service, &al).await);
}

async fn the_sessions_of_the_rpc_door_are_shown_with_their_data(service: Service) {
    let args = json!({ "session": { "theme": "<script>alert(1)</script>" }, "userId": "jo" });
    let (status, created) = rpc(&service, "create", args).await;
    assert_eq!(status, 200, "{created}");
    let token = created["result"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let browser = Browser::logged_in(&service).await;
    let page = choose(&browser, "rpc", "jo").await;
    assert!(
        page.shows("&quot;theme&quot;: &quot;&lt;script&gt;"),
        "{}",
        page.text
    );
    assert!(!page.shows("<script") && !page.shows(&token));
    let fields = [("door", "rpc"), ("owner", "jo")];
    assert_eq!(
        browser
            .submit("/admin/owners/end-all", &fields)
            .await
            .status,
        303
    );
    let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*" });
    assert_eq!(
        rpc(&service, "get", args).await,
        (200, json!({ "result": null }))
    );
}

const ODD_OWNERS: [&str; 14] = [
    "a",
    "a:b",
    "*",
    "..",
    "a/b",
    "%2F",
    "a\nb",
    "a\r\nb",
    "\0",
    " a",
    "🦀",
    "\u{202e}a",
    "<script>",
    "\"><script>",
];

async fn owners_of_any_text_are_kept_apart(service: Service) {
    let longest = "x".repeat(512);
    let names = [&ODD_OWNERS[..], &[&longest]].concat();
    let browser = Browser::logged_in(&service).await;
    for name in &names {
        user(&service, name).await;
    }
    for name in &names {
        let page = choose(&browser, "users", name).await;
        assert!(page.shows("1 session"), "{name:?}");
        assert!(!page.shows("<script") && !page.shows("\u{202e}"));
        let owner = page.field("owner").expect("a form");
        assert!(
            owner
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'%')
        );
        let fields = [("door", "users"), ("owner", &*owner)];
        assert_eq!(
            browser
                .submit("/admin/owners/end-all", &fields)
                .await
                .status,
            303
        );
        let page = browser.get("/admin/owners").await;
        assert!(page.shows("1 session ended."), "{name:?}");
    }
}

async fn an_owner_of_the_wrong_length_is_refused(service: Service) {
    let browser = Browser::logged_in(&service).await;
    let too_long = "x".repeat(513);
    for bad in ["", &too_long] {
        let fields = [("door", "users"), ("owner", bad)];
        assert_eq!(browser.submit("/admin/owners", &fields).await.status, 400);
        let fields = [("door", "users"), ("owner", &encode(bad))];
        assert_eq!(
            browser
                .submit("/admin/owners/end-all", &fields)
                .await
                .status,
            400
        );
    }
}

async fn doors_do_not_see_each_other(service: Service) {
    let token = user(&service, "jo").await;
    let browser = Browser::logged_in(&service).await;
    let listed = choose(&browser, "users", "jo").await;
    let id = listed.field("id").expect("a session");
    assert!(choose(&browser, "rpc", "jo").await.shows("0 sessions"));
    assert!(choose(&browser, "users", "Jo").await.shows("0 sessions"));
    for (path, door, owner, id) in [
        ("/admin/owners/end", "rpc", "jo", &*id),
        ("/admin/owners/end", "users", "al", &*id),
        ("/admin/owners/end", "users", "jo", "0123456789abcdef"),
        ("/admin/owners/end-all", "rpc", "jo", ""),
        ("/admin/owners/end-all", "users", "Jo", ""),
    ] {
        let fields = [("door", door), ("owner", owner), ("id", id)];
        assert_eq!(browser.submit(path, &fields).await.status, 303);
    }
    for (door, owner, id) in [
        ("bucket", "jo", &*id),
        ("users", "jo", "*"),
        ("users", "%FF", &id),
    ] {
        let fields = [("door", door), ("owner", owner), ("id", id)];
        assert_eq!(
            browser.submit("/admin/owners/end", &fields).await.status,
            400
        );
    }
    assert!(is_logged_in(&service, &token).await);
}

async fn a_form_is_about_the_owner_in_it(service: Service) {
    let (jo, al) = (user(&service, "jo").await, user(&service, "al").await);
    let browser = Browser::logged_in(&service).await;
    choose(&browser, "users", "jo").await;
    // Meanwhile, in another tab.
    choose(&browser, "users", "al").await;
    let fields = [("door", "users"), ("owner", "jo")];
    assert_eq!(
        browser
            .submit("/admin/owners/end-all", &fields)
            .await
            .status,
        303
    );
    assert!(!is_logged_in(&service, &jo).await);
    assert!(is_logged_in(&service, &al).await);
}

/// Laid out as a whole it would be hundreds of megabytes.
async fn large_data_makes_no_large_page(service: Service) {
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    for _ in 0..6 {
        let args = format!(r#"{{"session":{{"deep":{deep}}},"userId":"jo"}}"#);
        let call = json!({ "args": args });
        let request = service.post("/rpc/create").json(&call);
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }
    let browser = Browser::logged_in(&service).await;
    let start = std::time::Instant::now();
    let page = choose(&browser, "rpc", "jo").await;
    let took = start.elapsed();
    assert!(page.shows("6 sessions") && page.shows("&quot;deep&quot;: [\n"));
    assert_eq!(page.text.matches("bytes more are not shown.").count(), 6);
    assert!(page.text.len() < 100_000, "{}", page.text.len());
    assert!(took.as_secs() < 10, "{took:?}");
}

#[tokio::test]
async fn a_door_that_is_shut_is_not_offered() {
    let service = Service::memory_with(|settings| settings.users.enabled = false).await;
    let browser = Browser::logged_in(&service).await;
    let page = browser.get("/admin/owners").await;
    assert!(page.shows("value=\"rpc\"") && !page.shows("value=\"users\""));
    let fields = [("door", "users"), ("owner", "jo")];
    assert_eq!(browser.submit("/admin/owners", &fields).await.status, 400);
}
