//! One session of a bucket.

use serde_json::json;

use super::Browser;
use crate::buckets::bucket::{Bucket, set_ttl, ttl};
use crate::request::status;
use crate::service::Service;

#[tokio::test]
async fn a_session_is_shown_and_ended() {
    let service = Service::redis().await;
    let shop = Bucket::new(&service, "shop").await;
    let data = r#"{"cart":[17, 42.10],"</pre><script>":"\"><img>"}"#;
    let id = shop
        .create(&serde_json::from_str(data).expect("JSON"))
        .await;
    let other = shop.create(&json!({})).await;
    let browser = Browser::logged_in(&service).await;
    let fields = [("bucket", "shop"), ("id", &*id)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert_eq!(page.status, 200);
    assert!(page.shows("\n  &quot;cart&quot;: [\n    17,\n    42.1\n  ]"));
    assert!(page.shows("&lt;/pre&gt;&lt;script&gt;&quot;: &quot;\\&quot;&gt;&lt;img&gt;"));
    assert!(!page.shows("<script") && !page.shows("<img"));
    let times = page.text.matches(" UTC</time>").count();
    assert_eq!(times, 2, "created, expires");
    for notice in ["The session has ended.", "There was no such session."] {
        let page = browser.submit("/admin/sessions/end", &fields).await;
        assert_eq!(page.location.as_deref(), Some("/admin/sessions"));
        assert!(page.shows(notice));
    }
    assert_eq!(status(shop.get(&id)).await, 404);
    assert_eq!(status(shop.get(&other)).await, 200);
}

#[tokio::test]
async fn a_session_is_only_found_in_its_bucket() {
    let service = Service::memory().await;
    let shop = Bucket::new(&service, "shop").await;
    let id = shop.create(&json!("PRIVATE")).await;
    let browser = Browser::logged_in(&service).await;
    for (bucket, id) in [
        ("blog", &*id),
        ("shop", "1b4e28ba-2fa1-4d12-883f-0016d3cca427"),
        ("shop", "*"),
        ("", &*id),
        ("settings", &*id),
        ("\"><script>", "\"><script>"),
    ] {
        let fields = [("bucket", bucket), ("id", id)];
        let page = browser.submit("/admin/sessions", &fields).await;
        assert_eq!(page.status, 404, "{bucket} {id}");
        assert!(page.shows("There is no such session in this bucket."));
        assert!(!page.shows("PRIVATE") && !page.shows("<script"));
        let page = browser.submit("/admin/sessions/end", &fields).await;
        assert_eq!(page.status, 303);
    }
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
    let fields = [("bucket", "shop"), ("id", &*id)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert!(page.shows("more bytes are not shown.") && page.text.len() < 100_000);
    // A refresh in the background uses the same connection, so it is sent before this request.
    browser.get("/admin").await;
    assert!(ttl(&service, &record).await <= short);
}
