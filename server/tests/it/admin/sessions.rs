//! One session of any API.

use serde_json::json;

use super::{Browser, Page};
use crate::buckets::bucket::{Bucket, set_ttl, ttl};
use crate::request::status;
use crate::rpc::client::{active, create, get_all};
use crate::service::Service;
use crate::users::{is_valid, log_in};

/// Submits the form that finds a session.
async fn find(browser: &Browser<'_>, session: &str, bucket: &str) -> Page {
    let fields = [("session", session), ("bucket", bucket)];
    browser.submit("/admin/sessions", &fields).await
}

async fn end(browser: &Browser<'_>, api: &str, bucket: &str, id: &str) -> Page {
    let fields = [("api", api), ("bucket", bucket), ("id", id)];
    browser.submit("/admin/sessions/end", &fields).await
}

#[tokio::test]
async fn a_session_of_a_bucket_is_shown_and_ended() {
    let service = Service::redis().await;
    Bucket::new(&service, "blog").await;
    let shop = Bucket::new(&service, "shop").await;
    let data = r#"{"cart":[17, 42.10],"</pre><script>":"\"><img>"}"#;
    let id = shop
        .create(&serde_json::from_str(data).expect("JSON"))
        .await;
    let other = shop.create(&json!({})).await;
    let browser = Browser::logged_in(&service).await;
    for (text, bucket) in [(&*id, "shop"), (&id, ""), (&format!(" {id} "), "")] {
        let page = find(&browser, text, bucket).await;
        assert_eq!((page.status, &page.location), (200, &None), "no address");
        assert!(page.shows("<dd>shop</dd>") && page.shows(&id));
        assert!(page.shows("\n  &quot;cart&quot;: [\n    17,\n    42.1\n  ]"));
        assert!(page.shows("&lt;/pre&gt;&lt;script&gt;&quot;: &quot;\\&quot;&gt;&lt;img&gt;"));
        assert!(!page.shows("<script") && !page.shows("<img"));
        let times = page.text.matches(" UTC</time>").count();
        assert_eq!(times, 2, "created, expires");
    }
    for notice in ["The session has ended.", "There was no such session."] {
        let page = end(&browser, "buckets", "shop", &id).await;
        assert_eq!(page.location.as_deref(), Some("/admin/sessions"));
        assert!(page.shows(notice));
    }
    assert_eq!(status(shop.get(&id)).await, 404);
    assert_eq!(status(shop.get(&other)).await, 200);
}

/// The address contains the API and the id, never the token.
#[tokio::test]
async fn a_session_of_an_owner_has_an_address() {
    let service = Service::memory().await;
    let rpc = create(&service, "j_o", json!({ "theme": "dark" })).await;
    let reported = active(&service, "j_o").await[0]["sessionId"].take();
    let reported = reported.as_str().expect("a text");
    let user = log_in(&service, "jo").await;
    let browser = Browser::logged_in(&service).await;
    let mut addresses = Vec::new();
    for (text, api, owner) in [
        (&*rpc, "rpc", "j%5Fo"),
        (reported, "rpc", "j%5Fo"),
        (&user, "users", "jo"),
    ] {
        let page = find(&browser, text, "").await;
        assert_eq!(page.status, 303);
        let address = page.location.clone().expect("an address");
        let (_, id) = address.rsplit_once('/').expect("an id");
        assert_eq!(address, format!("/admin/sessions/{api}/{id}"));
        assert!(!address.contains(text) && !page.shows(text));
        assert!(page.shows(&format!("/admin/owners?api={api}&amp;owner={owner}\"")));
        assert!(page.shows(id) && (api == "users" || page.shows("dark")));
        let by_id = find(&browser, id, "").await;
        assert_eq!(by_id.location.as_deref(), Some(&*address));
        addresses.push(address);
    }
    assert_eq!(addresses[0], addresses[1]);
    for address in &addresses[1..] {
        let mut parts = address.rsplit('/');
        let (id, api) = (parts.next().expect("an id"), parts.next().expect("an API"));
        let page = end(&browser, api, "", id).await;
        assert!(page.shows("The session has ended."));
        let page = browser.get(address).await;
        assert_eq!(page.status, 404);
        assert!(page.shows("There is no such session"));
    }
    assert!(get_all(&service, &rpc).await.is_null());
    assert!(!is_valid(&service, &user, "jo").await);
}

#[tokio::test]
async fn a_session_is_only_found_where_it_is() {
    let service = Service::memory().await;
    let shop = Bucket::new(&service, "shop").await;
    let id = shop.create(&json!("PRIVATE")).await;
    let browser = Browser::logged_in(&service).await;
    for (bucket, id) in [
        ("blog", &*id),
        ("shop", "1b4e28ba-2fa1-4d12-883f-0016d3cca427"),
        ("shop", "*"),
        ("shop", ""),
        ("settings", &*id),
        ("", &id[1..]),
        ("", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        ("", &*"A".repeat(43)),
        ("\"><script>", "\"><script>"),
    ] {
        let page = find(&browser, id, bucket).await;
        assert_eq!(page.status, 404, "{bucket} {id}");
        assert!(page.shows("There is no such session"));
        assert!(!page.shows("PRIVATE") && !page.shows("<script"));
        let page = end(&browser, "buckets", bucket, id).await;
        assert_eq!(page.status, 303);
    }
    assert_eq!(end(&browser, "other", "shop", &id).await.status, 400);
    assert_eq!(status(shop.get(&id)).await, 200);
}

#[tokio::test]
async fn viewing_a_session_does_not_extend_its_life() {
    let service = Service::redis().await;
    let shop = Bucket::new(&service, "shop").await;
    let id = shop.create(&json!(vec![0; 200_000])).await;
    let record = shop.record(&id);
    let short = std::time::Duration::from_secs(100);
    set_ttl(&service, &record, short).await;
    let browser = Browser::logged_in(&service).await;
    let page = find(&browser, &id, "").await;
    assert!(page.shows("more bytes are not shown.") && page.text.len() < 100_000);
    // A refresh in the background uses the same connection, so it is sent before this request.
    browser.get("/admin").await;
    assert!(ttl(&service, &record).await <= short);
}
