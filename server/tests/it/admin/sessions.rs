//! One session of a bucket.

use super::{Browser, api_key, bucket_session, lives};
use crate::service::Service;

on_every_store!(
    a_session_is_shown_and_ended,
    hostile_data_is_only_text,
    what_is_not_in_the_bucket_is_not_shown,
    large_data_makes_no_large_page,
);

async fn a_session_is_shown_and_ended(service: Service) {
    let key = api_key(&service, "shop").await;
    let data = r#"{"cart":[17, 42.10],"user":"jo"}"#;
    let id = bucket_session(&service, "shop", &key, data).await;
    let other = bucket_session(&service, "shop", &key, "{}").await;
    let browser = Browser::logged_in(&service).await;
    let fields = [("bucket", "shop"), ("id", &*id)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert_eq!(page.status, 200);
    let shown =
        "{\n  &quot;cart&quot;: [\n    17,\n    42.10\n  ],\n  &quot;user&quot;: &quot;jo&quot;\n}";
    assert!(page.shows(shown), "{}", page.text);
    assert_eq!(page.text.matches(" UTC</time>").count(), 2, "created, ends");
    let ended = browser.submit("/admin/sessions/end", &fields).await;
    assert_eq!(ended.location.as_deref(), Some("/admin/sessions"));
    assert!(
        browser
            .get("/admin/sessions")
            .await
            .shows("The session has ended.")
    );
    assert!(!lives(&service, "shop", &id, &key).await);
    assert!(lives(&service, "shop", &other, &key).await);
    let again = browser.submit("/admin/sessions/end", &fields).await;
    assert_eq!(again.status, 303);
    let page = browser.get("/admin/sessions").await;
    assert!(page.shows("There was no such session any more."));
}

async fn hostile_data_is_only_text(service: Service) {
    let key = api_key(&service, "shop").await;
    let hostile = r#"{"</pre><script>alert(1)</script>":"\u202e\"><img src=x onerror=alert(1)>"}"#;
    let id = bucket_session(&service, "shop", &key, hostile).await;
    let browser = Browser::logged_in(&service).await;
    let page = browser
        .submit("/admin/sessions", &[("bucket", "shop"), ("id", &id)])
        .await;
    assert_eq!(page.status, 200);
    assert!(page.shows("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.shows("<script") && !page.shows("<img"));
    let hostile = "\"><script>alert(1)</script>";
    let fields = [("bucket", hostile), ("id", hostile)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert_eq!(page.status, 404);
    assert!(!page.shows("<script") && page.shows("&lt;script&gt;"));
}

async fn what_is_not_in_the_bucket_is_not_shown(service: Service) {
    let key = api_key(&service, "shop").await;
    let id = bucket_session(&service, "shop", &key, r#""PRIVATE""#).await;
    let unknown = "1b4e28ba-2fa1-4d12-883f-0016d3cca427";
    let browser = Browser::logged_in(&service).await;
    for (bucket, id) in [
        ("blog", &*id),
        ("shop", unknown),
        ("shop", ""),
        ("shop", "*"),
        ("", &*id),
        ("settings", &*id),
    ] {
        let fields = [("bucket", bucket), ("id", id)];
        let page = browser.submit("/admin/sessions", &fields).await;
        assert_eq!(page.status, 404, "{bucket} {id}");
        assert!(page.shows("There is no such session in this bucket."));
        assert!(!page.shows("PRIVATE"));
        let ended = browser.submit("/admin/sessions/end", &fields).await;
        assert_eq!(ended.status, 303);
    }
    assert!(lives(&service, "shop", &id, &key).await);
}

async fn large_data_makes_no_large_page(service: Service) {
    let key = api_key(&service, "shop").await;
    let wide = "0,".repeat(200_000) + "0";
    let data = "[".repeat(60) + &wide + &"]".repeat(60);
    let id = bucket_session(&service, "shop", &key, &data).await;
    let browser = Browser::logged_in(&service).await;
    let fields = [("bucket", "shop"), ("id", &*id)];
    let page = browser.submit("/admin/sessions", &fields).await;
    assert!(page.shows("bytes more are not shown."));
    assert!(page.text.len() < 100_000, "{}", page.text.len());
}

#[tokio::test]
async fn looking_does_not_make_a_session_live_longer() {
    let service = Service::redis().await;
    let key = api_key(&service, "shop").await;
    let id = bucket_session(&service, "shop", &key, "{}").await;
    let redis = service.redis.as_ref().expect("a Redis");
    let record = format!("sessiond:bucket:shop-{id}");
    let end = || {
        let end = ::redis::from_redis_value::<i64>(redis.run(&["PEXPIRETIME", &record]));
        end.expect("a number")
    };
    redis.run(&["PEXPIRE", &record, "100000"]);
    let before = end();
    assert!(before > 0);
    let browser = Browser::logged_in(&service).await;
    for _ in 0..3 {
        let fields = [("bucket", "shop"), ("id", &*id)];
        let page = browser.submit("/admin/sessions", &fields).await;
        assert_eq!(page.status, 200);
    }
    // A write in the background would have been sent before this is answered.
    redis.run(&["PING"]);
    assert_eq!(end(), before);
}
