//! One session of a bucket.

use super::{Browser, api_key, bucket_session, is_stored};
use crate::service::Service;

#[tokio::test]
async fn a_session_is_shown_and_ended() {
    let service = Service::redis().await;
    let key = api_key(&service, "shop").await;
    let data = r#"{"cart":[17, 42.10],"</pre><script>":"\"><img>"}"#;
    let id = bucket_session(&service, "shop", &key, data).await;
    let other = bucket_session(&service, "shop", &key, "{}").await;
    let browser = Browser::logged_in(&service).await;
    let fields = [("bucket", "shop"), ("id", &*id)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert_eq!(page.status, 200);
    let shown = "{\n  &quot;cart&quot;: [\n    17,\n    42.10\n  ],\n  \
                 &quot;&lt;/pre&gt;&lt;script&gt;&quot;: &quot;\\&quot;&gt;&lt;img&gt;&quot;\n}";
    assert!(page.shows(shown), "{}", page.text);
    assert_eq!(
        page.text.matches(" UTC</time>").count(),
        2,
        "created, expires"
    );
    for notice in ["The session has ended.", "There was no such session."] {
        let page = browser.submit("/admin/sessions/end", &fields).await;
        assert_eq!(page.location.as_deref(), Some("/admin/sessions"));
        assert!(page.shows(notice));
    }
    assert!(!is_stored(&service, "shop", &id, &key).await);
    assert!(is_stored(&service, "shop", &other, &key).await);
}

#[tokio::test]
async fn a_session_is_only_found_in_its_bucket() {
    let service = Service::memory().await;
    let key = api_key(&service, "shop").await;
    let id = bucket_session(&service, "shop", &key, r#""PRIVATE""#).await;
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
        assert_eq!(
            browser.submit("/admin/sessions/end", &fields).await.status,
            303
        );
    }
    assert!(is_stored(&service, "shop", &id, &key).await);
}

#[tokio::test]
async fn viewing_a_session_does_not_extend_its_life() {
    let service = Service::redis().await;
    let key = api_key(&service, "shop").await;
    let large = format!("[{}0]", "0,".repeat(200_000));
    let id = bucket_session(&service, "shop", &key, &large).await;
    let redis = service.redis.as_ref().expect("Redis");
    let record = format!("sessiond:bucket:shop-{id}");
    let expiry = || {
        let expiry = redis.run(&["PEXPIRETIME", &record]);
        ::redis::from_redis_value::<i64>(expiry).expect("a number")
    };
    redis.run(&["PEXPIRE", &record, "100000"]);
    let before = expiry();
    assert!(before > 0);
    let browser = Browser::logged_in(&service).await;
    let page = browser
        .submit("/admin/sessions", &[("bucket", "shop"), ("id", &id)])
        .await;
    assert!(page.shows("more bytes are not shown.") && page.text.len() < 100_000);
    // A refresh in the background uses the same connection, so it is sent before this request.
    browser.get("/admin").await;
    assert_eq!(expiry(), before);
}
